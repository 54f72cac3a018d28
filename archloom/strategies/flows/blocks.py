# SPDX-License-Identifier: Apache-2.0
"""Blocks of proposals: one of the outer group each, with a search of the inner group below it."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import final

import numpy as np

from archloom.contracts import Finished, Genotypes, Objective, Strategy
from archloom.search_spaces.parts import Part
from archloom.strategies.flows.diary import Diary, Places, joined, some
from archloom.strategies.flows.worth import Best

__all__ = ["Blocks"]

LAG = 2
"""A block is closed at the latest by a result of so many blocks later."""


@final
class Blocks:
    """The outer strategy of a factorized search.

    Block ``j`` holds the proposals ``j n`` to ``j n + n - 1``: one proposal of the outer strategy, with ``n``
    of an inner one. The outer strategy is told the block's best trial as its own when the block is closed:
    when all its trials have come back, or when the first of the block after next has, whichever is earlier.
    (Under ``duplicates: skip`` some never come back; with many workers the last do so late.) So what it is
    told follows from the order in which trials finish, and resuming is exact.

    Args:
        strategy: the outer one; it is set up here.
        part: the outer group.
        objectives: of the study.
        seed: of the outer strategy.
        n: proposals a block.
        n_blocks: proposals of more blocks than these are not its affair; ``None`` for no end.
    """

    def __init__(
        self,
        strategy: Strategy,
        part: Part,
        objectives: Sequence[Objective],
        seed: int,
        n: int,
        n_blocks: int | None = None,
    ):
        self._strategy, self._part, self._n = strategy, part, n
        self._end = math.inf if n_blocks is None else n * n_blocks
        self._sign = objectives[0].sign
        strategy.setup(part.space, objectives, seed)
        self._bests: dict[int, Best] = {}
        self._n_back: Counter[int] = Counter()
        self._open: list[int] = []

    def ask(self, rng: np.random.Generator) -> Genotypes:
        """Return the next row of the outer group; a random one where its strategy has nothing left.

        Args:
            rng: what that one is drawn from.
        """
        row = self._strategy.ask(1)
        if not len(row):
            row = self._part.space.sample(1, rng)
            self._strategy.n_asked += 1
        return row

    def learn(self, places: Places, finished: Finished) -> None:
        """Take results into account."""
        for closed in self._closed_by(places, finished):
            self._strategy.tell(closed)

    def recover(self, diary: Diary, places: Places, finished: Finished) -> None:
        """Rebuild the state from the whole history.

        Args:
            diary: holds the proposals.
            places: of the results.
            finished: the results, which may be none.
        """
        firsts = [diary.rows[p] for p in sorted(diary.rows) if p < self._end and p % self._n == 0]
        if not firsts:
            return
        told = self._closed_by(places, finished)
        rows = Genotypes.concatenate(firsts)
        none = some(finished, np.zeros(len(finished), dtype=bool))
        proposed = self._part.project(rows)
        self._strategy.recover(proposed, joined(told) if told else replace(none, genotypes=proposed[:0]))

    def best(self, n: int) -> Genotypes:
        """Return the ``n`` best rows of the outer group, by the best trial below each.

        At least one trial is known. Of equals the first block comes first; a row that several blocks tried
        counts once.
        """
        ranked = sorted(self._bests.items(), key=lambda item: (item[1].worth, item[0]))
        rows = [self._part.project(best.result.genotypes) for _, best in ranked if best.result is not None]
        different = {row.keys()[0]: row for row in reversed(rows)}
        kept = [row for row in rows if different[row.keys()[0]] is row]
        return Genotypes.concatenate(kept[:n])

    @property
    def is_known(self) -> bool:
        """Whether anything has come back."""
        return bool(self._bests)

    def _closed_by(self, places: Places, finished: Finished) -> list[Finished]:
        """Take results into account; return what the strategy is to be told, block by block."""
        told: list[Finished] = []
        for i, place in enumerate(places.tolist()):
            if not 0 <= place < self._end:
                continue
            block = place // self._n
            if block not in self._bests:
                self._bests[block] = Best(self._sign)
                self._open.append(block)
            self._bests[block].learn(some(finished, [i]))
            self._n_back[block] += 1
            told += self._close(block)
        return told

    def _close(self, block: int) -> list[Finished]:
        """Close what a result of a block closes."""
        is_full = self._n_back[block] == self._n
        done = [one for one in sorted(self._open) if one <= block - LAG or (one == block and is_full)]
        self._open = [one for one in self._open if one not in done]
        results = [self._bests[one].result for one in done]
        return [replace(r, genotypes=self._part.project(r.genotypes)) for r in results if r is not None]
