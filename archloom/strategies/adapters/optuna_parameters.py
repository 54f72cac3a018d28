# SPDX-License-Identifier: Apache-2.0
"""The decisions of a space as Optuna's parameters, both ways.

A decision is one parameter under its own name, categorical over the numbers of its candidates or a float on
its scale, and it is suggested only where it is active: define by run, parents before children. Optuna wants
the same choices under a name each time, and the slots of a group do not have them: so a slot's parameter
ranges over all that it can ever hold, and a suggestion that the slots before it forbid is drawn again among
what they allow. What a sampler learns from is the point that came of it, never the suggestion that failed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias, final

import numpy as np
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution
from optuna.trial import Trial

from archloom.contracts import Genotypes
from archloom.search_spaces.drawing import active_rows
from archloom.search_spaces.points import ChoicePoint, FloatPoint, walk
from archloom.search_spaces.space import SearchSpace
from archloom.strategies.adapters.optuna_memory import Parameters

__all__ = ["Suggester"]


@final
@dataclass(frozen=True)
class _Slot:
    """One column of choices."""

    name: str
    column: int
    distribution: CategoricalDistribution


@final
@dataclass(frozen=True)
class _Number:
    """One column of floats. A scale that is dense at the upper end is suggested mirrored."""

    name: str
    point: FloatPoint
    distribution: FloatDistribution

    def mirrored(self, value: float) -> float:
        """Turn the point's value into the parameter's, or back."""
        if self.point.scale == "rlog":
            value = self.point.high + self.point.low - value
        return min(max(value, self.point.low), self.point.high)


_Column: TypeAlias = _Slot | _Number


@final
class Suggester:
    """Has points of a space suggested by Optuna, and spells points as its parameters.

    Args:
        space: the space.
    """

    def __init__(self, space: SearchSpace):
        self._filling = space.filling
        self._columns: list[_Column] = []
        for point in walk(space.points):
            if isinstance(point, FloatPoint):
                log = FloatDistribution(point.low, point.high, log=point.is_log)
                self._columns.append(_Number(point.name, point, log))
            else:
                self._columns += _slots(point)
        self._n_floats = sum(isinstance(column, _Number) for column in self._columns)

    def parameters(self, row: Genotypes) -> Parameters:
        """Return a ``1 x d`` row as parameters and their distributions, active ones only."""
        choices, floats = row.choices[0].tolist(), row.floats[0].tolist()
        params: dict[str, Any] = {}
        distributions: dict[str, BaseDistribution] = {}
        for column in self._columns:
            if isinstance(column, _Slot):
                if (choice := choices[column.column]) < 0:
                    continue
                params[column.name] = choice
            else:
                if (value := floats[column.point.column]) != value:
                    continue
                params[column.name] = column.mirrored(value)
            distributions[column.name] = column.distribution
        return params, distributions

    def suggest(self, trial: Trial, rng: np.random.Generator) -> Genotypes:
        """Have a ``1 x d`` row suggested.

        Args:
            trial: asks the sampler.
            rng: draws what the slots of a group forbid again.
        """
        row = Genotypes(self._filling.empty(1), np.full((1, self._n_floats), np.nan))
        for column in self._columns:
            if isinstance(column, _Slot):
                self._choose(column, row, trial, rng)
                continue
            active = active_rows(column.point.when, row.choices)
            if active is None or active[0]:
                low, high = column.point.low, column.point.high
                value = trial.suggest_float(column.name, low, high, log=column.point.is_log)
                row.floats[0, column.point.column] = column.mirrored(value)
        return row

    def _choose(self, slot: _Slot, row: Genotypes, trial: Trial, rng: np.random.Generator) -> None:
        legal = self._filling.next(row.choices, slot.column)[0]
        if not legal.any():
            return
        choice: Any = trial.suggest_categorical(slot.name, slot.distribution.choices)
        row.choices[0, slot.column] = choice if legal[choice] else rng.choice(np.flatnonzero(legal))


def _slots(point: ChoicePoint) -> list[_Slot]:
    slots = []
    for i, (name, column) in enumerate(zip(point.names, point.columns, strict=True)):
        # A rising row leaves the last slots the last candidates, and the first slots the first.
        is_rising = point.is_distinct and point.is_sorted
        held = range(i, point.m - point.k + i + 1) if is_rising else range(point.m)
        slots.append(_Slot(name, column, CategoricalDistribution(tuple(held))))
    return slots
