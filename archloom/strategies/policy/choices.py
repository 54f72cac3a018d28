# SPDX-License-Identifier: Apache-2.0
"""Legal choices column by column, how one is drawn, and what is likely before anything is known.

Notation: ``n`` rows, ``d`` columns, ``m`` candidates (of the column that has most).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from archloom.contracts import ChoiceArray, FloatArray
from archloom.search_spaces.filling import Filling
from archloom.search_spaces.points import ChoicePoint, walk

if TYPE_CHECKING:
    from archloom.search_spaces.space import SearchSpace

__all__ = ["draw", "first_logits", "is_chosen", "legal_choices"]

Mask = npt.NDArray[np.bool_]


def legal_choices(filling: Filling, rows: ChoiceArray) -> Mask:
    """Return what was legal in each column of finished rows, ``n x d x m``; nothing where it is inactive."""
    found = np.zeros((*rows.shape, _width(filling)), dtype=bool)
    state = filling.empty(len(rows))
    for column in range(filling.n_columns):
        found[:, column, : filling.sizes[column]] = filling.next(state, column)
        state[:, column] = rows[:, column]
    return found


def is_chosen(filling: Filling, rows: ChoiceArray) -> Mask:
    """Return which candidates rows hold, ``n x d x m``."""
    return np.asarray(rows[:, :, None] == np.arange(_width(filling)))


def draw(logits: FloatArray, legal: Mask, noise: FloatArray) -> ChoiceArray:
    """Draw from the softmax over legal candidates by the inverse of its distribution function.

    Args:
        logits: ``n x m``, or ``m`` for all rows alike.
        legal: ``n x m``.
        noise: ``n``, uniform on ``[0, 1)``.

    Returns:
        ``n`` candidates, ``-1`` where none is legal.

    Example:
        >>> legal = np.array([[True, False, True], [False, False, False]])
        >>> draw(np.zeros(3), legal, np.array([0.6, 0.6])).tolist()
        [2, -1]
    """
    is_active = np.asarray(legal.any(axis=1))
    masked = np.where(legal | ~is_active[:, None], logits, -np.inf)
    heights = np.exp(masked - masked.max(axis=1, keepdims=True)).cumsum(axis=1)
    # Strictly above: a candidate that is not legal adds no height, and so is never the first to be there.
    drawn = (heights > noise[:, None] * heights[:, -1:]).argmax(axis=1)
    return np.where(is_active, drawn, -1).astype(np.int16)


def first_logits(space: SearchSpace, filling: Filling) -> FloatArray:
    """Return logits, ``d x m``, under which rows are drawn as by ``sample(uniform_over="decisions")``.

    They are zero but in sorted groups, where a slot's candidate weighs as many ways as there are to fill the
    slots after it: with equal ones a choice of two of ``a, b, c, d`` would be ``c, d`` a third of the time.
    """
    found = np.zeros((filling.n_columns, _width(filling)))
    for point in walk(space.points):
        if isinstance(point, ChoicePoint) and point.is_sorted:
            for slot, column in enumerate(point.columns):
                ways = [_n_ways(point, slot, candidate) for candidate in range(point.m)]
                found[column, : point.m] = [math.log(each) if each else 0.0 for each in ways]
    return found


def _n_ways(point: ChoicePoint, slot: int, candidate: int) -> int:
    """Count how the slots after one can be filled; none where the candidate is not legal there."""
    n_slots, n_after = point.k - 1 - slot, point.m - 1 - candidate
    return math.comb(n_after if point.is_distinct else n_after + n_slots, n_slots)


def _width(filling: Filling) -> int:
    return int(filling.sizes.max(initial=0))
