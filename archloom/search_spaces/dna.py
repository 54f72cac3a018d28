# SPDX-License-Identifier: Apache-2.0
"""Between genotypes and PyGlove's DNA, losslessly.

PyGlove writes a DNA as the depth-first list of its active numbers, each slot followed by what lies
below its candidate. Where several slots of a distinct choice share a candidate's decisions that
list and our columns say the same.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from archloom.contracts import ChoiceArray, FloatArray, Genotypes
from archloom.errors import SpaceError
from archloom.search_spaces.points import FloatPoint, Points

__all__ = ["from_numbers", "to_numbers"]


def to_numbers(points: Points, row: Genotypes) -> list[int | float]:
    """Return a ``1 x d`` row as PyGlove's flat list of numbers."""
    return list(_emit(points, row.choices[0], row.floats[0]))


def _emit(points: Points, choices: ChoiceArray, floats: FloatArray) -> Iterator[int | float]:
    for point in points:
        if isinstance(point, FloatPoint):
            yield float(floats[point.column])
            continue
        for slot, column in enumerate(point.columns):
            choice = int(choices[column])
            yield choice
            yield from _emit(point.below(slot, choice), choices, floats)


def from_numbers(points: Points, numbers: list[int | float], n_choices: int, n_floats: int) -> Genotypes:
    """Return PyGlove's flat list of numbers as a ``1 x d`` row.

    Raises:
        SpaceError: too many numbers, too few, or a choice that does not exist.
    """
    row = Genotypes(np.full((1, n_choices), -1, dtype=np.int16), np.full((1, n_floats), np.nan))
    left = iter(numbers)
    try:
        _take(points, left, row.choices[0], row.floats[0])
    except StopIteration:
        raise SpaceError(f"this DNA is too short for the space: {numbers}") from None
    extra = list(left)
    if extra:
        raise SpaceError(f"this DNA is too long for the space: {len(extra)} numbers too many in {numbers}")
    return row


def _take(points: Points, numbers: Iterator[int | float], choices: ChoiceArray, floats: FloatArray) -> None:
    for point in points:
        if isinstance(point, FloatPoint):
            floats[point.column] = float(next(numbers))
            continue
        for slot, (column, name) in enumerate(zip(point.columns, point.names, strict=True)):
            choice = next(numbers)
            if choice not in range(point.m):
                raise SpaceError(f"{name}: choice must be an integer from 0 to {point.m - 1}, got {choice!r}")
            choices[column] = int(choice)
            _take(point.below(slot, int(choice)), numbers, choices, floats)
