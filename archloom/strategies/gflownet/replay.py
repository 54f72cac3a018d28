# SPDX-License-Identifier: Apache-2.0
"""Everything measured so far, as a flow learns from it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import final

import numpy as np
import numpy.typing as npt

from archloom.contracts import ChoiceArray, Finished, FloatArray, Objective, State
from archloom.strategies.selection import undominated

__all__ = ["Replay", "best_of", "ranked"]


@final
class Replay:
    """Finished rows with their costs, in the order in which they finished.

    Costs are lower is better. A trial that failed or broke a constraint has no cost that counts: it is worse
    than all others, the more so the more it broke them.

    Args:
        objectives: ``m`` of them.
    """

    def __init__(self, objectives: Sequence[Objective]):
        self._signs = np.array([objective.sign for objective in objectives])
        self._rows: list[ChoiceArray] = []
        self._costs: list[FloatArray] = []
        self._violations: list[FloatArray] = []

    def add(self, finished: Finished) -> None:
        """Take in finished trials."""
        has_failed = np.array([state == State.FAIL for state in finished.states], dtype=bool)
        costs = finished.values * self._signs
        is_unknown = has_failed | ~np.isfinite(costs).all(axis=1)
        violations = np.nan_to_num(finished.violations, nan=np.inf)
        self._rows.append(finished.genotypes.choices)
        self._costs.append(np.where(is_unknown[:, None], np.inf, costs))
        self._violations.append(np.where(is_unknown & (violations == 0), np.inf, violations))

    def __len__(self) -> int:
        return sum(map(len, self._rows))

    def first(self, n: int) -> tuple[ChoiceArray, FloatArray, FloatArray]:
        """Return rows ``n x d``, costs ``n x m`` and violations ``n`` of the first ``n`` to finish."""
        return (
            np.concatenate(self._rows)[:n],
            np.concatenate(self._costs)[:n],
            np.concatenate(self._violations)[:n],
        )


def ranked(costs: FloatArray, violations: FloatArray) -> FloatArray:
    """Return ``n`` numbers that are higher where a trial is better, and equal where two are alike.

    By the first cost among the feasible, by violation among the others, which come below.

    >>> ranked(np.array([[3.0], [1.0], [0.0], [1.0]]), np.array([0.0, 0.0, 2.0, 0.0])).tolist()
    [1.0, 2.0, 0.0, 2.0]
    """
    keys = np.stack([np.where(violations > 0, violations, 0.0), np.where(violations > 0, 0.0, costs[:, 0])])
    _, place = np.unique(keys, axis=1, return_inverse=True)
    return np.asarray(place.max(initial=0) - place.reshape(-1), dtype=float)


def best_of(costs: FloatArray, violations: FloatArray) -> npt.NDArray[np.bool_]:
    """Return which of ``n`` trials are on the Pareto front: of the feasible, or the least infeasible."""
    least = violations.min(initial=np.inf)
    is_best = violations == least
    found = np.zeros(len(costs), dtype=bool)
    found[is_best] = undominated(costs[is_best]) if least == 0 else True
    return found
