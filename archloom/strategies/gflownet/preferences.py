# SPDX-License-Identifier: Apache-2.0
"""Preferences among objectives: drawn, encoded for a network, and turned into one reward.

Jain, Raparthy, Hernandez-Garcia, Rector-Brooks, Bengio, Miret, Bengio: Multi-Objective GFlowNets, ICML 2023,
arXiv:2210.12765. Rewards are between 0 and 1, higher is better; a preference is a point of the simplex.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

import numpy as np

from archloom.contracts import FloatArray
from archloom.errors import ConfigError

__all__ = ["SCALARIZATIONS", "Scalarization", "checked", "draw", "log_scalar", "thermometer"]

Scalarization: TypeAlias = Literal["convex", "log_convex", "tchebycheff"]
SCALARIZATIONS: tuple[Scalarization, ...] = ("convex", "log_convex", "tchebycheff")
FLOOR = 1e-4
"""The least reward: a flow needs positive ones."""


def draw(rngs: list[np.random.Generator], m: int) -> FloatArray:
    """Draw a preference with each generator, uniformly on the simplex, ``n x m``."""
    return np.stack([rng.dirichlet(np.ones(m)) for rng in rngs]) if rngs else np.empty((0, m))


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
