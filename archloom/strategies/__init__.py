# SPDX-License-Identifier: Apache-2.0
"""Who to try next, and which running trial to stop."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from archloom.errors import did_you_mean
from archloom.registry import Registry

if TYPE_CHECKING:
    from archloom.strategies.pruners import MedianPruner
    from archloom.strategies.random import RandomSearch
    from archloom.strategies.regularized_evolution import RegularizedEvolution

__all__ = ["PRUNERS", "STRATEGIES", "MedianPruner", "RandomSearch", "RegularizedEvolution"]

STRATEGIES = Registry(
    "strategies",
    {
        "random": "archloom.strategies.random:RandomSearch",
        "regularized_evolution": "archloom.strategies.regularized_evolution:RegularizedEvolution",
    },
)
PRUNERS = Registry("pruners", {"median": "archloom.strategies.pruners:MedianPruner"})

_HOME = {
    "MedianPruner": "pruners",
    "RandomSearch": "random",
    "RegularizedEvolution": "regularized_evolution",
}


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(importlib.import_module(f"archloom.strategies.{_HOME[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}{did_you_mean(name, __all__)}")


def __dir__() -> list[str]:
    return sorted(__all__)
