# SPDX-License-Identifier: Apache-2.0
"""Random choices, vectorised: fill every active decision that is not set yet.

Sampling fills empty rows; mutation and crossover leave gaps and have them filled. Notation: ``n``
rows, ``k`` slots, ``m`` candidates. With weights equal to the counts below each candidate the draw is
uniform over architectures; with equal weights, uniform over decisions.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from archloom.contracts import ChoiceArray, FloatArray
from archloom.search_spaces.counting import candidate_counts, suffix_table
from archloom.search_spaces.points import ChoicePoint, FloatPoint, Points, When, walk

__all__ = ["Drawer", "active_rows"]

Mask = npt.NDArray[np.bool_]


def active_rows(when: When | None, choices: ChoiceArray) -> Mask | None:
    """Return which of ``n`` rows meet a condition; ``None`` stands for all."""
    if when is None:
        return None
    if len(when.columns) == 1:
        mask: Mask = choices[:, when.columns[0]] == when.choice
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
            _SlotDraw(point, is_weighted) if isinstance(point, ChoicePoint) else _FloatDraw(point)
            for point in walk(points)
        ]
        # Where nothing is conditional, only what was unset by hand can be missing.
        self._is_flat = all(draw.when is None for draw in self._plan)

    def fill(
        self, choices: ChoiceArray, floats: FloatArray, rng: np.random.Generator, *, is_empty: bool = False
    ) -> None:
        """Make rows legal in place: clear what is inactive, draw what is active and unset.

        Args:
            choices: ``n x d``.
            floats: ``n x f``.
            rng: where the randomness comes from.
            is_empty: nothing is set yet, so that there is nothing to look for.
        """
        if self._is_flat and not is_empty and not ((choices < 0).any() or np.isnan(floats).any()):
            return
        for draw in self._plan:
            target: npt.NDArray[Any] = choices if isinstance(draw, _SlotDraw) else floats
            active = active_rows(draw.when, choices)
            if is_empty and active is None:
                target[:, draw.columns] = draw(len(choices), rng)
                continue
            gaps = active
            if not is_empty:
                gaps = draw.unset(target)
                if active is not None:
                    target[~active, draw.columns] = draw.nothing
                    gaps &= active
            rows = np.flatnonzero(np.asarray(gaps))
            if len(rows):
                target[rows, draw.columns] = draw(len(rows), rng)


class _FloatDraw:
    """Draws one float, uniformly on its scale: ``n``."""

    nothing = np.nan

    def __init__(self, point: FloatPoint):
        self.when, self.columns, self._point = point.when, point.column, point

    def unset(self, floats: npt.NDArray[Any]) -> Mask:
        return np.asarray(np.isnan(floats[:, self.columns]))

    def __call__(self, n: int, rng: np.random.Generator) -> FloatArray:
        return np.asarray(self._point.from_unit(rng.random(n)))


class _SlotDraw:
    """Draws the ``k`` slots of one choice point: ``n x k``, or ``n`` for a single slot."""

    nothing = -1

    def __init__(self, point: ChoicePoint, is_weighted: bool):
        self.when = point.when
        self.columns: int | slice = point.columns[0] if point.k == 1 else point.span
        self._first = point.columns[0]
        self._k, self._m = point.k, point.m
        weights = candidate_counts(point) if is_weighted else (1,) * point.m
        self._is_free = not point.is_distinct and not point.is_sorted
        self._is_equal = len(set(weights)) == 1
        self._is_permuted = point.is_distinct and not point.is_sorted
        self._repeats = not point.is_distinct
        self._cumulative = np.cumsum([weight / sum(weights) for weight in weights])
        self._tails = [] if self._is_free else _tails(weights, point.k, repeats=self._repeats)

    def unset(self, choices: npt.NDArray[Any]) -> Mask:
        return np.asarray(choices[:, self._first] < 0)

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
        """Draw slot by slot, each by the weight of what the candidates after it still allow.

        With ``tail[j]`` the weight of all ways to choose candidate ``j`` or a later one now, the choice
        from ``start`` on is the last ``j`` whose tail is at least a uniform share of ``tail[start]``.
        """
        chosen = np.empty((n, self._k), dtype=np.int16)
        start = np.zeros(n, dtype=np.intp)
        for slot, tail in enumerate(self._tails):
            share = (1.0 - rng.random(n)) * tail[start]
            choice = self._m - np.searchsorted(tail[::-1], share, side="left")
            choice = np.clip(choice, start, self._m - 1)
            chosen[:, slot] = choice
            start = choice if self._repeats else np.minimum(choice + 1, self._m)
        return chosen


def _tails(weights: Sequence[int], k: int, *, repeats: bool) -> list[FloatArray]:
    """For each slot, the weights ``tail[j]`` of choosing candidate ``j`` or later, ``m + 1`` numbers.

    Python's integers are divided only at the end, so that shares are right to rounding even where counts
    do not fit a float.
    """
    suffix = suffix_table(weights, k, repeats=repeats)
    tails = []
    for slot in range(k):
        left = k - slot - 1
        exact = [0]
        for j in range(len(weights) - 1, -1, -1):
            exact.append(exact[-1] + weights[j] * suffix[j if repeats else j + 1][left])
        tails.append(np.array([value / exact[-1] for value in reversed(exact)]))
    return tails
