# SPDX-License-Identifier: Apache-2.0
"""Exact counting: how many architectures lie below a point, and below each of its candidates.

With ``w_j`` the count below candidate ``j``, a point of ``k`` slots holds

* ``sum w`` to the power ``k`` (free slots),
* ``e_k(w)``, the elementary symmetric polynomial (distinct and sorted),
* ``k! e_k(w)`` (distinct, in any order),
* ``h_k(w)``, the complete homogeneous one (sorted, repeats allowed).

Python's integers keep it exact at any size. A float counts as one.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache

from archloom.search_spaces.points import ChoicePoint, Point, Points

__all__ = ["candidate_counts", "count", "count_points", "suffix_table"]


def count_points(points: Points) -> int:
    """Count the combinations of several points: the product."""
    return math.prod(count(point) for point in points)


@cache
def candidate_counts(point: ChoicePoint) -> tuple[int, ...]:
    """Count the architectures below each candidate of one slot (all slots are alike)."""
    return tuple(count_points(below) for below in point.children[0])


def count(point: Point) -> int:
    """Count the architectures below one point."""
    if not isinstance(point, ChoicePoint):
        return 1
    weights = candidate_counts(point)
    if not point.is_distinct and not point.is_sorted:
        return int(sum(weights) ** point.k)
    sets = suffix_table(weights, point.k, repeats=not point.is_distinct)[0][point.k]
    return sets if point.is_sorted else sets * math.factorial(point.k)


def suffix_table(weights: Sequence[int], k: int, *, repeats: bool) -> list[list[int]]:
    """Tabulate ``T[i][r]``: the total weight of ``r`` sorted choices out of candidates ``i`` and later.

    ``T[i][r] = T[i+1][r] + w_i T[i+1][r-1]``, or ``w_i T[i][r-1]`` where a candidate may repeat.

    >>> suffix_table([1, 1, 1], 2, repeats=False)[0][2], suffix_table([1, 1, 1], 2, repeats=True)[0][2]
    (3, 6)
    """
    m = len(weights)
    table = [[0] * (k + 1) for _ in range(m + 1)]
    for row in table:
        row[0] = 1
    for i in range(m - 1, -1, -1):
        for r in range(1, k + 1):
            table[i][r] = table[i + 1][r] + weights[i] * table[i if repeats else i + 1][r - 1]
    return table
