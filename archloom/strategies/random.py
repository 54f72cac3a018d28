# SPDX-License-Identifier: Apache-2.0
"""Random search that never repeats itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Literal, final

from archloom.contracts import Finished, Genotypes, Objective, Strategy
from archloom.seen import Seen

__all__ = ["RandomSearch"]

MAX_REJECTIONS = 64
MAX_LISTED = 1_000_000
BATCH = 4096


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

    def setup(self, space: Any, objectives: Sequence[Objective], seed: int) -> None:
        """Meet the problem; nothing has been proposed yet."""
        super().setup(space, objectives, seed)
        self._seen = Seen()
        self._rest: dict[bytes, Genotypes] | None = None

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
        self._seen = Seen(proposed.keys())

    def _draw(self, proposal: int) -> Genotypes | None:
        size = self.space.size
        if size is not None and len(self._seen) >= size:
            return None
        for attempt in range(MAX_REJECTIONS):
            row = self.space.sample(1, self.rng(proposal, attempt), uniform_over=self._uniform_over)
            if row.keys()[0] not in self._seen:
                return row
        if size is not None and size <= MAX_LISTED:
            return self._draw_from_rest(proposal)
        return self._draw_in_bulk(proposal)

    def _draw_from_rest(self, proposal: int) -> Genotypes:
        """List what is left (once) and draw from it."""
        if self._rest is None:
            everything = self.space.enumerate()
            rows = enumerate(everything.keys())
            self._rest = {key: everything[i] for i, key in rows if key not in self._seen}
        keys = [key for key in self._rest if key not in self._seen]
        return self._rest[keys[int(self.rng(proposal, MAX_REJECTIONS).integers(len(keys)))]]

    def _draw_in_bulk(self, proposal: int) -> Genotypes | None:
        """Draw many at a time; ``None`` where even so nothing new came."""
        for attempt in range(MAX_REJECTIONS, 2 * MAX_REJECTIONS):
            rng = self.rng(proposal, attempt)
            rows = self.space.sample(BATCH, rng, uniform_over=self._uniform_over)
            new = (i for i, key in enumerate(rows.keys()) if key not in self._seen)
            if (first := next(new, None)) is not None:
                return rows[first]
        return None
