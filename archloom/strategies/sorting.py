# SPDX-License-Identifier: Apache-2.0
"""Sorting by several objectives: who dominates whom, in which front, and how crowded it is there.

Notation: ``n`` members, ``m`` costs (lower is better). A member dominates another where it breaks the
constraints less; where both break them as much, where it is nowhere worse and somewhere better. A cost or
violation of NaN is as bad as an infinite one.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from archloom.contracts import FloatArray

__all__ = ["crowded_places", "crowding_distances", "dominance", "front_ranks"]

Mask: TypeAlias = npt.NDArray[np.bool_]
Indices: TypeAlias = npt.NDArray[np.intp]


def dominance(costs: FloatArray, violations: FloatArray | None = None) -> Mask:
    """Return who dominates whom, ``n x n``: row ``i`` and column ``j`` say whether ``i`` dominates ``j``.

    The rule is constraint domination. Where two infeasible members break the constraints as much, their
    costs decide. Equal members do not dominate each other.

    Deb, Pratap, Agarwal, Meyarivan: A Fast and Elitist Multiobjective Genetic Algorithm: NSGA-II, IEEE
    Transactions on Evolutionary Computation 6(2), 2002, definition 1.

    Args:
        costs: ``n x m``, lower is better.
        violations: ``n``, up to 0 where feasible; without them all are.

    >>> dominance(np.array([[1.0, 3.0], [2.0, 2.0], [2.0, 3.0]])).astype(int).tolist()
    [[0, 0, 1], [0, 0, 1], [0, 0, 0]]
    >>> dominance(np.array([[1.0], [2.0]]), np.array([0.5, 0.0])).astype(int).tolist()
    [[0, 0], [1, 0]]
    """
    no_worse = np.ones((len(costs), len(costs)), dtype=bool)
    for column in _without_nan(costs).T:
        no_worse &= column[:, None] <= column
    dominates = no_worse & ~no_worse.T
    if violations is None:
        return dominates
    broken = np.maximum(_without_nan(violations), 0.0)
    return np.asarray((broken[:, None] < broken) | ((broken[:, None] == broken) & dominates))


def front_ranks(costs: FloatArray, violations: FloatArray | None = None) -> Indices:
    """Return the front of each member, ``n``, from 0: the fast non-dominated sort of NSGA-II.

    Front 0 is dominated by nobody; front ``k`` by nobody once the fronts before it are taken away. It takes
    time of order ``m n^2`` and ``n^2`` bytes.

    Deb et al. 2002, section III A.

    Args:
        costs: ``n x m``, lower is better.
        violations: ``n``, up to 0 where feasible; without them all are.

    >>> front_ranks(np.array([[1.0, 3.0], [2.0, 2.0], [2.0, 3.0], [2.0, 2.0], [9.0, 9.0]])).tolist()
    [0, 0, 1, 0, 2]
    """
    dominates = dominance(costs, violations)
    n_above = dominates.sum(axis=0)
    ranks = np.full(len(costs), -1, dtype=np.intp)
    front = np.flatnonzero(n_above == 0)
    rank = 0
    while len(front):
        ranks[front] = rank
        n_above[front] = -1  # taken away, and never to come back to 0
        n_above -= dominates[front].sum(axis=0)
        front = np.flatnonzero(n_above == 0)
        rank += 1
    return ranks


def crowding_distances(costs: FloatArray, ranks: Indices) -> FloatArray:
    """Return how far each member's neighbours in its front are from each other, ``n``; more is better.

    ``sum_k (c_k(next) - c_k(previous)) / (max c_k - min c_k)`` over the objectives, with neighbours in the
    order of ``c_k`` and the extremes of the front's finite costs; the first and the last are infinitely
    far. Of equal members the first stands for all, and the others are at distance 0: else the value would
    depend on their order.

    Deb et al. 2002, section III B. Equal members counted once: Fortin, Parizeau: Revisiting the NSGA-II
    Crowding-Distance Computation, GECCO 2013.

    Args:
        costs: ``n x m``, lower is better.
        ranks: ``n``, the front of each.

    >>> front = np.array([[0.0, 4.0], [1.0, 2.0], [1.0, 2.0], [2.0, 1.0], [4.0, 0.0]])
    >>> crowding_distances(front, np.zeros(5, dtype=int)).tolist()
    [inf, 1.25, 0.0, 1.25, inf]
    """
    known = _without_nan(costs) + 0.0  # -0 becomes 0, so that equal rows have equal bytes
    _, first = np.unique(np.column_stack([ranks, known]), axis=0, return_index=True)
    distances = np.zeros(len(costs))
    for column in known.T / 4.0:  # the same distances, and no difference is too large for a float
        order = first[np.lexsort((column[first], ranks[first]))]
        distances[order] += _gaps(column[order], ranks[order])
    return distances


def crowded_places(costs: FloatArray, violations: FloatArray | None = None) -> Indices:
    """Return each member's place by the crowded comparison, ``n``, from 0; equals share a place.

    The lower front comes first; within a front, the greater crowding distance.

    Deb et al. 2002, section III B.

    Args:
        costs: ``n x m``, lower is better.
        violations: ``n``, up to 0 where feasible; without them all are.

    >>> crowded_places(np.array([[0.0, 4.0], [1.0, 2.0], [4.0, 0.0], [5.0, 5.0]])).tolist()
    [0, 1, 0, 2]
    """
    ranks = front_ranks(costs, violations)
    distances = crowding_distances(costs, ranks)
    order = np.lexsort((-distances, ranks))
    is_next = (np.diff(ranks[order]) != 0) | (distances[order][1:] != distances[order][:-1])
    places = np.empty(len(costs), dtype=np.intp)
    places[order] = np.concatenate([[0], np.cumsum(is_next)])[: len(costs)]
    return places


def _gaps(costs: FloatArray, ranks: Indices) -> FloatArray:
    """Return the share of one objective in the distances of ``n`` members sorted by front and cost."""
    is_edge = np.ones(len(costs), dtype=bool)
    is_edge[1:-1] = (ranks[:-2] != ranks[1:-1]) | (ranks[2:] != ranks[1:-1])
    inner = np.flatnonzero(~is_edge)
    gaps = np.full(len(costs), np.inf)
    with np.errstate(invalid="ignore"):  # infinite less infinite: no gap at all
        gaps[inner] = np.nan_to_num(costs[inner + 1] - costs[inner - 1], nan=0.0, posinf=np.inf)
    spans = _spans(costs, ranks)[inner]
    gaps[inner] = np.divide(gaps[inner], spans, out=np.zeros(len(inner)), where=spans > 0)
    return gaps


def _spans(costs: FloatArray, ranks: Indices) -> FloatArray:
    """Return the extent of each member's front by its finite costs, ``n``; 1 where there are none."""
    is_finite = np.isfinite(costs)
    starts = np.flatnonzero(np.diff(ranks, prepend=-1))
    lowest = np.minimum.reduceat(np.where(is_finite, costs, np.inf), starts)
    highest = np.maximum.reduceat(np.where(is_finite, costs, -np.inf), starts)
    spans = np.where(lowest <= highest, highest - lowest, 1.0)
    return np.asarray(np.repeat(spans, np.diff(starts, append=len(costs))))


def _without_nan(values: FloatArray) -> FloatArray:
    return np.where(np.isnan(values), np.inf, values)
