# SPDX-License-Identifier: Apache-2.0
"""What is new in a space: exactly, without counting it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, final

import numpy as np

from archloom.contracts import ChoiceArray, Genotypes
from archloom.search_spaces.filling import Filling

if TYPE_CHECKING:
    from archloom.search_spaces.space import SearchSpace
    from archloom.strategies.tree_search.descent import Descent

__all__ = ["Unseen", "UnseenFloats"]

N_DRAWS = 16


@final
class Unseen:
    """The rows of a space that were not seen yet.

    It keeps *used up* beginnings: the first columns of a row, up to one that is set, below which every row
    has been seen. A seen row is one; a beginning becomes one when all its legal continuations are. So it
    holds hardly more than the rows seen, and it knows of every beginning whether something new lies below.

    Args:
        filling: the legal steps of the space.

    Example:
        >>> import pyglove as pg
        >>> from archloom.search_spaces import SearchSpace
        >>> unseen = Unseen(SearchSpace(pg.List([pg.oneof(["a", "b"]), pg.oneof(["c", "d"])])).filling)
        >>> unseen.add(np.array([0, 0], dtype=np.int16))
        >>> unseen.add(np.array([0, 1], dtype=np.int16))
        >>> unseen.after(np.array([[-1, -1]], dtype=np.int16), 0, [0, 1])
        [1]
    """

    def __init__(self, filling: Filling):
        self._filling = filling
        self._used_up: set[bytes] = set()

    @property
    def is_exhausted(self) -> bool:
        """Whether every row of the space has been seen."""
        return b"" in self._used_up

    def see(self, rows: Genotypes) -> None:
        """See ``n`` rows."""
        for row in rows.choices:
            self.add(row)

    def add(self, row: ChoiceArray) -> None:
        """See a finished row, ``d``."""
        columns = np.flatnonzero(row >= 0).tolist()
        key = _key(row, columns)
        if key in self._used_up:
            return
        self._used_up.add(key)
        beginning = row[None].copy()
        while columns:
            column = columns.pop()
            beginning[0, column:] = -1
            legal = np.flatnonzero(self._filling.next(beginning, column)[0]).tolist()
            if self.after(beginning, column, legal):
                return
            self._used_up.add(_key(row, columns))

    def has_seen(self, row: ChoiceArray) -> bool:
        """Whether a finished row, ``d``, was seen."""
        return _key(row, np.flatnonzero(row >= 0).tolist()) in self._used_up

    def after(self, choices: ChoiceArray, column: int, candidates: list[int]) -> list[int]:
        """Return those of a decision's candidates below which something is new.

        Args:
            choices: the columns before ``column``, ``1 x d``.
            column: the decision.
            candidates: legal ones.
        """
        before = choices[0, :column].tobytes()
        size, order = choices.itemsize, sys.byteorder
        return [c for c in candidates if before + c.to_bytes(size, order) not in self._used_up]

    def finish(self, descent: Descent, rng: np.random.Generator) -> ChoiceArray:
        """Fill the rest of a row, each candidate with something new below it equally likely, ``1 x d``."""
        while not descent.is_finished:
            new = self.after(descent.choices, descent.column, descent.options)
            descent.choose(new[int(rng.integers(len(new)))])
        return descent.choices

    def sample(self, space: SearchSpace, n: int, rng: np.random.Generator) -> Genotypes:
        """Draw ``n`` architectures, each equally likely, and return the new ones among them, each once.

        There may be none, also where something new is left.
        """
        return self.new(space.sample(n, rng))

    def new(self, rows: Genotypes) -> Genotypes:
        """Return those of ``n`` rows that were not seen, each once."""
        return rows[[i for i in rows.firsts().values() if not self.has_seen(rows.choices[i])]]

    def draw(self, space: SearchSpace, descent: Descent, rng: np.random.Generator) -> Genotypes:
        """Draw a new architecture, each equally likely as long as new ones are not rare.

        Args:
            space: the space; something in it is new.
            descent: at its start; for where they are rare.
            rng: where the randomness comes from.
        """
        for _ in range(N_DRAWS):
            found = self.sample(space, 1, rng)
            if len(found):
                return found
        return Genotypes(self.finish(descent, rng), np.empty((1, 0)))


@final
class UnseenFloats:
    """The rows of a space with floats that were not seen yet: it is infinite, so there always are some."""

    is_exhausted = False

    def __init__(self) -> None:
        self._seen: set[bytes] = set()

    def see(self, rows: Genotypes) -> None:
        """See ``n`` rows."""
        self._seen.update(rows.keys())

    def new(self, rows: Genotypes) -> Genotypes:
        """Return those of ``n`` rows that were not seen, each once."""
        return rows[[i for key, i in rows.firsts().items() if key not in self._seen]]

    def sample(self, space: SearchSpace, n: int, rng: np.random.Generator) -> Genotypes:
        """Draw ``n`` architectures and return the new ones among them."""
        return self.new(space.sample(n, rng))

    def draw(self, space: SearchSpace, descent: Descent, rng: np.random.Generator) -> Genotypes:
        """Draw an architecture, a new one unless ``N_DRAWS`` draws in a row have no active float."""
        del descent
        for _ in range(N_DRAWS):
            found = self.sample(space, 1, rng)
            if len(found):
                return found
        return space.sample(1, rng)


def _key(row: ChoiceArray, columns: list[int]) -> bytes:
    return row[: columns[-1] + 1].tobytes() if columns else b""
