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


def undominated(costs: FloatArray) -> npt.NDArray[np.bool_]:
    """Return which of ``n`` rows no other row dominates (no worse anywhere, better somewhere).

    >>> undominated(np.array([[1.0, 3.0], [2.0, 2.0], [2.0, 3.0]])).tolist()
    [True, True, False]
    """
    return np.asarray(~dominance(costs).any(axis=0))


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
