# SPDX-License-Identifier: Apache-2.0
"""Selection: the part of an evolutionary strategy that compares members.

Notation: ``n`` members, ``m`` costs (lower is better).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from archloom.contracts import FloatArray
from archloom.strategies.sorting import dominance

__all__ = ["by_fronts", "fittest", "undominated"]

AT_ONCE = 512
"""Up to so many members everyone is compared with everyone, all at once."""


def undominated(costs: FloatArray) -> npt.NDArray[np.bool_]:
    """Return which of ``n`` rows no other row dominates (no worse anywhere, better somewhere).

    >>> undominated(np.array([[1.0, 3.0], [2.0, 2.0], [2.0, 3.0]])).tolist()
    [True, True, False]
    """
    if len(costs) <= AT_ONCE:
        return np.asarray(~dominance(costs).any(axis=0))
    found = np.zeros(len(costs), dtype=bool)
    known = np.where(np.isnan(costs), np.inf, costs)
    front = known[:0]
    for i in np.lexsort(known.T[::-1]):  # in this order nothing is dominated by what comes after it
        row = known[i]
        if not ((front <= row).all(axis=1) & (front < row).any(axis=1)).any():
            found[i] = True
            front = np.concatenate([front, row[None]])
    return found


def by_fronts(costs: FloatArray, violations: FloatArray, n: int) -> npt.NDArray[np.intp]:
    """Return the ``n`` fittest of all members, front by front, in memory that grows with the members only.

    The order is that of ``sorting.front_ranks``, equals as they came; what comes after the ``n``-th is not
    looked for.

    >>> costs = np.array([[9.0, 9.0], [2.0, 3.0], [1.0, 3.0], [2.0, 2.0]])
    >>> by_fronts(costs, np.zeros(4), 3).tolist(), by_fronts(costs, np.array([0.0, 0, 2, 1]), 3).tolist()
    ([2, 3, 1], [1, 0, 3])
    """
    broken = np.maximum(np.where(np.isnan(violations), np.inf, violations), 0.0)
    if costs.shape[1] == 1:
        return np.lexsort((np.where(np.isnan(costs[:, 0]), np.inf, costs[:, 0]), broken))[:n]
    found, n_found = list[npt.NDArray[np.intp]](), 0
    for level in np.unique(broken):
        left = np.flatnonzero(broken == level)
        while len(left) and n_found < n:
            is_front = undominated(costs[left])
            found.append(left[is_front])
            n_found, left = n_found + len(found[-1]), left[~is_front]
        if n_found >= n:
            break
    return np.concatenate([np.empty(0, dtype=np.intp), *found])[:n]


def fittest(costs: FloatArray, violations: FloatArray, rng: np.random.Generator) -> int:
    """Return the index of the fittest of ``n`` members.

    Constraint domination (Deb 2000): the least violation comes first; among equals of it, a member
    that no other dominates; among those, chance.

    Args:
        costs: ``n x m``, lower is better.
        violations: ``n``, 0 where feasible.
        rng: breaks ties.
    """
    if costs.shape[1] == 1:  # a few numbers: Python's own are the quickest
        keys = list(zip(violations.tolist(), costs[:, 0].tolist(), strict=True))
        best = min(keys)
        candidates = [i for i, key in enumerate(keys) if key == best]
    else:
        least = np.flatnonzero(violations == violations.min())
        candidates = least[undominated(costs[least])].tolist()
    return candidates[0] if len(candidates) == 1 else int(rng.choice(candidates))
