# SPDX-License-Identifier: Apache-2.0
"""The compiled form of a space: a tree of decision points over columns of two arrays.

A *choice point* is one ``oneof`` or ``manyof``: ``k`` slots (columns) over ``m`` candidates. A *float
point* is one ``floatv``. The sub-decisions of a candidate are points of their own, active only
*when* one of some columns holds that candidate. Points are numbered in depth-first order, so a
parent always comes before its children.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np

__all__ = ["ChoicePoint", "FloatPoint", "Point", "Points", "When", "decision_names", "walk"]


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

    @property
    def is_mutable(self) -> bool:
        """Whether there is another value."""
        return self.low < self.high

    def from_unit(self, unit: Any) -> Any:
        """Map ``[0, 1]`` onto the range, by its scale (PyGlove's ``linear``, ``log`` and ``rlog``)."""
        if not self.is_log:
            return np.clip(self.low + unit * (self.high - self.low), self.low, self.high)
        is_reversed = self.scale == "rlog"
        value = self.low * (self.high / self.low) ** (1.0 - unit if is_reversed else unit)
        return np.clip(self.high + self.low - value if is_reversed else value, self.low, self.high)

    def to_unit(self, value: Any) -> Any:
        """Map the range onto ``[0, 1]``; the inverse of ``from_unit``."""
        if not self.is_mutable:
            return np.zeros_like(value)
        if not self.is_log:
            return (value - self.low) / (self.high - self.low)
        is_reversed = self.scale == "rlog"
        value = self.high + self.low - value if is_reversed else value
        unit = np.log(value / self.low) / np.log(self.high / self.low)
        return 1.0 - unit if is_reversed else unit


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

    @property
    def has_copies(self) -> bool:
        """Whether each slot has decisions of its own below its candidates."""
        return len(self.children) > 1

    @property
    def span(self) -> slice:
        """The columns as a slice."""
        return slice(self.columns[0], self.columns[-1] + 1)

    def below(self, slot: int, choice: int) -> Points:
        """Return the points that slot ``slot`` opens when it holds candidate ``choice``."""
        return self.children[slot if self.has_copies else 0][choice]

    @cached_property
    def columns_below(self) -> tuple[tuple[list[int], list[int]], ...]:
        """For each entry of ``children``, the columns of everything below it: discrete, float."""
        return tuple(_columns(tuple(p for points in slot for p in points)) for slot in self.children)


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


def decision_names(points: Points) -> list[str]:
    """Return the names of all decisions, in depth-first order."""
    return [
        name
        for point in walk(points)
        for name in (point.names if isinstance(point, ChoicePoint) else (point.name,))
    ]


def _columns(points: Points) -> tuple[list[int], list[int]]:
    below = list(walk(points))
    choices = [column for p in below if isinstance(p, ChoicePoint) for column in p.columns]
    return choices, [p.column for p in below if isinstance(p, FloatPoint)]
