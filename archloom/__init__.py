# SPDX-License-Identifier: Apache-2.0
"""Neural architecture search: a strategy proposes, an evaluator scores, the store remembers.

Everything that users type is here, loaded on first use: ``import archloom`` alone imports no torch,
PyGlove, SQLAlchemy or pandas.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from archloom.lazy import lazy_face

if TYPE_CHECKING:
    from archloom.contracts import Objective
    from archloom.search_spaces import Blueprint, SearchSpace, build, out_of
    from archloom.store import Store
    from archloom.study import Study

    __version__: str

__all__ = ["Blueprint", "Objective", "SearchSpace", "Store", "Study", "__version__", "build", "out_of"]

_HOME = {
    "Blueprint": "search_spaces",
    "Objective": "contracts",
    "SearchSpace": "search_spaces",
    "Store": "store",
    "Study": "study",
    "build": "search_spaces",
    "out_of": "search_spaces",
}


_load, __dir__ = lazy_face(__name__, _HOME, __all__)


def __getattr__(name: str) -> Any:
    if name == "__version__":
        return importlib.import_module("importlib.metadata").version("archloom")
    return _load(name)
