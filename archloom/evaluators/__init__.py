# SPDX-License-Identifier: Apache-2.0
"""How good an architecture is: measured, looked up, counted or trained.

Importing this package loads no torch; each name is loaded on first use.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from archloom.errors import did_you_mean
from archloom.evaluators.registries import DATASETS, EVALUATORS, TASKS

if TYPE_CHECKING:
    from archloom.evaluators.costs import Costs
    from archloom.evaluators.data.loading import load_splits
    from archloom.evaluators.data.splits import Splits
    from archloom.evaluators.function import Function
    from archloom.evaluators.networks import build_network
    from archloom.evaluators.tabular import Tabular
    from archloom.evaluators.tasks import Classification, Regression
    from archloom.evaluators.training import Training

__all__ = [
    "DATASETS",
    "EVALUATORS",
    "TASKS",
    "Classification",
    "Costs",
    "Function",
    "Regression",
    "Splits",
    "Tabular",
    "Training",
    "build_network",
    "load_splits",
]

_HOME = {
    "Classification": "tasks",
    "Costs": "costs",
    "Function": "function",
    "Regression": "tasks",
    "Splits": "data.splits",
    "Tabular": "tabular",
    "Training": "training",
    "build_network": "networks",
    "load_splits": "data.loading",
}


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(importlib.import_module(f"archloom.evaluators.{_HOME[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}{did_you_mean(name, __all__)}")


def __dir__() -> list[str]:
    return sorted(__all__)
