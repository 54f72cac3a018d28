# SPDX-License-Identifier: Apache-2.0
"""How good a set of points is for several objectives: hypervolume, R2, diversity.

Rewards are higher is better, between 0 and 1.
"""

from __future__ import annotations

import numpy as np

from archloom.contracts import ChoiceArray, FloatArray
from archloom.strategies.selection import undominated

__all__ = ["diversity", "hypervolume", "r2"]


def hypervolume(rewards: FloatArray, reference: FloatArray | None = None) -> float:
    """Return the volume that ``n x m`` rewards dominate above a reference point (0 without), exactly.

    By slices along the last objective; meant for few objectives.

    >>> hypervolume(np.array([[0.5, 1.0], [1.0, 0.5], [0.4, 0.4]]))
    0.75
    """
    m = rewards.shape[1]
    above = rewards - (np.zeros(m) if reference is None else reference)
    above = above[(above > 0).all(axis=1) & np.isfinite(above).all(axis=1)]
    return _volume(above[undominated(-above)]) if len(above) else 0.0


def _volume(points: FloatArray) -> float:
    if points.shape[1] == 1:
        return float(points.max())
    order = points[np.argsort(-points[:, -1], kind="stable")]
    heights = np.append(order[:, -1], 0.0)
    if points.shape[1] == 2:
        widths = np.maximum.accumulate(order[:, 0])
        return float((widths * (heights[:-1] - heights[1:])).sum())
    total = 0.0
    for i in range(len(order)):
        thickness = heights[i] - heights[i + 1]
        if thickness > 0:
            base = order[: i + 1, :-1]
            total += thickness * _volume(base[undominated(-base)])
    return total


def r2(rewards: FloatArray, weights: FloatArray) -> float:
    """Return the R2 indicator, ``mean over weights of min over points of max w (1 - r)``; lower is better.

    Args:
        rewards: ``n x m``.
        weights: ``k x m`` reference weights.
    """
    shortfall = (weights[:, None, :] * (1.0 - rewards)[None, :, :]).max(axis=2)
    return float(shortfall.min(axis=1).mean())


def diversity(rows: ChoiceArray) -> float:
    """Return the mean number of decisions in which two of ``n`` rows differ; 0 for fewer than two."""
    n = len(rows)
    if n < 2:
        return 0.0
    differing = (rows[:, None, :] != rows[None, :, :]).sum(axis=2)
    return float(differing.sum() / (n * (n - 1)))
