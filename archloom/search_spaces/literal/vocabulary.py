# SPDX-License-Identifier: Apache-2.0
"""What a ``name`` in a tree stands for: a class of blueprints, by registered name or import path."""

from __future__ import annotations

import inspect
from typing import Any

import pyglove as pg

from archloom.errors import ArchloomError, UnknownNameError
from archloom.search_spaces.blueprints import BLUEPRINTS
from archloom.search_spaces.literal.mistakes import KeyPath, Mistakes

__all__ = ["blueprint", "is_class", "library"]


def is_class(value: Any) -> bool:
    """Whether this is a symbolic class, whose fields a tree may write."""
    return inspect.isclass(value) and issubclass(value, pg.Object)


def blueprint(name: str, at: KeyPath, mistakes: Mistakes) -> Any:
    """Return the class of a name; note why there is none and return ``None``."""
    try:
        found = BLUEPRINTS.get(name)
    except UnknownNameError as error:
        mistakes.add(at, str(error))
        return None
    except Exception as error:  # the user's own module, which may raise anything as it is imported
        words = " ".join(str(error).split())
        mistakes.add(at, f"importing {name!r} failed: {type(error).__name__}: {words}")
        return None
    if is_class(found):
        return found
    what = "a plain class" if inspect.isclass(found) else "a function" if callable(found) else "no class"
    mistakes.add(at, f"{name!r} is {what}, not a blueprint: write {{call: {name!r}, args: {{...}}}}")
    return None


def library(name: str, at: KeyPath, mistakes: Mistakes) -> Any:
    """Return one of archloom's own blueprints, which a special word stands for."""
    try:
        return BLUEPRINTS.get(name)
    except ArchloomError as error:
        mistakes.add(at, str(error))
        return None
