# SPDX-License-Identifier: Apache-2.0
"""Preferences among objectives: drawn, encoded for a network, and turned into one reward.

Jain, Raparthy, Hernandez-Garcia, Rector-Brooks, Bengio, Miret, Bengio: Multi-Objective GFlowNets, ICML 2023,
arXiv:2210.12765. Rewards are between 0 and 1, higher is better; a preference is a point of the simplex.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias, final

import numpy as np

from archloom.contracts import FloatArray
from archloom.errors import ConfigError, did_you_mean

__all__ = [
    "SCALARIZATIONS",
    "RankScale",
    "Scalarization",
    "Scale",
    "check_scalarization",
    "checked",
    "draw",
    "log_scalar",
    "thermometer",
]

Scalarization: TypeAlias = Literal["convex", "log_convex", "tchebycheff"]
SCALARIZATIONS: tuple[Scalarization, ...] = ("convex", "log_convex", "tchebycheff")
FLOOR = 1e-4
"""The least reward: a flow needs positive ones."""


@final
@dataclass(frozen=True, eq=False)
class Scale:
    """From costs to rewards: 1 for the least cost of what has finished well, 0 for the greatest.

    Where all costs of an objective are equal, each has reward 1.

    Args:
        low: ``m``, the least costs.
        high: ``m``, the greatest.

    Example:
        >>> costs, violations = np.array([[2.0, 1.0], [4.0, 1.0], [9.0, 9.0]]), np.array([0.0, 0.0, 5.0])
        >>> Scale.over(costs, violations).rewards(np.array([[2.5, 1.0], [9.0, 9.0]])).tolist()
        [[0.75, 1.0], [0.0, 0.0]]
    """

    low: FloatArray
    high: FloatArray

    @staticmethod
    def over(costs: FloatArray, violations: FloatArray) -> Scale:
        """Return the scale of ``n x m`` costs, those passed over whose violation, ``n``, is not 0.

        Without a single one that finished well every reward is 0.
        """
        good = costs[(violations == 0) & np.isfinite(costs).all(axis=1)]
        if not len(good):
            nothing = np.full(costs.shape[1], np.nan)
            return Scale(nothing, nothing)
        return Scale(good.min(axis=0), good.max(axis=0))

    def rewards(self, costs: FloatArray) -> FloatArray:
        """Return ``n x m`` rewards between 0 and 1; 0 for a cost that is not known."""
        is_wide = self.high > self.low
        span = np.where(is_wide, self.high / 2 - self.low / 2, 1.0)  # halves: the ends may be far apart
        known = np.where(np.isfinite(costs), costs, np.inf)
        with np.errstate(invalid="ignore"):
            scaled = np.where(is_wide, (self.high / 2 - known / 2) / span, known <= self.low)
        return np.asarray(np.clip(scaled, 0.0, 1.0))


@final
@dataclass(frozen=True, eq=False)
class RankScale:
    """From costs to rewards: the share of what has finished well that is no better, in each objective.

    So it is the order of the values that counts, and what is good is told apart as finely as what is bad,
    also where a few are far worse than all others.

    Args:
        costs: ``n x m``, each column from low to high.

    Example:
        >>> scale = RankScale.over(np.array([[1.0], [2.0], [3.0], [900.0]]), np.zeros(4))
        >>> scale.rewards(np.array([[1.0], [2.5], [3.0], [999.0]])).tolist()
        [[1.0], [0.5], [0.5], [0.0]]
    """

    costs: FloatArray

    @staticmethod
    def over(costs: FloatArray, violations: FloatArray) -> RankScale:
        """Return the scale of ``n x m`` costs, those passed over whose violation, ``n``, is not 0."""
        good = costs[(violations == 0) & np.isfinite(costs).all(axis=1)]
        return RankScale(np.sort(good, axis=0))

    def rewards(self, costs: FloatArray) -> FloatArray:
        """Return ``n x m`` rewards between 0 and 1; 0 for a cost that is not known."""
        n = len(self.costs)
        known = np.where(np.isfinite(costs), costs, np.inf)
        columns = zip(self.costs.T, known.T, strict=True)
        n_better = np.stack([np.searchsorted(column, given) for column, given in columns], axis=1)
        return np.asarray((n - n_better) / max(n, 1))


def draw(rngs: list[np.random.Generator], m: int) -> FloatArray:
    """Draw a preference with each generator, uniformly on the simplex, ``n x m``."""
    return np.stack([rng.dirichlet(np.ones(m)) for rng in rngs]) if rngs else np.empty((0, m))


def check_scalarization(how: str) -> None:
    """Refuse what is no scalarization.

    Raises:
        ConfigError: there is none of that name, and the nearest.
    """
    if how not in SCALARIZATIONS:
        raise ConfigError(f"there is no scalarization {how!r}{did_you_mean(how, SCALARIZATIONS)}")


def checked(preferences: FloatArray) -> FloatArray:
    """Return preferences, ``n x m``, that sum to 1.

    Raises:
        ConfigError: one is below 0, no number, or all zeros.
    """
    found = np.atleast_2d(np.asarray(preferences, dtype=float))
    if not np.isfinite(found).all() or (found < 0).any() or (found.sum(axis=1) <= 0).any():
        given = np.asarray(preferences).tolist()
        raise ConfigError(f"a preference has numbers of at least 0 that are not all 0, got {given}")
    return np.asarray(found / found.sum(axis=1, keepdims=True))


def thermometer(values: FloatArray, n_bins: int = 50, low: float = 0.0, high: float = 1.0) -> FloatArray:
    """Encode ``n x m`` numbers as ``n x (m * bins)``: bin ``b`` is ``clamp(v - low_b, 0, gap) / gap``.

    >>> thermometer(np.array([[0.5]]), 4).tolist()
    [[1.0, 1.0, 0.0, 0.0]]
    """
    gap = (high - low) / n_bins
    lows = low + gap * np.arange(n_bins)
    filled = np.clip((values[:, :, None] - lows) / gap, 0.0, 1.0)
    return np.asarray(filled.reshape(len(values), -1))


def log_scalar(rewards: FloatArray, preferences: FloatArray, how: Scalarization) -> FloatArray:
    """Return the logarithm of one reward, ``n``.

    ``convex`` is ``sum w r``, which cannot reach concave parts of a front; ``log_convex`` is ``prod r^w``;
    ``tchebycheff`` is ``1 - max w (1 - r)``, large where the worst shortfall is small.

    Args:
        rewards: ``n x m``, between 0 and 1.
        preferences: ``n x m``.
        how: one of the three.
    """
    if how == "convex":
        return np.asarray(np.log(np.maximum((preferences * rewards).sum(axis=1), FLOOR)))
    if how == "log_convex":
        return np.asarray((preferences * np.log(np.maximum(rewards, FLOOR))).sum(axis=1))
    return np.asarray(np.log(np.maximum(1.0 - (preferences * (1.0 - rewards)).max(axis=1), FLOOR)))
