# SPDX-License-Identifier: Apache-2.0
"""Rows that are filled choice by choice: what may be set next, and what was set last.

A row begins with every column unset (``-1``) and is finished when no active column is unset. An *action*
is a column with one of its candidates; there are ``a`` of them, in the order of the columns of ``one_hot``.
Any active column may be set at any time, but the slots of a sorted group from the first to the last, so that
a row of ``t`` unsorted choices is reached in ``t!`` orders. A column may be unset when nothing depends on it.
"""

from __future__ import annotations

from functools import cached_property
from typing import TypeAlias, final

import numpy as np
import numpy.typing as npt

from archloom.contracts import ChoiceArray
from archloom.search_spaces.drawing import active_rows
from archloom.search_spaces.points import ChoicePoint, Points, walk

__all__ = ["Filling"]

Mask: TypeAlias = npt.NDArray[np.bool_]
Indices: TypeAlias = npt.NDArray[np.intp]


@final
class Filling:
    """The legal steps between an empty row and a finished one, ``n`` rows at a time.

    Args:
        points: the root points of a space; its floats are no affair of it.

    Example:
        >>> import numpy as np
        >>> import pyglove as pg
        >>> from archloom.search_spaces import SearchSpace
        >>> space = SearchSpace(pg.manyof(2, ["a", "b", "c"], distinct=True, sorted=True))
        >>> filling = space.filling
        >>> row = np.array([[1, -1]], dtype=np.int16)
        >>> filling.forward(row).astype(int).tolist(), filling.backward(row).astype(int).tolist()
        ([[0, 0, 0, 0, 0, 1]], [[1, 0]])
    """

    def __init__(self, points: Points):
        self._points = [point for point in walk(points) if isinstance(point, ChoicePoint)]
        self._owner = {column: point for point in self._points for column in point.columns}
        self.n_columns = len(self._owner)
        sizes = [self._owner[column].m for column in range(self.n_columns)]
        self.sizes: Indices = np.array(sizes, dtype=np.intp)
        self.offsets: Indices = np.concatenate([[0], np.cumsum(self.sizes)]).astype(np.intp)

    @property
    def n_actions(self) -> int:
        """Number of actions, ``a``: the candidates of all columns."""
        return int(self.offsets[-1])

    @cached_property
    def columns(self) -> Indices:
        """The column of each action, ``a``."""
        return np.repeat(np.arange(self.n_columns), self.sizes)

    @cached_property
    def candidates(self) -> Indices:
        """The candidate of each action, ``a``."""
        return np.arange(self.n_actions) - self.offsets[self.columns]

    def empty(self, n: int) -> ChoiceArray:
        """Return ``n`` rows with nothing set, ``n x d``."""
        return np.full((n, self.n_columns), -1, dtype=np.int16)

    def forward(self, choices: ChoiceArray) -> Mask:
        """Return which actions are legal next, ``n x a``; none where a row is finished."""
        legal = np.zeros((len(choices), self.n_actions), dtype=bool)
        for point in self._points:
            active = active_rows(point.when, choices)
            for slot, column in enumerate(point.columns):
                block = legal[:, self.offsets[column] : self.offsets[column + 1]]
                block[:] = _candidates(point, slot, choices)
                block &= (choices[:, column] < 0)[:, None]
                if active is not None:
                    block &= active[:, None]
        return legal

    def next(self, choices: ChoiceArray, column: int) -> Mask:
        """Return which candidates of one column are legal, ``n x m``; none where it is inactive.

        For rows that are filled from the first column to the last.
        """
        point = self._owner[column]
        legal = _candidates(point, point.columns.index(column), choices)
        active = active_rows(point.when, choices)
        return legal if active is None else legal & active[:, None]

    def backward(self, choices: ChoiceArray) -> Mask:
        """Return which columns may have been set last, ``n x d``; none where nothing is set."""
        free = choices >= 0
        for point in self._points:
            columns = list(point.columns)
            if point.is_sorted:
                free[:, columns[:-1]] &= choices[:, columns[1:]] < 0
            if point.when is not None:
                is_set = (choices[:, columns] >= 0).any(axis=1)
                for parent in point.when.columns:
                    free[:, parent] &= ~(is_set & (choices[:, parent] == point.when.choice))
        return free

    def one_hot(self, choices: ChoiceArray) -> Mask:
        """Return which actions have been taken, ``n x a``; a column that is unset is all zeros."""
        return np.asarray(choices[:, self.columns] == self.candidates)


def _candidates(point: ChoicePoint, slot: int, choices: ChoiceArray) -> Mask:
    """Return which candidates a slot may hold beside what the group's other slots hold, ``n x m``."""
    every = np.arange(point.m)
    if point.is_sorted:
        before = choices[:, point.columns[slot - 1], None] if slot else np.full((len(choices), 1), -1)
        legal: Mask = every > before if point.is_distinct else every >= before
        if point.is_distinct:  # enough must be left for the slots that follow
            legal &= every < point.m - (point.k - 1 - slot)
        return legal & (before >= 0) if slot else legal
    if not point.is_distinct:
        return np.ones((len(choices), point.m), dtype=bool)
    held = choices[:, list(point.columns)]
    return np.asarray((held[:, :, None] != every).all(axis=1))
