# SPDX-License-Identifier: Apache-2.0
"""The compiled form of a space: a tree of decision points over columns of two arrays.

A *choice point* is one ``oneof`` or ``manyof``: ``k`` slots (columns) over ``m`` candidates. A *float
point* is one ``floatv``. The sub-decisions of a candidate are points of their own, active only
*when* one of some columns holds that candidate. Points are numbered in depth-first order, so a
parent always comes before its children.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

__all__ = ["ChoicePoint", "FloatPoint", "Point", "Points", "When", "walk"]


@dataclass(frozen=True)
class When:
    """The condition of a sub-decision: any of ``columns`` holds candidate ``choice``."""

    columns: tuple[int, ...]
    choice: int


@dataclass(frozen=True)
class FloatPoint:
    """A number between ``low`` and ``high``, in column ``column`` of the floats."""

    name: str
    column: int
    low: float
    high: float
    scale: str | None
    when: When | None
    parent: tuple[str, str] | None

    @property
    def is_log(self) -> bool:
        """Whether equal ratios, not equal differences, are equally likely."""
        return self.scale in ("log", "rlog")

    def from_unit(self, unit: float) -> float:
        """Map ``[0, 1]`` onto the range, by its scale (PyGlove's ``linear``, ``log`` and ``rlog``)."""
        if not self.is_log:
            return min(max(self.low + unit * (self.high - self.low), self.low), self.high)
        unit = 1.0 - unit if self.scale == "rlog" else unit
        value = math.exp(math.log(self.low) + unit * (math.log(self.high) - math.log(self.low)))
        value = self.high + self.low - value if self.scale == "rlog" else value
        return min(max(value, self.low), self.high)

    def to_unit(self, value: float) -> float:
        """Map the range onto ``[0, 1]``; the inverse of ``from_unit``."""
        if self.high == self.low:
            return 0.0
        if not self.is_log:
            return (value - self.low) / (self.high - self.low)
        value = self.high + self.low - value if self.scale == "rlog" else value
        unit = math.log(value / self.low) / math.log(self.high / self.low)
        return 1.0 - unit if self.scale == "rlog" else unit


@dataclass(frozen=True)
class ChoicePoint:
    """``k`` slots, each holding one of ``m`` candidates.

    Args:
        path: the point's own name; also its only slot's, for a ``oneof``.
        names: the ``k`` decision names.
        columns: the ``k`` columns, side by side.
        labels: the ``m`` candidate labels.
        is_distinct: no two slots hold the same candidate.
        is_sorted: slots hold candidates in rising order.
        children: the points below each candidate. One entry shared by all slots; or one entry a
            slot, where a candidate may be chosen twice and decides anew each time.
        when: what makes the point active, ``None`` for always.
        parent: path and label of that condition, for people.
    """

    path: str
    names: tuple[str, ...]
    columns: tuple[int, ...]
    labels: tuple[str, ...]
    is_distinct: bool
    is_sorted: bool
    children: tuple[tuple[Points, ...], ...]
    when: When | None
    parent: tuple[str, str] | None

    @property
    def k(self) -> int:
        """Number of slots."""
        return len(self.columns)

    @property
    def m(self) -> int:
        """Number of candidates."""
        return len(self.labels)

    @property
    def is_mutable(self) -> bool:
        """Whether any other choice is legal: a sorted distinct choice of all has only one form."""
        return self.m > 1 and not (self.is_distinct and self.is_sorted and self.k == self.m)

    def below(self, slot: int, choice: int) -> Points:
        """Return the points that slot ``slot`` opens when it holds candidate ``choice``."""
        return self.children[slot if len(self.children) > 1 else 0][choice]


Point: TypeAlias = ChoicePoint | FloatPoint
Points: TypeAlias = tuple[Point, ...]


def walk(points: Points) -> Iterator[Point]:
    """Yield all points in depth-first order, parents before children."""
    for point in points:
        yield point
        if isinstance(point, ChoicePoint):
            for slot in point.children:
                for candidate in slot:
                    yield from walk(candidate)
