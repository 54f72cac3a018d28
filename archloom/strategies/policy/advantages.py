# SPDX-License-Identifier: Apache-2.0
"""Trials to numbers of one scale, and how far each is above the average.

Notation: ``n`` trials in the order in which they finished.
"""

from __future__ import annotations

import math
from typing import final

import numpy as np

from archloom.contracts import ChoiceArray, Finished, FloatArray, Objective, State

__all__ = ["Advantages", "standardised"]

LIMIT = 10.0
"""Spreads from the median beyond which a reward is as if it were there."""
HUGE = 1e100
"""What is beyond it is as if it were there, so that nothing overflows."""
NORMAL_QUARTILES = 1.349
"""Distance between the quartiles of a normal distribution of deviation 1."""


def standardised(gains: FloatArray, violations: FloatArray) -> FloatArray:
    """Return ``n`` rewards that do not depend on the metric's unit.

    A feasible trial's reward is its distance from the median in spreads: quartile distance over 1.349, both
    of the distinct values (a policy that has made up its mind repeats itself), at most 10. One that breaks
    a constraint by ``v`` has the worst of these less ``v / (v + median v)``. One that failed has the worst
    of all.

    Args:
        gains: ``n``, higher is better; not finite where a trial failed.
        violations: ``n``, 0 where feasible.

    Example:
        >>> gains = np.array([1.0, 2.0, 3.0, 2.0, np.nan, 9.0])
        >>> standardised(gains, np.array([0, 0, 0, 0, 0, 0.5])).round(2).tolist()
        [-1.35, 0.0, 1.35, 0.0, -1.85, -1.85]
    """
    violations = np.minimum(np.nan_to_num(violations, nan=HUGE), HUGE)
    is_broken = violations > 0
    is_known = np.isfinite(gains) & ~is_broken
    found = np.zeros(len(gains))
    if is_known.any():
        known = np.clip(gains[is_known], -HUGE, HUGE)
        low, median, high = np.quantile(np.unique(known), [0.25, 0.5, 0.75])
        spread = (high - low) / NORMAL_QUARTILES or 1.0
        with np.errstate(over="ignore"):
            found[is_known] = np.clip((known - median) / spread, -LIMIT, LIMIT)
    if is_broken.any():
        broken = violations[is_broken]
        worst = found[is_known].min() if is_known.any() else 0.0
        found[is_broken] = worst - broken / (broken + np.median(broken))
    if (is_rated := is_known | is_broken).any():
        found[~is_rated] = found[is_rated].min()
    return found


@final
class Advantages:
    """All that has finished, and what it was worth.

    Args:
        objective: whose it is.
    """

    def __init__(self, objective: Objective):
        self._sign = objective.sign
        self._parts: list[tuple[ChoiceArray, FloatArray, FloatArray]] = []
        self._n = 0

    def add(self, finished: Finished) -> None:
        """Take in finished trials."""
        has_failed = np.array([state == State.FAIL for state in finished.states], dtype=bool)
        gains = np.where(has_failed, np.nan, -self._sign * finished.values[:, 0])
        self._parts.append((finished.genotypes.choices, gains, finished.violations))
        self._n += len(finished)

    def __len__(self) -> int:
        return self._n

    def rows(self, start: int, stop: int) -> ChoiceArray:
        """Return the rows of some trials, ``(stop - start) x d``."""
        return self._all()[0][start:stop]

    def of(self, start: int, stop: int, decay: float) -> FloatArray:
        """Return how far some trials are above a moving average, ``stop - start``.

        ``A_i = r_i - sum_j w_ij r_j / sum_j w_ij`` with ``w_ij = decay^(i - j)`` for ``j <= i``: trial ``i``
        counts in its own average, so that the first tells nothing. Rewards are standardised by what had
        finished up to ``stop``; nothing that finished later changes them.
        """
        _, gains, violations = self._all()
        rewards = standardised(gains[:stop], violations[:stop])
        first = max(0, start - math.ceil(math.log(1e-9) / math.log(decay)))  # what is older weighs nothing
        age = np.arange(start, stop)[:, None] - np.arange(first, stop)
        weights = np.where(age >= 0, decay ** np.maximum(age, 0), 0.0)
        return np.asarray(rewards[start:] - weights @ rewards[first:] / weights.sum(axis=1))

    def _all(self) -> tuple[ChoiceArray, FloatArray, FloatArray]:
        if len(self._parts) > 1:
            rows, gains, violations = zip(*self._parts, strict=True)
            self._parts = [(np.concatenate(rows), np.concatenate(gains), np.concatenate(violations))]
        return self._parts[0]
