# SPDX-License-Identifier: Apache-2.0
"""Where the registries lie, by the word for what they hold; none is imported before it is asked for."""

from __future__ import annotations

MODULES = {
    "strategies": "archloom.strategies:STRATEGIES",
    "pruners": "archloom.strategies:PRUNERS",
    "search_spaces": "archloom.search_spaces:SPACES",
    "blueprints": "archloom.search_spaces.blueprints:BLUEPRINTS",
    "evaluators": "archloom.evaluators:EVALUATORS",
    "datasets": "archloom.evaluators:DATASETS",
    "augmentations": "archloom.evaluators.registries:AUGMENTATIONS",
    "samplers": "archloom.evaluators.supernet.samplers:SAMPLERS",
    "tasks": "archloom.evaluators:TASKS",
    "predictors": "archloom.predictors:PREDICTORS",
    "operations": "archloom.search_spaces.operations:OPERATIONS",
    "activations": "archloom.search_spaces.mlp:ACTIVATIONS",
}
