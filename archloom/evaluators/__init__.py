# SPDX-License-Identifier: Apache-2.0
"""How good an architecture is: measured, looked up, counted or trained.

Importing this package loads no torch; each name is loaded on first use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from archloom.evaluators.registries import AUGMENTATIONS, DATASETS, EVALUATORS, TASKS
from archloom.lazy import lazy_face

if TYPE_CHECKING:
    from archloom.evaluators.costs import Costs
    from archloom.evaluators.data.loading import load_splits
    from archloom.evaluators.data.splits import Splits
    from archloom.evaluators.function import Function
    from archloom.evaluators.latency import Latency
    from archloom.evaluators.memory import Memory
    from archloom.evaluators.nasbenchgraph import NasBenchGraph
    from archloom.evaluators.networks import build_network
    from archloom.evaluators.supernet import SupernetEvaluator
    from archloom.evaluators.tabular import Tabular
    from archloom.evaluators.tasks import Classification, Regression
    from archloom.evaluators.training import Training
    from archloom.evaluators.tuned import Tuned

__all__ = [
    "AUGMENTATIONS",
    "DATASETS",
    "EVALUATORS",
    "TASKS",
    "Classification",
    "Costs",
    "Function",
    "Latency",
    "Memory",
    "NasBenchGraph",
    "Regression",
    "Splits",
    "SupernetEvaluator",
    "Tabular",
    "Training",
    "Tuned",
    "build_network",
    "load_splits",
]

_HOME = {
    "Classification": "tasks",
    "Costs": "costs",
    "Function": "function",
    "Latency": "latency",
    "Memory": "memory",
    "NasBenchGraph": "nasbenchgraph",
    "Regression": "tasks",
    "Splits": "data.splits",
    "SupernetEvaluator": "supernet",
    "Tabular": "tabular",
    "Training": "training",
    "Tuned": "tuned",
    "build_network": "networks",
    "load_splits": "data.loading",
}

__getattr__, __dir__ = lazy_face(__name__, _HOME, __all__)
