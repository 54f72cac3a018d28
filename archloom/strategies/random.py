# SPDX-License-Identifier: Apache-2.0
"""Random search that never repeats itself."""

from __future__ import annotations

from typing import ClassVar, Literal, final

import numpy as np

from archloom.contracts import Finished, Genotypes, Strategy

__all__ = ["RandomSearch"]

MAX_REJECTIONS = 64
MAX_LISTED = 1_000_000


@final
class RandomSearch(Strategy):
    """Draw points at random, each at most once.

    A draw that was proposed before is drawn again. In a finite space that is nearly used up the rest
    is listed and one of it drawn, so that the last point comes as surely as the first; then there is
    nothing left to ask for.

    Args:
        uniform_over: ``architectures`` gives each architecture the same chance, ``decisions`` each
            candidate of a decision.

    Example:
        >>> import pyglove as pg
        >>> from archloom.contracts import Objective
        >>> from archloom.search_spaces import SearchSpace
        >>> strategy = RandomSearch()
        >>> strategy.setup(SearchSpace(pg.oneof(["a", "b", "c"])), [Objective("score")], seed=0)
        >>> [len(strategy.ask(2)) for _ in range(3)]
        [2, 1, 0]
    """

    supports: ClassVar[frozenset[str]] = frozenset({"several_objectives", "constraints", "floats"})

    def __init__(self, *, uniform_over: Literal["architectures", "decisions"] = "architectures"):
        self._uniform_over = uniform_over
        self._seen: set[bytes] = set()

    def ask(self, n: int) -> Genotypes:
        """Propose up to ``n`` new points."""
        made = []
        for _ in range(n):
            row = self._draw(self.n_asked)
            if row is None:
                break
            self._seen.add(row.keys()[0])
            self.n_asked += 1
            made.append(row)
        return Genotypes.concatenate(made) if made else self.space.sample(0, self.rng(self.n_asked))

    def recover(self, proposed: Genotypes, finished: Finished) -> None:
        """Remember what was proposed."""
        super().recover(proposed, finished)
        self._seen = set(proposed.keys())

    def _draw(self, proposal: int) -> Genotypes | None:
        size = self.space.size
        if size is not None and len(self._seen) >= size:
            return None
        for attempt in range(MAX_REJECTIONS):
            row = self.space.sample(1, self.rng(proposal, attempt), uniform_over=self._uniform_over)
            if row.keys()[0] not in self._seen:
                return row
        return self._draw_from_rest(proposal) if size is not None and size <= MAX_LISTED else None

    def _draw_from_rest(self, proposal: int) -> Genotypes:
        everything = self.space.enumerate()
        left = np.array([i for i, key in enumerate(everything.keys()) if key not in self._seen])
        return everything[int(self.rng(proposal, MAX_REJECTIONS).choice(left))]
