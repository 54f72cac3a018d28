# SPDX-License-Identifier: Apache-2.0
"""Every architecture has a rank: from ranks to genotypes, vectorised and exact.

A rank is a number in mixed radix. A product of points splits it by their counts; a choice point finds
the candidate whose block of counts it falls into and hands the rest down. 64-bit integers serve as
long as the space's count fits; beyond that Python's own.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from archloom.contracts import ChoiceArray, Genotypes
from archloom.search_spaces.counting import candidate_counts, count, suffix_table
from archloom.search_spaces.points import ChoicePoint, Points

__all__ = ["unrank"]

Ranks = npt.NDArray[Any]
Rows = npt.NDArray[np.intp]


def unrank(points: Points, ranks: Ranks, n_choices: int) -> Genotypes:
    """Return the architectures of the given ranks, ``n x d``.

    Args:
        points: the root points of a space without floats.
        ranks: ``n`` integers below the space's count (int64, or objects where that is too small).
        n_choices: ``d``.
    """
    choices = np.full((len(ranks), n_choices), -1, dtype=np.int16)
    _split(points, ranks, np.arange(len(ranks)), choices)
    return Genotypes(choices, np.empty((len(ranks), 0)))


def _split(points: Points, ranks: Ranks, rows: Rows, choices: ChoiceArray) -> None:
    for point in points:
        assert isinstance(point, ChoicePoint)
        n = count(point)
        _place(point, ranks % n, rows, choices)
        ranks = ranks // n


def _place(point: ChoicePoint, ranks: Ranks, rows: Rows, choices: ChoiceArray) -> None:
    weights = candidate_counts(point)
    slots = np.empty((len(rows), point.k), dtype=np.int16)
    rests: list[Ranks] = []
    if point.is_distinct or point.is_sorted:
        permutations = math.factorial(point.k) if not point.is_sorted else 1
        order, ranks = ranks % permutations, ranks // permutations
        _sorted_slots(weights, ranks, slots, rests, repeats=not point.is_distinct)
        shuffle = _permutations(order, point.k)
    else:
        for slot in range(point.k):
            rests.append(
                _pick(np.array([0, *_running(weights)], dtype=ranks.dtype), ranks, slots, slot, weights)
            )
            ranks = ranks // sum(weights)
        shuffle = np.tile(np.arange(point.k), (len(rows), 1))
    choices[np.ix_(rows, np.array(point.columns))] = np.take_along_axis(slots, shuffle, axis=1)
    for slot, rest in enumerate(rests):
        for candidate in np.unique(slots[:, slot]):
            below = point.below(slot, int(candidate))
            if below:
                mine = np.flatnonzero(slots[:, slot] == candidate)
                _split(below, rest[mine], rows[mine], choices)


def _running(weights: tuple[int, ...]) -> list[int]:
    return [sum(weights[: i + 1]) for i in range(len(weights))]


def _pick(starts: Ranks, ranks: Ranks, slots: ChoiceArray, slot: int, weights: tuple[int, ...]) -> Ranks:
    """Choose one free slot; return what is left of the rank within the candidate."""
    ranks = ranks % sum(weights)
    chosen = np.searchsorted(starts, ranks, side="right") - 1
    slots[:, slot] = chosen
    return np.asarray(ranks - starts[chosen])


def _sorted_slots(
    weights: tuple[int, ...], ranks: Ranks, slots: ChoiceArray, rests: list[Ranks], *, repeats: bool
) -> None:
    """Choose the slots in rising order, each knowing what the later candidates still allow."""
    m, k = len(weights), slots.shape[1]
    suffix = suffix_table(weights, k, repeats=repeats)
    state = np.zeros(len(ranks), dtype=np.intp)
    for slot in range(k):
        left = k - slot - 1
        after = [suffix[j if repeats else j + 1][left] for j in range(m)]
        tail = [0]
        for j in range(m - 1, -1, -1):
            tail.append(tail[-1] + weights[j] * after[j])
        rising = np.array(tail, dtype=ranks.dtype)  # rising[m - j] = weight of candidate j and later
        left_over = rising[m - state] - ranks
        chosen = m - np.searchsorted(rising, left_over, side="left")
        slots[:, slot] = chosen
        ranks = rising[m - chosen] - left_over
        divisor = np.array(after, dtype=ranks.dtype)[chosen]
        rests.append(ranks // divisor)
        ranks = ranks % divisor
        state = chosen if repeats else chosen + 1


def _permutations(order: Ranks, k: int) -> npt.NDArray[np.intp]:
    """Return the permutations of ``k`` with the given Lehmer ranks, ``n x k``."""
    left = np.tile(np.arange(k), (len(order), 1))
    made = np.empty((len(order), k), dtype=np.intp)
    everyone = np.arange(len(order))
    for slot in range(k):
        radix = math.factorial(k - slot - 1)
        digit = (order // radix).astype(np.intp)
        order = order % radix
        made[:, slot] = left[everyone, digit]
        keep = np.arange(left.shape[1]) != digit[:, None]
        left = left[keep].reshape(len(left), left.shape[1] - 1)
    return made
