# SPDX-License-Identifier: Apache-2.0
"""Finished trials as rewards: one number each, higher is better, whatever the scale of their metric."""

from __future__ import annotations

from typing import Literal, TypeAlias, final

import numpy as np
import numpy.typing as npt

from archloom.contracts import Finished, FloatArray, Objective, State
from archloom.errors import ConfigError

__all__ = ["Outcomes", "Reward", "check_reward", "in_range", "ranks"]

Reward: TypeAlias = Literal["rank", "range", "value"]


@final
class Outcomes:
    """The finished trials of a study, in the order in which they finished.

    ``rank`` is the share of the others that a trial beats, equals counting one half: no outlier and no
    monotone change of the metric moves it, and it is spread evenly over ``[0, 1]`` at every moment of a
    search. Trials that break a constraint come below all others, the more so the more they break it.

    ``range`` is the value between the worst (0) and the best (1) seen; ``value`` is the value itself, its
    sign changed where it is minimised. With these two a trial that breaks a constraint counts as the worst
    value seen.

    With all three a failed trial, or one without a finite value, counts as the worst seen.

    Args:
        objective: what is optimised.
        reward: one of the three.
    """

    def __init__(self, objective: Objective, reward: Reward):
        self._sign, self._reward = objective.sign, reward
        self._costs: list[float] = []
        self._violations: list[float] = []

    def __len__(self) -> int:
        return len(self._costs)

    def add(self, finished: Finished) -> None:
        """Take in finished trials."""
        failed = np.array([state == State.FAIL for state in finished.states], dtype=bool)
        violations = np.nan_to_num(finished.violations, nan=np.inf)
        costs = np.where(violations > 0, 0.0, finished.values[:, 0] * self._sign)
        lost = failed | ~np.isfinite(costs)
        self._costs += np.where(lost, np.inf, costs).tolist()
        self._violations += np.where(lost, np.inf, violations).tolist()

    def rewards(self, n: int | None = None) -> FloatArray:
        """Return the rewards of all trials, or of the first ``n`` as if there were no others."""
        costs, violations = np.array(self._costs[:n]), np.array(self._violations[:n])
        if self._reward == "rank":
            return ranks(violations, costs)
        is_sound = violations == 0
        worst = costs[is_sound].max() if is_sound.any() else 0.0
        values = -np.where(is_sound, costs, worst)
        return in_range(values) if self._reward == "range" else values


def check_reward(word: str) -> None:
    """Refuse what is none of the three.

    Raises:
        ConfigError: another word.
    """
    if word not in ("rank", "range", "value"):
        raise ConfigError(f"reward is rank, range or value, got {word!r}")


def ranks(violations: FloatArray, costs: FloatArray) -> FloatArray:
    """Return the share of the other ``n - 1`` that each of ``n`` trials beats; equals count one half.

    >>> ranks(np.array([0.0, 0.0, 2.0, 0.0]), np.array([3.0, 1.0, 0.0, 1.0])).round(2).tolist()
    [0.33, 0.83, 0.0, 0.83]
    """
    n = len(costs)
    if n < 2:
        return np.full(n, 0.5)
    order = np.lexsort((costs, violations))
    starts = np.ones(n, dtype=bool)
    starts[1:] = (np.diff(_places(costs[order])) != 0) | (np.diff(_places(violations[order])) != 0)
    group = np.cumsum(starts) - 1
    sizes = np.bincount(group)
    n_better = np.cumsum(sizes) - sizes
    shares = np.empty(n)
    shares[order] = (n - 1 - n_better[group] - 0.5 * (sizes[group] - 1)) / (n - 1)
    return shares


def in_range(values: FloatArray) -> FloatArray:
    """Map ``n`` values onto ``[0, 1]``, from the least to the greatest; all to one half where they are equal.

    >>> in_range(np.array([2.0, 4.0, 3.0])).tolist(), in_range(np.array([7.0])).tolist()
    ([0.0, 1.0, 0.5], [0.5])
    """
    low, high = values.min(initial=np.inf), values.max(initial=-np.inf)
    if not low < high:
        return np.full(len(values), 0.5)
    return np.asarray((values - low) / (high - low))


def _places(values: FloatArray) -> npt.NDArray[np.intp]:
    """Return the place of each value among the distinct ones: infinities cannot be subtracted."""
    return np.unique(values, return_inverse=True)[1]
