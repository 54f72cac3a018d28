# SPDX-License-Identifier: Apache-2.0
"""Genotypes as feature matrices for predictors."""

from __future__ import annotations

import numpy as np

from archloom.contracts import FloatArray, Genotypes
from archloom.search_spaces.points import ChoicePoint, FloatPoint, Points, walk

__all__ = ["one_hot", "ordinal"]


def one_hot(points: Points, genotypes: Genotypes) -> FloatArray:
    """Encode each slot as ``m`` indicators and each float as its place in its range.

    An inactive slot is all zeros, an inactive float zero. Shape ``n x (sum of m over slots + f)``.
    """
    blocks = []
    for point in walk(points):
        if isinstance(point, ChoicePoint):
            for column in point.columns:
                blocks.append(genotypes.choices[:, column, None] == np.arange(point.m))
    discrete = np.concatenate(blocks, axis=1).astype(float) if blocks else np.zeros((len(genotypes), 0))
    return np.concatenate([discrete, np.nan_to_num(_units(points, genotypes), nan=0.0)], axis=1)


def ordinal(points: Points, genotypes: Genotypes) -> FloatArray:
    """Encode each decision as one number: ``index / (m - 1)``, or a float's place in its range.

    An inactive decision is ``-1``. Shape ``n x (d + f)``.
    """
    scale = [max(p.m - 1, 1) for p in walk(points) if isinstance(p, ChoicePoint) for _ in p.columns]
    choices = genotypes.choices.astype(float)
    discrete = np.where(choices < 0, -1.0, choices / np.array(scale, dtype=float).reshape(1, -1))
    return np.concatenate([discrete, np.nan_to_num(_units(points, genotypes), nan=-1.0)], axis=1)


def _units(points: Points, genotypes: Genotypes) -> FloatArray:
    floats = genotypes.floats.copy()
    for point in walk(points):
        if isinstance(point, FloatPoint):
            column = floats[:, point.column]
            is_set = ~np.isnan(column)
            column[is_set] = point.to_unit(column[is_set])
    return floats
