# SPDX-License-Identifier: Apache-2.0
"""One row, filled from the first decision to the last: the way from a tree's root to a leaf.

A *move* narrows what a decision may still hold to one *group* of its candidates. Where lists are not
bisected each group is one candidate. Where they are, there are two groups, the halves of the list, and
moves go on until one candidate is left. A decision that is inactive, or leaves no choice, takes no move.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Literal, TypeAlias, final

import numpy as np

from archloom.contracts import ChoiceArray
from archloom.search_spaces.filling import Filling
from archloom.search_spaces.points import ChoicePoint, Points, walk

__all__ = ["Bisect", "Descent", "Tracks", "is_ordered"]

Bisect: TypeAlias = Literal["ordered", "never", "always"]


def is_ordered(labels: Sequence[str]) -> bool:
    """Whether candidates are numbers in rising or falling order, so that neighbours are alike.

    >>> is_ordered(["8", "16", "32"]), is_ordered(["8", "32", "16"]), is_ordered(["conv", "pool"])
    (True, False, False)
    """
    try:
        numbers = [float(label) for label in labels]
    except ValueError:
        return False
    pairs = list(pairwise(numbers))
    return all(map(math.isfinite, numbers)) and (all(a < b for a, b in pairs) or all(a > b for a, b in pairs))


@final
class Tracks:
    """What all descents in one space share: its steps, and which decisions are bisected.

    Args:
        filling: the legal steps.
        points: the root points of the space.
        bisect: halve the ``ordered`` lists of candidates (numbers in order), all of them (``always``), or
            none (``never``).
    """

    def __init__(self, filling: Filling, points: Points, bisect: Bisect = "ordered"):
        self.filling = filling
        self.is_bisected = np.zeros(filling.n_columns, dtype=bool)
        for point in walk(points):
            if isinstance(point, ChoicePoint):
                halves = bisect == "always" or (bisect == "ordered" and is_ordered(point.labels))
                self.is_bisected[list(point.columns)] = halves

    def start(self) -> Descent:
        """Return a row with nothing set."""
        return Descent(self)

    def moves(self, row: ChoiceArray) -> Iterator[int]:
        """Yield the moves that lead to a finished row (``d``), the first first."""
        descent = self.start()
        while not descent.is_finished:
            held = int(row[descent.column])
            move = next(i for i, group in enumerate(descent.groups) if held in group)
            yield move
            descent.take(move)


@final
class Descent:
    """A row on its way from nothing to finished.

    Attributes:
        choices: the row as far as it is set, ``1 x d``.
        column: the decision that the next move narrows; ``d`` when the row is finished.
        options: the candidates that it may hold; none when the row is finished.
        groups: the same, by the move that leaves them.
    """

    def __init__(self, tracks: Tracks):
        self._tracks = tracks
        self.choices = tracks.filling.empty(1)
        self.column = -1
        self.options: list[int] = []
        self.groups: list[list[int]] = []
        self._advance()

    @property
    def is_finished(self) -> bool:
        """Whether nothing is left to decide."""
        return not self.options

    def take(self, move: int) -> None:
        """Narrow the decision to one of ``groups``."""
        self._narrow(self.groups[move])

    def choose(self, candidate: int) -> None:
        """Set the decision to one candidate, however many moves that stands for."""
        self._narrow([candidate])

    def _narrow(self, options: list[int]) -> None:
        if len(options) > 1:
            self._offer(options)
        else:
            self.choices[0, self.column] = options[0]
            self._advance()

    def _advance(self) -> None:
        """Go to the next decision that leaves a choice, setting those on the way that leave none."""
        filling = self._tracks.filling
        for column in range(self.column + 1, filling.n_columns):
            options = np.flatnonzero(filling.next(self.choices, column)[0]).tolist()
            if len(options) > 1:
                self.column = column
                self._offer(options)
                return
            if options:
                self.choices[0, column] = options[0]
        self.column, self.options, self.groups = filling.n_columns, [], []

    def _offer(self, options: list[int]) -> None:
        self.options = options
        if self._tracks.is_bisected[self.column]:
            half = (len(options) + 1) // 2
            self.groups = [options[:half], options[half:]]
        else:
            self.groups = [[option] for option in options]
