# SPDX-License-Identifier: Apache-2.0
"""Which rows are points of a space: in range, distinct, sorted, and unset where inactive."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from archloom.contracts import ChoiceArray, Genotypes
from archloom.search_spaces.drawing import active_rows
from archloom.search_spaces.points import ChoicePoint, FloatPoint, Point, Points, walk

__all__ = ["Legality"]

Mask = npt.NDArray[np.bool_]


class Legality:
    """Judges rows of one space.

    Single choices (one slot) are judged all at once; several slots and floats point by point.

    Args:
        points: the root points of a space.
    """

    def __init__(self, points: Points):
        every = list(walk(points))
        single = [p for p in every if isinstance(p, ChoicePoint) and p.k == 1]
        always = [p for p in single if p.when is None]
        below = [p for p in single if p.when is not None and len(p.when.columns) == 1]
        columns = [p.columns[0] for p in always]
        # A slice costs nothing, where picking columns makes a copy.
        is_run = columns == list(range(len(columns)))
        self._always: Any = slice(len(columns)) if is_run else np.array(columns, dtype=np.intp)
        self._always_n = np.array([p.m for p in always], dtype=np.int16)
        self._below = np.array([p.columns[0] for p in below], dtype=np.intp)
        self._below_n = np.array([p.m for p in below], dtype=np.int16)
        conditions = [p.when for p in below if p.when is not None]
        self._parent = np.array([when.columns[0] for when in conditions], dtype=np.intp)
        self._parent_choice = np.array([when.choice for when in conditions], dtype=np.int16)
        done = {id(p) for p in (*always, *below)}
        self._others = [p for p in every if id(p) not in done]

    def __call__(self, genotypes: Genotypes) -> Mask:
        """Return which of ``n`` rows are points of the space."""
        choices = genotypes.choices
        held = choices[:, self._always]
        legal: Mask = np.asarray(((held >= 0) & (held < self._always_n)).all(axis=1))
        if len(self._below):
            held = choices[:, self._below]
            is_active = choices[:, self._parent] == self._parent_choice
            legal = legal & np.where(is_active, (held >= 0) & (held < self._below_n), held == -1).all(axis=1)
        for point in self._others:
            legal = legal & _is_legal(point, genotypes)
        return legal


def _is_legal(point: Point, genotypes: Genotypes) -> Mask:
    choices = genotypes.choices
    mask = active_rows(point.when, choices)
    active = np.ones(len(choices), dtype=bool) if mask is None else mask
    if isinstance(point, FloatPoint):
        values = genotypes.floats[:, point.column]
        inside = (values >= point.low) & (values <= point.high)
        return np.where(active, inside, np.isnan(values))
    return np.where(active, _slots_legal(point, choices), _slots_unset(point, choices))


def _slots_unset(point: ChoicePoint, choices: ChoiceArray) -> Mask:
    return np.asarray((choices[:, list(point.columns)] == -1).all(axis=1))


def _slots_legal(point: ChoicePoint, choices: ChoiceArray) -> Mask:
    slots = choices[:, list(point.columns)]
    legal = ((slots >= 0) & (slots < point.m)).all(axis=1)
    if point.is_sorted:
        legal &= (np.diff(slots, axis=1) >= (1 if point.is_distinct else 0)).all(axis=1)
    elif point.is_distinct:
        legal &= (np.diff(np.sort(slots, axis=1), axis=1) > 0).all(axis=1)
    return np.asarray(legal)
