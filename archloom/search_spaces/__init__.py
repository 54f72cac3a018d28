# SPDX-License-Identifier: Apache-2.0
"""Symbolic spaces -> decisions -> architectures; one folder a family."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from archloom.errors import did_you_mean
from archloom.registry import Registry

if TYPE_CHECKING:
    from archloom.search_spaces.blueprint import Blueprint, build, out_of
    from archloom.search_spaces.space import Architecture, Decision, SearchSpace

__all__ = ["SPACES", "Architecture", "Blueprint", "Decision", "SearchSpace", "build", "out_of"]

SPACES = Registry(
    "search_spaces",
    {
        "cell": "archloom.search_spaces.cell:cell",
        "mlp": "archloom.search_spaces.mlp:mlp",
        "nasbench201": "archloom.search_spaces.nasbench201:nasbench201",
    },
)

_HOME = {
    "Architecture": "space",
    "Blueprint": "blueprint",
    "Decision": "space",
    "SearchSpace": "space",
    "build": "blueprint",
    "out_of": "blueprint",
}


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(importlib.import_module(f"archloom.search_spaces.{_HOME[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}{did_you_mean(name, __all__)}")


def __dir__() -> list[str]:
    return sorted(__all__)
