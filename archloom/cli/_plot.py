# SPDX-License-Identifier: Apache-2.0
"""Points in two dimensions, drawn with characters."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import final

from archloom.cli._words import inert, number

HEIGHT = 14
WIDEST = 76
WIDE_RANGE = 50.0
"""An axis whose largest value is so many times its smallest gets a logarithmic scale."""

Point = tuple[float, float]


@final
@dataclass(frozen=True)
class Axis:
    """One direction of a plot.

    Args:
        low: the value at its start.
        high: the value at its end.
    """

    low: float
    high: float

    @property
    def is_log(self) -> bool:
        """Whether equal steps are equal ratios; never for shares such as an accuracy."""
        return self.low >= 1 and self.high / self.low >= WIDE_RANGE

    def place(self, value: float, n: int) -> int:
        """Return which of ``n`` places a value falls on."""
        if self.high <= self.low:
            return n // 2
        if self.is_log:
            share = math.log(value / self.low) / math.log(self.high / self.low)
        else:
            share = (value - self.low) / (self.high - self.low)
        return min(max(round(share * (n - 1)), 0), n - 1)


def plot(marks: Mapping[str, Sequence[Point]], x: str, y: str, width: int, height: int = HEIGHT) -> list[str]:
    r"""Draw points over two named axes; later marks are drawn over earlier ones.

    >>> print("\n".join(plot({"o": [(0, 0), (10, 1)]}, "cost", "score", 24, 3)))
    score
    1 |                   o
      |
    0 |o
      +--------------------
       0                 10
       cost

    Args:
        marks: character to its points.
        x: name of the horizontal axis.
        y: name of the vertical axis.
        width: of the whole picture, in characters.
        height: of the field of points, in lines.
    """
    points = [point for some in marks.values() for point in some]
    across, up = (Axis(min(p[i] for p in points), max(p[i] for p in points)) for i in (0, 1))
    ends = [number(up.high), number(up.low)]
    margin = max(map(len, ends))
    n = max(min(width, WIDEST) - margin - 3, 8)
    field = [[" "] * n for _ in range(height)]
    for mark, some in marks.items():
        for a, b in some:
            field[height - 1 - up.place(b, height)][across.place(a, n)] = mark
    labels = [ends[0], *[""] * (height - 2), ends[1]]
    rows = [f"{label:>{margin}} |{''.join(row)}".rstrip() for label, row in zip(labels, field, strict=True)]
    low, high = number(across.low), number(across.high)
    left = " " * (margin + 1)
    return [
        inert(y) + _scale(up),
        *rows,
        f"{left}+{'-' * n}",
        f"{left} {low}{high.rjust(n - len(low))}",
        f"{left} {inert(x)}{_scale(across)}",
    ]


def _scale(axis: Axis) -> str:
    return " (logarithmic)" if axis.is_log else ""
