# SPDX-License-Identifier: Apache-2.0
"""Selection: the part of an evolutionary strategy that compares members.

Notation: ``n`` members, ``m`` costs (lower is better).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from archloom.contracts import FloatArray
from archloom.strategies.sorting import dominance

__all__ = ["fittest", "undominated"]

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
