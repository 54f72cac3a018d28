# SPDX-License-Identifier: Apache-2.0
"""Grid search: every architecture once, by rank."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, ClassVar, Literal, final

import numpy as np

from archloom.contracts import Finished, FloatArray, Genotypes, Objective, Strategy
from archloom.errors import ConfigError
from archloom.search_spaces.counting import count_points
from archloom.search_spaces.enumeration import unrank
from archloom.search_spaces.points import ChoicePoint, FloatPoint, Point, Points, walk

if TYPE_CHECKING:
    from archloom.search_spaces.space import SearchSpace

__all__ = ["Grid"]

MAX_LEVELS = np.iinfo(np.int16).max
BLOCK = 256
N_ROUNDS = 8


@final
class Grid(Strategy):
    """Propose every architecture once, in a fixed order, and then end.

    The architectures are numbered, and number ``r`` is computed, not listed: a space of 10^18 costs
    nothing. A float decision takes ``n_levels`` values, evenly spread on its scale from the lower bound to
    the upper; where it is inactive it multiplies nothing. In a space with floats the size of the grid is
    ``Grid.size``.

    Args:
        n_levels: values of each float decision, at least 2.
        order: ``shuffled`` is a random permutation fixed by the study's seed, so that a search that ends
            early has seen an even sample; ``lexicographic`` counts up, the last decision fastest.

    Raises:
        ConfigError: too few or too many levels, or another word for the order.

    Example:
        >>> import pyglove as pg
        >>> from archloom.search_spaces import SearchSpace
        >>> space = SearchSpace(pg.Dict(op=pg.oneof(["a", "b"]), lr=pg.floatv(1e-3, 1e-1, scale="log")))
        >>> grid = Grid(n_levels=3, order="lexicographic")
        >>> grid.setup(space, [Objective("score")], seed=0)
        >>> rows = grid.ask(10)
        >>> [space.architecture(rows[i]).text for i in range(4)]
        ['op=a, lr=0.001', 'op=a, lr=0.01', 'op=a, lr=0.1', 'op=b, lr=0.001']
        >>> grid.size, len(rows), len(grid.ask(10))
        (6, 6, 0)
    """

    supports: ClassVar[frozenset[str]] = frozenset({"several_objectives", "constraints", "floats"})

    space: SearchSpace

    def __init__(self, *, n_levels: int = 5, order: Literal["shuffled", "lexicographic"] = "shuffled"):
        if not 2 <= n_levels <= MAX_LEVELS:
            raise ConfigError(f"n_levels is a whole number from 2 to {MAX_LEVELS}, got {n_levels}")
        if order not in ("shuffled", "lexicographic"):
            raise ConfigError(f"order is shuffled or lexicographic, got {order!r}")
        self._n_levels = n_levels
        self._order = order

    def setup(self, space: Any, objectives: Sequence[Objective], seed: int) -> None:
        """Meet the problem; nothing has been proposed yet."""
        super().setup(space, objectives, seed)
        self._floats = [p for p in walk(space.points) if isinstance(p, FloatPoint)]
        self._n_choices = len(space.decisions) - len(self._floats)
        self._points = _levelled(space.points, self._n_choices, self._n_levels)
        self.size = count_points(self._points)
        self._rank = _shuffle(self.size, self.rng(0).bytes(16)) if self._order == "shuffled" else _same
        self._first, self._block = 0, self._at(range(0))
        self._position, self._done = 0, frozenset[bytes]()

    def ask(self, n: int) -> Genotypes:
        """Propose the next ``n`` architectures, or as many as are left."""
        made = [self._at(range(0))]
        while (missing := n - sum(map(len, made))) > 0 and self._position < self.size:
            first, self._position = self._position, min(self._position + missing, self.size)
            rows = self._between(first, self._position)
            new = [i for i, key in enumerate(rows.keys()) if key not in self._done] if self._done else None
            made.append(rows if new is None else rows[new])
        found = Genotypes.concatenate(made)
        self.n_asked += len(found)
        return found

    def recover(self, proposed: Genotypes, finished: Finished) -> None:
        """Leave out what was proposed, by whom and in whatever space: a study may be revised."""
        super().recover(proposed, finished)
        self._position, self._done = 0, frozenset(proposed.keys())

    def _between(self, first: int, last: int) -> Genotypes:
        """Return the proposals ``first`` to ``last - 1``, a block computed ahead for those who ask singly."""
        if not self._first <= first <= last <= self._first + len(self._block):
            self._first = first
            self._block = self._at(range(first, min(max(last, first + BLOCK), self.size)))
        return self._block[first - self._first : last - self._first]

    def _at(self, positions: range) -> Genotypes:
        """Return the architectures at some positions of the order, ``n x d``."""
        if not positions:
            return self.space.sample(0, self.rng(0))
        dtype = np.int64 if self.size < 2**62 else object
        ranks = np.array([self._rank(position) for position in positions], dtype=dtype)
        n_columns = self._n_choices + len(self._floats)
        chosen = unrank(self._points, ranks, n_columns).choices
        floats = np.full((len(ranks), len(self._floats)), np.nan)
        for point in self._floats:
            level = chosen[:, self._n_choices + point.column]
            floats[:, point.column] = np.where(level >= 0, _levels(point, self._n_levels)[level], np.nan)
        return Genotypes(chosen[:, : self._n_choices], floats)


def _levels(point: FloatPoint, n: int) -> FloatArray:
    """Return the values of a float decision: ``n``, or the only one there is."""
    if not point.is_mutable:
        return np.array([point.low])
    values = np.asarray(point.from_unit(np.linspace(0.0, 1.0, n)), dtype=float)
    values[0], values[-1] = point.low, point.high  # to the last bit, whatever the scale
    return values


def _levelled(points: Points, n_choices: int, n: int) -> Points:
    """Replace each float by a choice among its levels, in a column after all others.

    The order is reversed at every depth, since ranks count the first point fastest.
    """

    def levelled(point: Point) -> ChoicePoint:
        if isinstance(point, ChoicePoint):
            below = tuple(tuple(_levelled(c, n_choices, n) for c in slot) for slot in point.children)
            return replace(point, children=below)
        values = _levels(point, n)
        return ChoicePoint(
            path=point.name,
            names=(point.name,),
            columns=(n_choices + point.column,),
            labels=tuple(str(value) for value in values),
            is_distinct=False,
            is_sorted=False,
            children=(((),) * len(values),),
            when=point.when,
            parent=point.parent,
        )

    return tuple(levelled(point) for point in reversed(points))


def _same(position: int) -> int:
    return position


def _shuffle(size: int, key: bytes) -> Callable[[int], int]:
    """Return a pseudo-random permutation of ``0`` to ``size - 1`` that is computed one value at a time.

    A Feistel network permutes the pairs ``(l, r)`` below ``a``, ``a^2 >= size``, by rounds
    ``(l, r) -> (r, l + F(r) mod a)``; a value that falls outside is permuted again until it falls inside
    ("cycle walking": Black and Rogaway, Ciphers with Arbitrary Finite Domains, 2002).

    >>> permuted = _shuffle(1000, b"seed")
    >>> sorted(permuted(i) for i in range(1000)) == list(range(1000))
    True
    """
    a = math.isqrt(max(size - 1, 0)) + 1

    def digest(n_round: int, right: int) -> int:
        return int.from_bytes(blake2b(f"{n_round}:{right}".encode(), key=key, digest_size=64).digest())

    def permuted(value: int) -> int:
        while True:
            left, right = divmod(value, a)
            for n_round in range(N_ROUNDS):
                left, right = right, (left + digest(n_round, right)) % a
            value = left * a + right
            if value < size:
                return value

    return permuted
