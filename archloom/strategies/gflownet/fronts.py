# SPDX-License-Identifier: Apache-2.0
"""How good a set of points is for several objectives: hypervolume, R2, top-K reward, diversity.

Rewards are higher is better, between 0 and 1.

Notation: ``n`` points, ``m`` objectives, ``b`` boxes.
"""

from __future__ import annotations

import itertools
from typing import NamedTuple

import numpy as np

from archloom.contracts import ChoiceArray, FloatArray
from archloom.strategies.selection import undominated

__all__ = ["Boxes", "diversity", "free_boxes", "hypervolume", "improvements", "r2", "top_k"]


class Boxes(NamedTuple):
    """Boxes that share no inner point; an upper edge may be infinite.

    Args:
        lower: ``b x m``.
        upper: ``b x m``.
    """

    lower: FloatArray
    upper: FloatArray


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


def free_boxes(rewards: FloatArray) -> Boxes:
    """Return what lies above 0 and is dominated by none of ``n x m`` rewards, cut into boxes.

    There are up to ``(n + 1) ^ (m - 1)``; meant for few objectives.

    >>> lower, upper = free_boxes(np.array([[0.5, 1.0], [1.0, 0.5]]))
    >>> lower.tolist()
    [[1.0, 0.0], [0.5, 0.5], [0.0, 1.0]]
    >>> upper.tolist()
    [[inf, 0.5], [inf, 1.0], [inf, inf]]
    """
    points = np.maximum(rewards[np.isfinite(rewards).all(axis=1)], 0.0)
    return _cut(points[undominated(-points)])


def _cut(points: FloatArray) -> Boxes:
    if points.shape[1] == 1:
        return Boxes(points.max(axis=0, initial=0.0)[None], np.full((1, 1), np.inf))
    edges = np.append(np.unique(np.append(points[:, -1], 0.0)), np.inf)
    lower, upper = [], []
    for low, high in itertools.pairwise(edges):
        base = points[points[:, -1] >= high, :-1]
        below = _cut(base[undominated(-base)])
        lower.append(np.insert(below.lower, below.lower.shape[1], low, axis=1))
        upper.append(np.insert(below.upper, below.upper.shape[1], high, axis=1))
    return Boxes(np.concatenate(lower), np.concatenate(upper))


def improvements(rewards: FloatArray, boxes: Boxes) -> FloatArray:
    """Return by how much each of ``n`` points alone would raise the hypervolume, exactly.

    Args:
        rewards: ``n x m``.
        boxes: what is free (``free_boxes``).

    Example:
        >>> boxes = free_boxes(np.array([[0.5, 1.0], [1.0, 0.5]]))
        >>> improvements(np.array([[1.0, 1.0], [0.4, 0.4]]), boxes).tolist()
        [0.25, 0.0]
    """
    sides = np.minimum(rewards[:, None, :], boxes.upper) - boxes.lower
    return np.asarray(np.maximum(sides, 0.0).prod(axis=2).sum(axis=1))


def r2(rewards: FloatArray, weights: FloatArray) -> float:
    """Return the R2 indicator, ``mean over weights of min over points of max w (1 - r)``; lower is better.

    The usual normaliser, the number of weights. The code of MOGFN (arXiv:2210.12765) divides the sum by the
    Frobenius norm of the weights, so figures of the two differ by a factor that only depends on the weights.

    Args:
        rewards: ``n x m``.
        weights: ``k x m`` reference weights.
    """
    shortfall = (weights[:, None, :] * (1.0 - rewards)[None, :, :]).max(axis=2)
    return float(shortfall.min(axis=1).mean())


def top_k(log_rewards: FloatArray, k: int = 10) -> float:
    """Return the mean over preferences of the mean reward of the ``k`` best points of each.

    Jain et al., arXiv:2210.12765: there the best 10 of 128 samples for each preference.

    Args:
        log_rewards: ``p x n``, logarithm of the reward (``preferences.log_scalar``) of ``n`` points drawn for
            each of ``p`` preferences.
        k: how many of each count; all where there are fewer.

    Example:
        >>> round(top_k(np.log(np.array([[0.1, 0.9, 0.7], [0.4, 0.2, 0.2]])), 2), 3)
        0.55
    """
    best = np.sort(log_rewards, axis=1)[:, -k:]
    return float(np.exp(best).mean())


def diversity(rows: ChoiceArray) -> float:
    """Return the mean number of decisions in which two of ``n`` rows differ; 0 for fewer than two."""
    n = len(rows)
    if n < 2:
        return 0.0
    differing = (rows[:, None, :] != rows[None, :, :]).sum(axis=2)
    return float(differing.sum() / (n * (n - 1)))
