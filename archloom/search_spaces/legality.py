# SPDX-License-Identifier: Apache-2.0
"""Which rows are points of a space: in range, distinct, sorted, and unset where inactive."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from archloom.contracts import ChoiceArray, Genotypes
from archloom.search_spaces.drawing import active_rows
from archloom.search_spaces.points import ChoicePoint, FloatPoint, Points, walk

__all__ = ["legal_rows"]


def legal_rows(points: Points, genotypes: Genotypes) -> npt.NDArray[np.bool_]:
    """Return which of ``n`` rows are points of the space."""
    choices, floats = genotypes.choices, genotypes.floats
    legal = np.ones(len(choices), dtype=bool)
    for point in walk(points):
        mask = active_rows(point.when, choices)
        active = np.ones(len(choices), dtype=bool) if mask is None else mask
        if isinstance(point, FloatPoint):
            values = floats[:, point.column]
            inside = (values >= point.low) & (values <= point.high)
            legal &= np.where(active, inside, np.isnan(values))
        else:
            legal &= np.where(active, _slots_legal(point, choices), _slots_unset(point, choices))
    return legal


def _slots_unset(point: ChoicePoint, choices: ChoiceArray) -> npt.NDArray[np.bool_]:
    return np.asarray((choices[:, list(point.columns)] == -1).all(axis=1))


def _slots_legal(point: ChoicePoint, choices: ChoiceArray) -> npt.NDArray[np.bool_]:
    slots = choices[:, list(point.columns)]
    legal = ((slots >= 0) & (slots < point.m)).all(axis=1)
    if point.is_sorted:
        legal &= (np.diff(slots, axis=1) >= (1 if point.is_distinct else 0)).all(axis=1)
    elif point.is_distinct:
        legal &= (np.diff(np.sort(slots, axis=1), axis=1) > 0).all(axis=1)
    return np.asarray(legal)
