# SPDX-License-Identifier: Apache-2.0
"""Recorded choices as rows of a space, whether or not it still holds them; and how two spaces differ."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from archloom.contracts import Genotypes
from archloom.search_spaces.points import ChoicePoint, Points, walk

__all__ = ["differences", "read_rows"]

_Place = tuple[int, Mapping[str, int] | None]
"""A column, and the place of each label; ``None`` for a column of the floats."""


def read_rows(
    points: Points, recorded: Sequence[Mapping[str, str | float]], n_choices: int, n_floats: int
) -> tuple[Genotypes, npt.NDArray[np.bool_]]:
    """Return recorded choices as ``n`` rows, and which of them hold only what the points know.

    Whether a row is legal is not asked: what is active and missing is unset.

    Args:
        points: the root points of a space.
        recorded: for each row, decision name to candidate label or number.
        n_choices: columns of the choices.
        n_floats: columns of the floats.
    """
    rows = Genotypes(
        np.full((len(recorded), n_choices), -1, dtype=np.int16), np.full((len(recorded), n_floats), np.nan)
    )
    places = dict(_places(points))
    is_known = np.ones(len(recorded), dtype=bool)
    for i, made in enumerate(recorded):
        for name, choice in made.items():
            is_known[i] &= _put(rows, i, places.get(name), choice)
    return rows, is_known


def differences(then: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """Say in words how the decisions of one described space differ from those of another.

    >>> then = {"decisions": [{"name": "op", "candidates": ["conv", "pool"]}]}
    >>> now = {"decisions": [{"name": "op", "candidates": ["conv", "skip"]}, {"name": "width"}]}
    >>> differences(then, now)
    ["op gains 'skip'", "op loses 'pool'", 'width is new']

    Args:
        then: ``SearchSpace.to_json`` of the earlier one.
        now: of the later one.
    """
    old, new = _by_name(then), _by_name(now)
    words = [word for name in new if name in old for word in _changed(name, old[name], new[name])]
    words += [f"{name} is new" for name in new if name not in old]
    return words + [f"{name} is gone" for name in old if name not in new]


def _places(points: Points) -> Iterator[tuple[str, _Place]]:
    for point in walk(points):
        if isinstance(point, ChoicePoint):
            labels = {label: i for i, label in enumerate(point.labels)}
            for name, column in zip(point.names, point.columns, strict=True):
                yield name, (column, labels)
        else:
            yield point.name, (point.column, None)


def _put(rows: Genotypes, i: int, place: _Place | None, choice: str | float) -> bool:
    """Write a choice into row ``i``; return whether there is such a decision and candidate."""
    if place is None:
        return False
    column, labels = place
    if labels is not None:
        rows.choices[i, column] = index = labels.get(str(choice), -1)
        return index >= 0
    try:
        rows.floats[i, column] = float(choice)
    except ValueError:
        return False
    return True


def _by_name(described: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    return {str(row["name"]): row for row in described.get("decisions", ())}


def _changed(name: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
    """Say how a decision that is in both has changed."""
    then, now = old.get("candidates", ()), new.get("candidates", ())
    gains = [label for label in now if label not in then]
    losses = [label for label in then if label not in now]
    if gains:
        yield f"{name} gains {', '.join(map(repr, gains))}"
    if losses:
        yield f"{name} loses {', '.join(map(repr, losses))}"
    for key in (*old, *(key for key in new if key not in old)):
        if key != "candidates" and old.get(key) != new.get(key):
            yield f"{name}: {key} was {old.get(key)!r}, now {new.get(key)!r}"
    if then != now and not gains and not losses:
        yield f"{name} has its candidates in another order"
