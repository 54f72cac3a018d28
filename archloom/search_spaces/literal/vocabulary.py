# SPDX-License-Identifier: Apache-2.0
"""What a ``name`` in a tree stands for: a class of blueprints, by registered name or import path."""

from __future__ import annotations

import inspect
from typing import Any

import pyglove as pg

from archloom.errors import ArchloomError, SpaceError, UnknownNameError
from archloom.registry import import_path
from archloom.search_spaces.blueprints import BLUEPRINTS
from archloom.search_spaces.labels import describe
from archloom.search_spaces.literal.mistakes import KeyPath, Mistakes
from archloom.search_spaces.literal.nodes import Broken, Scalar

__all__ = ["blueprint", "imported", "is_class", "library"]


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


def imported(path: str, at: KeyPath, mistakes: Mistakes) -> Scalar | Broken:
    """Return what an import path leads to; note why it cannot stand in a tree."""
    try:
        found = import_path(path)
        describe(found)  # raises where a thing has no name that stays the same
    except (UnknownNameError, SpaceError) as error:
        mistakes.add(at, str(error))
    except Exception as error:  # the user's own module, which may raise anything as it is imported
        words = " ".join(str(error).split())
        mistakes.add(at, f"importing {path!r} failed: {type(error).__name__}: {words}")
    else:
        if not isinstance(found, pg.Symbolic) and not inspect.ismodule(found):
            return Scalar(at, found)
        what = "a module" if inspect.ismodule(found) else "a symbolic value"
        mistakes.add(at, f"{path!r} is {what}: import a class, a function or a constant of it")
    return Broken(at)


def library(name: str, at: KeyPath, mistakes: Mistakes) -> Any:
    """Return one of archloom's own blueprints, which a special word stands for."""
    try:
        return BLUEPRINTS.get(name)
    except ArchloomError as error:
        mistakes.add(at, str(error))
        return None
