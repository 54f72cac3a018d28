# SPDX-License-Identifier: Apache-2.0
"""Ways from an empty row to a finished one, ``n`` at a time, and the arrays that losses read.

Notation: ``n`` trajectories, ``t`` steps (of the longest), ``d`` columns, ``a`` actions.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias, final

import numpy as np
import numpy.typing as npt

from archloom.contracts import ChoiceArray
from archloom.search_spaces.filling import Filling

__all__ = ["Trajectories", "backward_at_random"]

Indices: TypeAlias = npt.NDArray[np.intp]


@final
@dataclass(frozen=True, eq=False)
class Trajectories:
    """Finished rows, and in which order their columns were set.

    Args:
        rows: ``n x d``, the finished rows.
        order: ``n x t``, the column set at each step, ``-1`` after the last.
    """

    rows: ChoiceArray
    order: npt.NDArray[np.intp]

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: npt.NDArray[np.intp] | slice | list[int]) -> Trajectories:
        """Select some of them."""
        return Trajectories(self.rows[index], self.order[index])

    @property
    def is_step(self) -> npt.NDArray[np.bool_]:
        """Which steps are taken, ``n x t``: trajectories may differ in length."""
        return self.order >= 0

    @property
    def lengths(self) -> npt.NDArray[np.intp]:
        """Number of steps of each, ``n``."""
        return np.asarray(self.is_step.sum(axis=1))

    def states(self) -> ChoiceArray:
        """Return the row before each step and after the last, ``n x (t + 1) x d``."""
        n, d = self.rows.shape
        t = self.order.shape[1]
        set_at = np.full((n, d + 1), t, dtype=np.intp)  # the last column takes the padding
        set_at[np.arange(n)[:, None], np.where(self.is_step, self.order, d)] = np.arange(t)
        is_set = set_at[:, None, :d] < np.arange(t + 1)[None, :, None]
        return np.where(is_set, self.rows[:, None, :], np.int16(-1))

    def every_visit(self) -> tuple[ChoiceArray, Indices]:
        """Return all states, ``n (t + 1) x d``, and the place of each visit, ``n x (t + 1)``."""
        states = self.states()
        n, n_states, d = states.shape
        return states.reshape(-1, d), np.arange(n * n_states).reshape(n, n_states)

    def visited(self) -> tuple[ChoiceArray, Indices]:
        """Return the states without repeats, ``u x d``, and the place of each visit, ``n x (t + 1)``."""
        states, at = self.every_visit()
        _, first, place = np.unique(_numbered(states), return_index=True, return_inverse=True)
        return states[first], place.reshape(at.shape)

    def actions(self, filling: Filling) -> npt.NDArray[np.intp]:
        """Return the action of each step, ``n x t``; ``0`` where there is none."""
        columns = np.maximum(self.order, 0)
        candidates = self.rows[np.arange(len(self))[:, None], columns]
        return np.where(self.is_step, filling.offsets[columns] + candidates, 0)

    @staticmethod
    def from_the_end(rows: ChoiceArray, taken: list[npt.NDArray[np.intp]]) -> Trajectories:
        """Make trajectories of the columns that were unset, ``n`` at a time, from the last to the first."""
        n = len(rows)
        if not taken:
            return Trajectories(rows, np.empty((n, 0), dtype=np.intp))
        backward = np.stack(taken, axis=1)
        if backward.min(initial=0) >= 0:  # all are of one length
            return Trajectories(rows, backward[:, ::-1])
        lengths = (backward >= 0).sum(axis=1)[:, None]
        steps = np.arange(backward.shape[1])[None, :]
        order = np.take_along_axis(backward, np.clip(lengths - 1 - steps, 0, None), axis=1)
        return Trajectories(rows, np.where(steps < lengths, order, -1))

    @staticmethod
    def concatenate(parts: list[Trajectories]) -> Trajectories:
        """Stack trajectories over one space."""
        longest = max(part.order.shape[1] for part in parts)
        orders = [
            np.pad(part.order, ((0, 0), (0, longest - part.order.shape[1])), constant_values=-1)
            for part in parts
        ]
        return Trajectories(np.concatenate([part.rows for part in parts]), np.concatenate(orders))


def _numbered(rows: ChoiceArray) -> npt.NDArray[np.generic]:
    """Return one sortable key a row, equal for equal rows alone: a whole number where one can hold it."""
    sizes = rows.max(axis=0, initial=-1).astype(np.int64) + 2
    if np.log2(sizes).sum() < 62:
        weights = np.cumprod(np.append(1, sizes))[:-1]
        return np.asarray((rows.astype(np.int64) + 1) @ weights)
    return np.ascontiguousarray(rows).view(np.dtype((np.void, rows.itemsize * rows.shape[1]))).reshape(-1)


def backward_at_random(filling: Filling, rows: ChoiceArray, rng: np.random.Generator) -> Trajectories:
    """Draw a way to each finished row: at every step back each column that may go is equally likely."""
    state = rows.copy()
    taken = []
    while True:
        free = filling.backward(state)
        some = np.flatnonzero(free.any(axis=1))
        if not len(some):
            break
        lots = np.where(free[some], rng.random((len(some), free.shape[1])), -1.0)
        column = lots.argmax(axis=1)
        step = np.full(len(rows), -1, dtype=np.intp)
        step[some] = column
        state[some, column] = -1
        taken.append(step)
    return Trajectories.from_the_end(rows, taken)
