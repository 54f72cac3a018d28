# SPDX-License-Identifier: Apache-2.0
"""Options of an evaluator that are decisions: ``lr: {floatv: [1.0e-4, 1.0e-1], scale: log}``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, final

from archloom.config._document import KeyPath, Problems
from archloom.config._options import option_errors
from archloom.search_spaces.literal import LiteralError, read_values

WORDS = ("oneof", "manyof", "permutate", "floatv")


@final
@dataclass(frozen=True, eq=False)
class Searched:
    """An option that holds decisions.

    Args:
        written: the option as the study file has it.
        template: the same with PyGlove's placeholders.
        example: one of the values it may take.
    """

    written: Any
    template: Any
    example: Any


def is_searched(value: Any) -> bool:
    """Whether a decision stands anywhere in a value.

    >>> is_searched({"n_train": {"oneof": [100, 200]}}), is_searched({"n_train": 100})
    (True, False)
    """
    if isinstance(value, Mapping):
        return any(word in value for word in WORDS) or any(is_searched(item) for item in value.values())
    return isinstance(value, list) and any(is_searched(item) for item in value)


def read_searched(
    target: Callable[..., Any], option: str, value: Any, path: KeyPath, problems: Problems
) -> Searched | None:
    """Read one option; note what is wrong, each candidate of the wrong type at its own line."""
    try:
        tree = read_values(value)
    except LiteralError as error:
        for at, what in error.mistakes:
            problems.add((*path, *at), what)
        return None
    n_before = len(problems)
    versions = tree.versions()
    for version, places in versions:
        for where, text in option_errors(target, option, version):
            problems.add((*path, *_written(places, where)), text)
    return Searched(value, tree.template, versions[0][0]) if len(problems) == n_before else None


def _written(places: Mapping[KeyPath, KeyPath], where: KeyPath) -> KeyPath:
    """Return where the innermost known place around ``where`` was written."""
    return next(places[where[:n]] for n in range(len(where), -1, -1) if where[:n] in places)
