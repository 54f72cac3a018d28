# SPDX-License-Identifier: Apache-2.0
"""A strategy at work on a part of the space, the rest held."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, TypeAlias, final

import numpy as np
import numpy.typing as npt

from archloom.contracts import Finished, Genotypes, Objective, Strategy
from archloom.strategies.flows.diary import Diary, Places, some

__all__ = ["Nested", "derived_seed"]

Mask: TypeAlias = npt.NDArray[np.bool_]
Change: TypeAlias = Callable[[Genotypes], Genotypes]

FILL = 2
"""The attempt number under which rows are drawn where a nested strategy has nothing left to propose."""


def derived_seed(seed: int, *of: int) -> int:
    """Return the seed of a nested strategy.

    >>> derived_seed(0, 1) == derived_seed(0, 1), derived_seed(0, 1) == derived_seed(0, 2)
    (True, False)
    """
    return int(np.random.SeedSequence((seed, *of)).generate_state(1, np.uint64)[0] >> np.uint64(1))


@final
class Nested:
    """A strategy that searches a space of its own and is told what concerns it.

    Args:
        strategy: is set up here.
        space: its space.
        project: from rows of the whole to rows of that space.
        merge: and back.
        concerns: which results it learns from: those of some proposals, given by their places and rows.
    """

    def __init__(
        self,
        strategy: Strategy,
        space: Any,
        project: Change,
        merge: Change,
        concerns: Callable[[Places, Genotypes], Mask],
    ):
        self._strategy, self._space = strategy, space
        self._project, self._merge, self._concerns = project, merge, concerns
        self._is_idle = space.size == 1

    def start(self, objectives: Sequence[Objective], seed: int, diary: Diary) -> None:
        """Set the strategy up, and have it recover from what concerns it."""
        if self._is_idle:
            return
        self._strategy.setup(self._space, objectives, seed)
        if not diary.rows:
            return
        places = np.fromiter(diary.rows, dtype=np.int64)
        rows = Genotypes.concatenate(list(diary.rows.values()))
        mine = rows[self._concerns(places, rows)]
        results = diary.results()
        if len(mine):
            told = some(results[1], self._mask(results)) if results else _nothing(rows, objectives)
            self._strategy.recover(self._project(mine), self._seen(told))

    def ask(self, n: int, fill: Callable[[int], np.random.Generator], first: int) -> Genotypes:
        """Return up to ``n`` rows of the whole, at least one.

        A strategy that has nothing left is passed over, and a row drawn at random; where there is one point
        only it is not even asked.

        Args:
            n: at least one.
            fill: from a proposal's number to what it draws from.
            first: the number of the first proposal.
        """
        if self._is_idle:
            return self._merge(self._space.sample(n, fill(first)))
        rows = self._strategy.ask(n)
        if not len(rows):
            rows = self._space.sample(1, fill(first))
            self._strategy.n_asked += 1
        return self._merge(rows)

    def tell(self, places: Places, finished: Finished) -> None:
        """Have the strategy learn from what concerns it."""
        if self._is_idle:
            return
        mine = some(finished, self._mask((places, finished)))
        if len(mine):
            self._strategy.tell(self._seen(mine))

    def _mask(self, results: tuple[Places, Finished]) -> Mask:
        places, finished = results
        return (places >= 0) & self._concerns(places, finished.genotypes)

    def _seen(self, finished: Finished) -> Finished:
        return replace(finished, genotypes=self._project(finished.genotypes))


def _nothing(rows: Genotypes, objectives: Sequence[Objective]) -> Finished:
    none = np.empty(0)
    return Finished(none.astype(np.int64), rows[:0], (), np.empty((0, len(objectives))), none, ())
