# SPDX-License-Identifier: Apache-2.0
"""What a flow has proposed, and what became of it: all that it remembers.

A result names its genotype, not the proposal that it belongs to: of equal proposals the ``i``-th gets the
``i``-th result. So the place of a result follows from the two orders alone, of proposing and of finishing.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Sequence
from typing import Any, TypeAlias, final

import numpy as np
import numpy.typing as npt

from archloom.contracts import Finished, Genotypes

__all__ = ["ENQUEUED", "Diary", "joined", "some"]

Places: TypeAlias = npt.NDArray[np.int64]
ENQUEUED = -1
"""The place of a result that no proposal has led to, so far."""


def some(finished: Finished, which: Any) -> Finished:
    """Return some of what has finished, by a mask or by indices."""
    indices = np.arange(len(finished))[which]
    return Finished(
        numbers=finished.numbers[indices],
        genotypes=finished.genotypes[indices],
        states=tuple(finished.states[i] for i in indices),
        values=finished.values[indices],
        violations=finished.violations[indices],
        fidelity=tuple(finished.fidelity[i] for i in indices),
    )


def joined(parts: Sequence[Finished]) -> Finished:
    """Return what finished in several parts, at least one, as a whole."""
    return Finished(
        numbers=np.concatenate([part.numbers for part in parts]),
        genotypes=Genotypes.concatenate([part.genotypes for part in parts]),
        states=tuple(state for part in parts for state in part.states),
        values=np.concatenate([part.values for part in parts]),
        violations=np.concatenate([part.violations for part in parts]),
        fidelity=tuple(each for part in parts for each in part.fidelity),
    )


@final
class Diary:
    """Proposals by number, results in the order in which they came.

    Example:
        >>> row = Genotypes(np.zeros((1, 2), dtype=np.int16), np.empty((1, 0)))
        >>> diary = Diary()
        >>> diary.propose(0, row), diary.propose(1, row)
        (True, True)
        >>> [diary.place(row.keys()[0]) for _ in range(3)]
        [0, 1, -1]
        >>> diary.propose(2, row)
        False
    """

    def __init__(self) -> None:
        self.rows: dict[int, Genotypes] = {}
        self._open: dict[bytes, deque[int]] = {}
        self._early: Counter[bytes] = Counter()
        self._results: list[tuple[Places, Finished]] = []

    def propose(self, first: int, rows: Genotypes) -> bool:
        """Note proposals, the first of them by number.

        Returns:
            Whether all are news. One whose result was there before it, as of an enqueued trial, has a place
            for it from now on: what has been learned without that is to be learned anew.
        """
        is_news = True
        for i, key in enumerate(rows.keys()):
            self.rows[first + i] = rows[i]
            if self._early[key]:
                is_news = False
            else:
                self._open.setdefault(key, deque()).append(first + i)
        return is_news

    def place(self, key: bytes) -> int:
        """Return the proposal that a result belongs to, and close it; ``ENQUEUED`` where there is none."""
        waiting = self._open.get(key)
        if not waiting:
            self._early[key] += 1
            return ENQUEUED
        place = waiting.popleft()
        if not waiting:
            del self._open[key]
        return place

    def finish(self, finished: Finished) -> Places:
        """Note results; return the proposal of each."""
        places = np.array(list(map(self.place, finished.genotypes.keys())), dtype=np.int64)
        self._results.append((places, finished))
        return places

    def results(self) -> tuple[Places, Finished] | None:
        """Return all results with their places; ``None`` where there are none."""
        if not self._results:
            return None
        whole = np.concatenate([places for places, _ in self._results])
        self._results = [(whole, joined([part for _, part in self._results]))]
        return self._results[0]
