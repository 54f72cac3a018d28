# SPDX-License-Identifier: Apache-2.0
"""Mutation, crossover and neighbours on whole batches of genotypes.

Each works in two steps: change the chosen decisions, then let the drawer clear what became inactive
and fill what became active.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from archloom.contracts import ChoiceArray, FloatArray, Genotypes
from archloom.search_spaces.drawing import Drawer
from archloom.search_spaces.points import ChoicePoint, FloatPoint, Points, walk

__all__ = ["Variation"]


class Variation:
    """Changes genotypes of one space, keeping them legal."""

    def __init__(self, points: Points, drawer: Drawer):
        self._points = list(walk(points))
        self._drawer = drawer
        self._choices = [p for p in self._points if isinstance(p, ChoicePoint)]
        self._floats = [p for p in self._points if isinstance(p, FloatPoint)]
        self._owner = {column: point for point in self._choices for column in point.columns}
        mutable = [self._owner[c].is_mutable for c in sorted(self._owner)]
        self._is_mutable = np.array([*mutable, *(p.is_mutable for p in self._floats)], dtype=bool)
        self._n_choices = len(self._owner)
        self._is_plain = not self._floats and all(p.k == 1 and p.when is None for p in self._choices)
        self._sizes = [self._owner[c].m for c in sorted(self._owner)]

    def mutate(self, parents: Genotypes, rng: np.random.Generator) -> Genotypes:
        """Change one active decision of each row to another legal choice.

        Each changeable slot is equally likely, then each of its other candidates. In a distinct choice
        whose order matters a slot may take what another holds: the two trade places. A row without an
        alternative (one architecture in the whole space) comes back as it was.
        """
        if self._is_plain and len(parents) == 1 and self._is_mutable.any():
            return self._mutate_plain(parents, rng)
        choices, floats = parents.choices.copy(), parents.floats.copy()
        site = self._random_site(choices, floats, rng)
        for column in sorted(set(site.tolist()) - {-1}):
            rows = np.flatnonzero(site == column)
            if column < self._n_choices:
                self._change(column, choices, floats, rows, rng)
            else:
                floats[rows, column - self._n_choices] = np.nan
        self._drawer.fill(choices, floats, rng)
        return Genotypes(choices, floats)

    def _mutate_plain(self, parent: Genotypes, rng: np.random.Generator) -> Genotypes:
        """Mutate one row of independent single choices: the same draws, without what they do not need."""
        choices = parent.choices.copy()
        lots = np.where(self._is_mutable, rng.random(self._n_choices), -1.0)
        column = int(lots.argmax())
        size = self._sizes[column]
        choices[0, column] = (choices[0, column] + rng.integers(1, size)) % size
        return Genotypes(choices, parent.floats)

    def crossover(self, a: Genotypes, b: Genotypes, rng: np.random.Generator) -> Genotypes:
        """Take each decision from either parent with equal chance (uniform crossover).

        All slots of one ``manyof`` come from the same parent, so that it stays distinct and sorted.
        Where the parent that was drawn has no value for a decision, the other's is taken.
        """
        choices, floats = a.choices.copy(), a.floats.copy()
        for point in self._choices:
            columns = point.span
            take = (rng.random(len(a)) < 0.5) & (b.choices[:, point.columns[0]] >= 0)
            take |= choices[:, point.columns[0]] < 0
            choices[take, columns] = b.choices[take, columns]
        for decision in self._floats:
            column = decision.column
            take = (rng.random(len(a)) < 0.5) & ~np.isnan(b.floats[:, column])
            take |= np.isnan(floats[:, column])
            floats[take, column] = b.floats[take, column]
        self._drawer.fill(choices, floats, rng)
        return Genotypes(choices, floats)

    def neighbours(self, row: Genotypes, rng: np.random.Generator) -> Genotypes:
        """Return every architecture one changed choice away from a ``1 x d`` row.

        Decisions that open below a changed choice are drawn; floats are left alone.
        """
        made = [self._alternatives(column, row) for column in range(self._n_choices)]
        made = [part for part in made if len(part)]
        if not made:
            return Genotypes(row.choices[:0], row.floats[:0])
        choices = np.concatenate([part.choices for part in made])
        floats = np.concatenate([part.floats for part in made])
        _, first = np.unique(choices, axis=0, return_index=True)
        choices, floats = choices[np.sort(first)], floats[np.sort(first)]
        self._drawer.fill(choices, floats, rng)
        return Genotypes(choices, floats)

    def _random_site(
        self, choices: ChoiceArray, floats: FloatArray, rng: np.random.Generator
    ) -> npt.NDArray[np.intp]:
        """Draw one changeable column a row (floats come after the choices), -1 where there is none."""
        changeable = choices >= 0
        if floats.shape[1]:
            changeable = np.concatenate([changeable, ~np.isnan(floats)], axis=1)
        if not changeable.shape[1]:
            return np.full(len(choices), -1)
        changeable &= self._is_mutable
        lots = np.where(changeable, rng.random(changeable.shape), -1.0)
        site = lots.argmax(axis=1)
        return np.where(changeable.any(axis=1), site, -1)

    def _change(
        self,
        column: int,
        choices: ChoiceArray,
        floats: FloatArray,
        rows: npt.NDArray[np.intp],
        rng: np.random.Generator,
    ) -> None:
        point = self._owner[column]
        if point.k == 1:
            step = rng.integers(1, point.m, size=len(rows))
            choices[rows, column] = (choices[rows, column] + step) % point.m
            return
        for row in rows:
            options = self._options(point, column, choices[row])
            self._set_slot(point, column, choices, floats, int(row), int(rng.choice(options)))

    def _options(self, point: ChoicePoint, column: int, row: ChoiceArray) -> npt.NDArray[np.intp]:
        """Return the candidates that a slot may change to."""
        held = row[list(point.columns)] if point.is_distinct and point.is_sorted else row[[column]]
        return np.setdiff1d(np.arange(point.m), held)

    def _set_slot(
        self, point: ChoicePoint, column: int, choices: ChoiceArray, floats: FloatArray, row: int, new: int
    ) -> None:
        columns = list(point.columns)
        old = choices[row, column]
        if point.is_distinct and not point.is_sorted:
            # Another slot may hold the new candidate already: the two then trade places.
            holder = [c for c in columns if choices[row, c] == new]
            choices[row, holder] = old
        elif not point.is_distinct:
            _clear_below(point, point.columns.index(column), int(old), choices, floats, row)
        choices[row, column] = new
        if point.is_sorted:
            _sort_slots(point, choices, floats, row)

    def _alternatives(self, column: int, row: Genotypes) -> Genotypes:
        point = self._owner[column]
        if row.choices[0, column] < 0 or not point.is_mutable:
            return Genotypes(row.choices[:0], row.floats[:0])
        options = self._options(point, column, row.choices[0])
        choices = np.repeat(row.choices, len(options), axis=0)
        floats = np.repeat(row.floats, len(options), axis=0)
        for i, new in enumerate(options):
            self._set_slot(point, column, choices, floats, i, int(new))
        return Genotypes(choices, floats)


def _clear_below(
    point: ChoicePoint, slot: int, choice: int, choices: ChoiceArray, floats: FloatArray, row: int
) -> None:
    """Unset what stood below a slot that changes, so that a later owner draws anew."""
    if not point.has_copies:
        return
    for below in walk(point.below(slot, choice)):
        if isinstance(below, ChoicePoint):
            choices[row, list(below.columns)] = -1
        else:
            floats[row, below.column] = np.nan


def _sort_slots(point: ChoicePoint, choices: ChoiceArray, floats: FloatArray, row: int) -> None:
    """Sort the slots of one row; where each slot has decisions of its own, they move along."""
    columns = list(point.columns)
    order = np.argsort(choices[row, columns], kind="stable")
    choices[row, columns] = choices[row, columns][order]
    if not point.has_copies:
        return
    blocks = point.columns_below
    old_choices, old_floats = choices[row].copy(), floats[row].copy()
    for target, source in enumerate(order):
        choices[row, blocks[target][0]] = old_choices[blocks[source][0]]
        floats[row, blocks[target][1]] = old_floats[blocks[source][1]]
