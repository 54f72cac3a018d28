# SPDX-License-Identifier: Apache-2.0
"""Callbacks by import path, and architectures that are tried first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from archloom.config._document import Problems
from archloom.config._raised import raised
from archloom.errors import SpaceError, UnknownNameError
from archloom.registry import import_path
from archloom.search_spaces import SearchSpace
from archloom.study import Callback

Choices = dict[str, str | float]


def read_callbacks(paths: Sequence[str], problems: Problems) -> list[Callback]:
    """Import callbacks; note those that cannot be called."""
    found = []
    for index, path in enumerate(paths):
        at = ("callbacks", index)
        try:
            callback = import_path(path)
        except UnknownNameError as error:
            problems.add(at, str(error))
        except Exception as error:  # the user's own module, which may raise anything as it is imported
            problems.add(at, f"importing {path!r} failed: {raised(error)}", cause=error)
        else:
            if callable(callback) and not isinstance(callback, type):
                found.append(callback)
            else:
                rule = "should be a function, called as callback(study, record)"
                problems.add(at, f"{path!r} {rule}, got {callback!r:.80}")
    return found


def read_enqueued(rows: Sequence[Mapping[str, Any]], space: SearchSpace, problems: Problems) -> list[Choices]:
    """Return the choices of architectures to try first; note those that are no points of the space."""
    found = []
    for index, row in enumerate(rows):
        choices = {name: _label(value) for name, value in row.items()}
        try:
            space.from_choices(choices)
        except (SpaceError, ValueError) as error:
            text = str(error)
            named = [name for name in row if text.startswith((f"{name}: ", repr(name)))]
            told = text.removeprefix(f"{named[0]}: ") if named else text  # the key path says it already
            problems.add(("enqueue", index, *named[:1]), told, cause=error)
        else:
            found.append(choices)
    return found


def _label(value: Any) -> str | float:
    """Return what YAML made of a candidate's label: booleans and nothing have names of their own."""
    if isinstance(value, bool):
        return str(value).lower()
    return "none" if value is None else value
