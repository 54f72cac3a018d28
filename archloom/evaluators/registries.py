# SPDX-License-Identifier: Apache-2.0
"""The names that a study file may use for evaluators, datasets and tasks.

A dataset is registered as a callable with keyword-only options that returns ``Splits`` (or anything
else that ``load_splits`` understands); a task as a class whose arguments are its options.
"""

from __future__ import annotations

from archloom.registry import Registry

__all__ = ["DATASETS", "EVALUATORS", "TASKS"]

EVALUATORS = Registry(
    "evaluators",
    {
        "costs": "archloom.evaluators.costs:Costs",
        "function": "archloom.evaluators.function:Function",
        "tabular": "archloom.evaluators.tabular:Tabular",
        "training": "archloom.evaluators.training:Training",
    },
)

DATASETS = Registry(
    "datasets",
    {
        "digits": "archloom.evaluators.data.digits:digits",
        "fashion_mnist": "archloom.evaluators.data.fashion_mnist:fashion_mnist",
    },
)

TASKS = Registry(
    "tasks",
    {
        "classification": "archloom.evaluators.tasks:Classification",
        "regression": "archloom.evaluators.tasks:Regression",
    },
)
