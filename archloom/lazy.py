# SPDX-License-Identifier: Apache-2.0
"""A package's face, loaded on first use (PEP 562), so that importing the package imports nothing heavy."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from typing import Any

from archloom.errors import did_you_mean

__all__ = ["lazy_face"]


def lazy_face(
    package: str, home: Mapping[str, str], names: list[str]
) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """Return the ``__getattr__`` and ``__dir__`` of a package.

    Args:
        package: its name.
        home: public name to the module below the package that has it.
        names: all public names, for completion and for the nearest word to a misspelt one.
    """

    def load(name: str) -> Any:
        if name in home:
            return getattr(importlib.import_module(f"{package}.{home[name]}"), name)
        # Python's own look-ups (``__path__`` and the like) want no advice.
        advice = "" if name.startswith("__") else did_you_mean(name, names)
        raise AttributeError(f"module {package!r} has no attribute {name!r}{advice}")

    return load, lambda: sorted(names)
