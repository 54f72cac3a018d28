# SPDX-License-Identifier: Apache-2.0
"""Random choices, vectorised: fill every active decision that is not set yet.

Sampling fills empty rows; mutation and crossover leave gaps and have them filled. Notation: ``n``
rows, ``k`` slots, ``m`` candidates. With weights equal to the counts below each candidate the draw is
uniform over architectures; with equal weights, uniform over decisions.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from archloom.contracts import ChoiceArray, FloatArray
from archloom.search_spaces.counting import candidate_counts, suffix_table
from archloom.search_spaces.points import ChoicePoint, FloatPoint, Points, When, walk

__all__ = ["Drawer", "active_rows"]

Rows = npt.NDArray[np.intp] | slice
_EVERY = slice(None)


def active_rows(when: When | None, choices: ChoiceArray) -> npt.NDArray[np.bool_] | None:
    """Return which of ``n`` rows meet a condition; ``None`` stands for all."""
    if when is None:
        return None
    if len(when.columns) == 1:
        mask: npt.NDArray[np.bool_] = choices[:, when.columns[0]] == when.choice
        return mask
    first, last = when.columns[0], when.columns[-1] + 1
    return np.asarray((choices[:, first:last] == when.choice).any(axis=1))


class Drawer:
    """Fills gaps at random.

    Args:
        points: the root points of a space.
        is_weighted: weigh each candidate by the architectures below it.
    """

    def __init__(self, points: Points, *, is_weighted: bool):
        self._plan = [
            (point, _SlotDraw(point, is_weighted) if isinstance(point, ChoicePoint) else None)
            for point in walk(points)
        ]

    def fill(self, choices: ChoiceArray, floats: FloatArray, rng: np.random.Generator) -> None:
        """Make rows legal in place: clear what is inactive, draw what is active and unset."""
        for point, draw in self._plan:
            active = active_rows(point.when, choices)
            if draw is None:
                assert isinstance(point, FloatPoint)
                _fill_float(point, floats, active, rng)
            else:
                _fill_choice(draw, choices, active, rng)

    def sample(self, choices: ChoiceArray, floats: FloatArray, rng: np.random.Generator) -> None:
        """Fill empty rows in place; the same as ``fill``, without looking for gaps."""
        n = len(choices)
        for point, draw in self._plan:
            active = active_rows(point.when, choices)
            rows: Rows = _EVERY if active is None else np.flatnonzero(active)
            n_rows = n if active is None else len(np.asarray(rows))
            if not n_rows:
                continue
            if draw is None:
                assert isinstance(point, FloatPoint)
                floats[rows, point.column] = _draw_float(point, n_rows, rng)
            else:
                choices[rows, draw.columns] = draw(n_rows, rng)


def _fill_choice(
    draw: _SlotDraw, choices: ChoiceArray, active: npt.NDArray[np.bool_] | None, rng: np.random.Generator
) -> None:
    is_unset = choices[:, draw.first] < 0
    if active is not None:
        choices[~active, draw.columns] = -1
        is_unset &= active
    rows = np.flatnonzero(is_unset)
    if len(rows):
        choices[rows, draw.columns] = draw(len(rows), rng)


def _fill_float(
    point: FloatPoint, floats: FloatArray, active: npt.NDArray[np.bool_] | None, rng: np.random.Generator
) -> None:
    is_unset = np.isnan(floats[:, point.column])
    if active is not None:
        floats[~active, point.column] = np.nan
        is_unset &= active
    rows = np.flatnonzero(is_unset)
    if len(rows):
        floats[rows, point.column] = _draw_float(point, len(rows), rng)


def _draw_float(point: FloatPoint, n: int, rng: np.random.Generator) -> FloatArray:
    unit = rng.random(n)
    if point.scale in (None, "linear"):
        return np.clip(point.low + unit * (point.high - point.low), point.low, point.high)
    return np.array([point.from_unit(u) for u in unit])


class _SlotDraw:
    """Draws the ``k`` slots of one choice point: ``n x k``, or ``n`` for a single slot."""

    def __init__(self, point: ChoicePoint, is_weighted: bool):
        self.first = point.columns[0]
        self.columns = point.columns[0] if point.k == 1 else slice(point.columns[0], point.columns[-1] + 1)
        self._k, self._m = point.k, point.m
        weights = candidate_counts(point) if is_weighted else (1,) * point.m
        self._is_free = not point.is_distinct and not point.is_sorted
        self._is_equal = len(set(weights)) == 1
        self._is_permuted = point.is_distinct and not point.is_sorted
        self._cumulative = np.cumsum(_fractions(weights))
        self._tables = (
            [] if self._is_free else _sequential_tables(weights, point.k, repeats=not point.is_distinct)
        )

    def __call__(self, n: int, rng: np.random.Generator) -> npt.NDArray[np.integer]:
        if self._is_free:
            return self._free(n if self._k == 1 else (n, self._k), rng)
        chosen = self._sorted(n, rng)
        return rng.permuted(chosen, axis=1) if self._is_permuted else chosen

    def _free(self, shape: int | tuple[int, int], rng: np.random.Generator) -> npt.NDArray[np.integer]:
        if self._is_equal:
            return rng.integers(0, self._m, size=shape, dtype=np.int16)
        drawn = np.searchsorted(self._cumulative, rng.random(shape), side="right")
        return np.minimum(drawn, self._m - 1)

    def _sorted(self, n: int, rng: np.random.Generator) -> ChoiceArray:
        """Draw slot by slot, each by the weight of what the candidates after it still allow."""
        chosen = np.empty((n, self._k), dtype=np.int16)
        state = np.zeros(n, dtype=np.intp)
        for slot, table in enumerate(self._tables):
            unit = rng.random(n)[:, None]
            choice = np.minimum((table[state] <= unit).sum(axis=1), self._m - 1)
            chosen[:, slot] = choice
            state = choice
        return chosen


def _fractions(weights: Sequence[int]) -> FloatArray:
    total = sum(weights)
    return np.array([weight / total for weight in weights])


def _sequential_tables(weights: Sequence[int], k: int, *, repeats: bool) -> list[FloatArray]:
    """For each slot, cumulative probabilities ``m x m``: row = the previous slot's choice.

    The first slot's table has one row. Python's integers are divided only at the end, so that the
    probabilities are right to rounding even where counts do not fit a float.
    """
    m = len(weights)
    suffix = suffix_table(weights, k, repeats=repeats)
    tables = []
    for slot in range(k):
        left = k - slot - 1
        starts = [0] if slot == 0 else [last if repeats else last + 1 for last in range(m)]
        table = np.ones((len(starts), m))
        for row, start in enumerate(starts):
            total = suffix[start][left + 1]
            if not total:
                continue
            running = 0
            for j in range(m):
                if j >= start:
                    running += weights[j] * suffix[j if repeats else j + 1][left]
                table[row, j] = running / total
        tables.append(table)
    return tables
