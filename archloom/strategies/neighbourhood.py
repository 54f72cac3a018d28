# SPDX-License-Identifier: Apache-2.0
"""What lies one small change away from an architecture, floats included."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from archloom.contracts import Genotypes
from archloom.search_spaces.points import FloatPoint, walk

if TYPE_CHECKING:
    from archloom.search_spaces.space import SearchSpace

__all__ = ["neighbourhood"]


def neighbourhood(
    space: SearchSpace, row: Genotypes, rng: np.random.Generator, float_step: float
) -> Genotypes:
    """Return the neighbours of a ``1 x d`` row: every other choice of each decision, two steps of each float.

    Args:
        space: the space.
        row: the architecture.
        rng: draws the decisions that a changed choice opens, and the lengths of the steps.
        float_step: standard deviation of a step, on the unit scale of the float.

    >>> import pyglove as pg
    >>> from archloom.search_spaces import SearchSpace
    >>> space = SearchSpace(pg.Dict(op=pg.oneof(["a", "b", "c"]), lr=pg.floatv(0.1, 0.9)))
    >>> middle = space.from_choices({"op": "a", "lr": 0.5}).genotype
    >>> rows = neighbourhood(space, middle, np.random.default_rng(0), 0.1)
    >>> rows.choices[:, 0].tolist()
    [1, 2, 0, 0]
    >>> rows.floats[:, 0].round(2).tolist()
    [0.5, 0.5, 0.51, 0.49]
    """
    parts = [space.neighbours(row, rng)]
    for point in walk(space.points):
        if isinstance(point, FloatPoint) and point.is_mutable:
            parts.append(_steps(point, row, rng, float_step))
    return Genotypes.concatenate(parts)


def _steps(point: FloatPoint, row: Genotypes, rng: np.random.Generator, float_step: float) -> Genotypes:
    """Return the row with one float moved up and down; none where it is inactive."""
    here = row.floats[0, point.column]
    if np.isnan(here):
        return row[:0]
    up, down = np.abs(rng.normal(0.0, float_step, size=2))
    units = np.clip(point.to_unit(here) + np.array([up, -down]), 0.0, 1.0)
    moved = Genotypes(np.repeat(row.choices, 2, axis=0), np.repeat(row.floats, 2, axis=0))
    moved.floats[:, point.column] = point.from_unit(units)
    return moved
