# SPDX-License-Identifier: Apache-2.0
"""The parts that evolution is made of: tournaments, recombination and mutation of genotypes.

Notation: ``n`` rows, ``d`` discrete decisions, ``f`` floats, ``u`` genes. A *gene* is what a child inherits
as a whole: all slots of one choice, or one float.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias, final

import numpy as np
import numpy.typing as npt

from archloom.contracts import FloatArray, Genotypes
from archloom.errors import ConfigError
from archloom.search_spaces.drawing import Drawer
from archloom.search_spaces.points import ChoicePoint, FloatPoint, walk

if TYPE_CHECKING:
    from archloom.search_spaces.space import SearchSpace

__all__ = ["Operators", "tournament"]

Mask: TypeAlias = npt.NDArray[np.bool_]
Indices: TypeAlias = npt.NDArray[np.intp]

INDEX = 20.0
"""How closely floats stay to their parents, in Deb's experiments."""


def tournament(places: Indices, n: int, rng: np.random.Generator, *, size: int = 2) -> Indices:
    """Return the winners of ``n`` tournaments, ``n`` indices.

    Each draws ``size`` members with replacement; the one in the first place wins, and
    among equals chance decides.

    Args:
        places: the place of each member, lower is better, as ``crowded_places`` gives it.
        n: how many tournaments.
        rng: where the randomness comes from.
        size: members a tournament draws.

    >>> tournament(np.array([2, 0, 1]), 4, np.random.default_rng(0), size=50).tolist()
    [1, 1, 1, 1]
    """
    drawn = rng.integers(0, len(places), size=(n, size))
    return np.asarray(drawn[np.arange(n), places[drawn].argmin(axis=1)])


@final
class Operators:
    """Recombination and mutation in one space, on batches of rows.

    What they return is legal: a decision that has no value after the exchange is drawn, one that is no longer
    active loses its value.

    Args:
        space: the space.

    Example:
        >>> import pyglove as pg
        >>> from archloom.search_spaces import SearchSpace
        >>> space = SearchSpace(pg.List([pg.oneof(["a", "b", "c"]) for _ in range(5)]))
        >>> operators, rng = Operators(space), np.random.default_rng(1)
        >>> mothers, fathers = space.at([0, 0]), space.at([242, 242])
        >>> operators.cut(mothers, fathers, rng, n_cuts=1).choices.tolist()
        [[0, 0, 0, 2, 2], [0, 2, 2, 2, 2]]
        >>> operators.mutate_each(mothers, rng, probability=0.5).choices.tolist()
        [[0, 0, 1, 1, 1], [0, 0, 0, 0, 0]]
    """

    def __init__(self, space: SearchSpace):
        self._space = space
        points = list(walk(space.points))
        owned = [(gene, c) for gene, p in enumerate(points) if isinstance(p, ChoicePoint) for c in p.columns]
        self._floats = [p for p in points if isinstance(p, FloatPoint)]
        self.n_genes = len(points)
        """Number of genes, ``u``."""
        self._gene_of_choice = _in_order(owned)
        self._gene_of_float = _in_order(
            [(gene, p.column) for gene, p in enumerate(points) if isinstance(p, FloatPoint)]
        )
        self._is_mutable = np.array([points[gene].is_mutable for gene in self._gene_of_choice], dtype=bool)
        self._is_mutable_float = np.array(
            [points[gene].is_mutable for gene in self._gene_of_float], dtype=bool
        )
        self._drawer = Drawer(space.points, is_weighted=True)

    # ------------------------------------------------------------------ recombination

    def mix(self, a: Genotypes, b: Genotypes, take: Mask, rng: np.random.Generator) -> Genotypes:
        """Return the rows of ``a`` with some genes of the same rows of ``b``.

        Where the parent that was chosen has no value for a gene, the other's is taken.

        Args:
            a: ``n`` rows.
            b: ``n`` rows.
            take: ``n x u``, which genes come from ``b``.
            rng: draws what neither parent has.
        """
        take_choice, take_float = take[:, self._gene_of_choice], take[:, self._gene_of_float]
        is_from_b = (take_choice & (b.choices >= 0)) | (a.choices < 0)
        choices = np.where(is_from_b, b.choices, a.choices)
        if not self._floats:
            floats = a.floats
        else:
            is_from_b = (take_float & ~np.isnan(b.floats)) | np.isnan(a.floats)
            floats = np.where(is_from_b, b.floats, a.floats)
        self._drawer.fill(choices, floats, rng)
        return Genotypes(choices, floats)

    def uniform(
        self, a: Genotypes, b: Genotypes, rng: np.random.Generator, *, share: float = 0.5
    ) -> Genotypes:
        """Take each gene from ``b`` with probability ``share``, from ``a`` otherwise.

        Syswerda: Uniform Crossover in Genetic Algorithms, ICGA 1989.
        """
        return self.mix(a, b, rng.random((len(a), self.n_genes)) < share, rng)

    def cut(self, a: Genotypes, b: Genotypes, rng: np.random.Generator, *, n_cuts: int = 2) -> Genotypes:
        """Cut the line of genes at ``n_cuts`` random places and take the pieces from ``a`` and ``b`` in turn.

        Genes stand in the order of the space, what a choice opens right after it. Where there are fewer
        places than cuts, each is a cut.

        Holland: Adaptation in Natural and Artificial Systems, 1975 (one point); De Jong: An Analysis of the
        Behavior of a Class of Genetic Adaptive Systems, 1975 (several).

        Raises:
            ConfigError: no cut.
        """
        if n_cuts < 1:
            raise ConfigError(f"n_cuts is a whole number of at least 1, got {n_cuts}")
        lots = rng.random((len(a), max(0, self.n_genes - 1)))
        is_cut = np.zeros((len(a), self.n_genes), dtype=bool)
        is_cut[:, 1:] = lots.argsort(axis=1).argsort(axis=1) < n_cuts
        return self.mix(a, b, is_cut.cumsum(axis=1) % 2 == 1, rng)

    def blend(
        self, a: Genotypes, b: Genotypes, rng: np.random.Generator, *, index: float = INDEX
    ) -> tuple[Genotypes, Genotypes]:
        """Return both parents with their floats moved together or apart: simulated binary crossover.

        On the float's own scale ``a' = ((1 + t) a + (1 - t) b) / 2`` and ``b'`` alike, held inside the range,
        with ``t`` distributed around 1, more closely the greater ``index`` is. Choices stay; so does a float
        that only one parent has.

        Deb, Agrawal: Simulated Binary Crossover for Continuous Search Space, Complex Systems 9, 1995.
        """
        if not self._floats:
            return a, b
        lots = rng.random(a.floats.shape)
        spread = np.where(lots <= 0.5, 2 * lots, 0.5 / (1 - lots)) ** (1 / (index + 1))
        first, second = self._to_unit(a.floats), self._to_unit(b.floats)
        middle, half = (first + second) / 2, spread * (first - second) / 2
        moved_a, moved_b = self._from_unit(middle + half), self._from_unit(middle - half)
        is_both = ~np.isnan(a.floats) & ~np.isnan(b.floats)
        return (
            Genotypes(a.choices, np.where(is_both, moved_a, a.floats)),
            Genotypes(b.choices, np.where(is_both, moved_b, b.floats)),
        )

    # ------------------------------------------------------------------ mutation

    def mutate_one(
        self, rows: Genotypes, rng: np.random.Generator, *, index: float | None = INDEX
    ) -> Genotypes:
        """Change one active decision of each row: a choice to another candidate, a float by a step.

        A float's step is polynomial mutation, on the float's own scale and inside its range, the shorter the
        greater ``index`` is; with ``None`` the float is drawn anew.

        Deb, Goyal: A Combined Genetic Adaptive Search (GeneAS) for Engineering Design, Computer Science and
        Informatics 26, 1996.
        """
        made = self._space.mutate(rows, rng)
        if index is None or not self._floats:
            return made
        # A row with the same choices can only have had a float changed.
        is_same = (made.choices == rows.choices).all(axis=1)[:, None]
        is_moved = is_same & (made.floats != rows.floats) & ~np.isnan(rows.floats)
        stepped = self._from_unit(_stepped(self._to_unit(rows.floats), rng.random(rows.floats.shape), index))
        return Genotypes(made.choices, np.where(is_moved, stepped, made.floats))

    def mutate_each(
        self,
        rows: Genotypes,
        rng: np.random.Generator,
        *,
        probability: float | None = None,
        index: float | None = INDEX,
    ) -> Genotypes:
        """Change each active decision with a probability; on average one where none is given.

        With ``t`` active decisions that have an alternative, ``Binomial(t, probability)`` changes are made,
        one after the other and each by ``mutate_one``. So a row may come back as it was, and now and then
        one decision is changed twice.

        Args:
            rows: ``n`` rows.
            rng: where the randomness comes from.
            probability: ``1 / t`` where it is ``None``.
            index: as for ``mutate_one``.
        """
        n_left = self._n_changes(rows, rng, probability)
        while n_left.any():
            if n_left.all():
                rows = self.mutate_one(rows, rng, index=index)
            else:
                rows = self._mutate_some(rows, np.flatnonzero(n_left), rng, index)
            n_left = np.maximum(n_left - 1, 0)
        return rows

    def _n_changes(
        self, rows: Genotypes, rng: np.random.Generator, probability: float | None
    ) -> npt.NDArray[np.int64]:
        n_active = ((rows.choices >= 0) & self._is_mutable).sum(axis=1)
        if self._floats:
            n_active = n_active + (~np.isnan(rows.floats) & self._is_mutable_float).sum(axis=1)
        chance = 1 / np.maximum(n_active, 1) if probability is None else probability
        return np.asarray(rng.binomial(n_active, chance))

    def _mutate_some(
        self, rows: Genotypes, places: Indices, rng: np.random.Generator, index: float | None
    ) -> Genotypes:
        """Return the rows with those at some places mutated."""
        made = self.mutate_one(rows[places], rng, index=index)
        choices, floats = rows.choices.copy(), rows.floats.copy()
        choices[places], floats[places] = made.choices, made.floats
        return Genotypes(choices, floats)

    # ------------------------------------------------------------------ floats

    def _to_unit(self, floats: FloatArray) -> FloatArray:
        units = np.empty_like(floats)
        for point in self._floats:
            units[:, point.column] = np.clip(point.to_unit(floats[:, point.column]), 0.0, 1.0)
        return units

    def _from_unit(self, units: FloatArray) -> FloatArray:
        floats = np.empty_like(units)
        for point in self._floats:
            floats[:, point.column] = point.from_unit(np.clip(units[:, point.column], 0.0, 1.0))
        return floats


def _stepped(units: FloatArray, lots: FloatArray, index: float) -> FloatArray:
    """Return values of ``[0, 1]`` after polynomial mutation: below a lot of one half down, above it up."""
    power = index + 1
    down = (2 * lots + (1 - 2 * lots) * (1 - units) ** power) ** (1 / power) - 1
    up = 1 - (2 * (1 - lots) + (2 * lots - 1) * units**power) ** (1 / power)
    return np.asarray(units + np.where(lots < 0.5, down, up))


def _in_order(owned: list[tuple[int, int]]) -> Indices:
    """Return the gene of each column, from (gene, column)."""
    return np.array([gene for gene, _ in sorted(owned, key=lambda pair: pair[1])], dtype=np.intp)
