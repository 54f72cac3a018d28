# SPDX-License-Identifier: Apache-2.0
"""A table that fits the screen: what matters least is left out and named, and no number is ever wrapped."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, final

from rich.cells import cell_len
from rich.table import Table
from rich.text import Text

from archloom.cli._words import inert, shortened

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderResult

GAP = 2
WORDS = 18
CUT_WORDS = 30
HEADER = 14


@final
@dataclass(frozen=True)
class Column:
    """A column of a table.

    Args:
        title: its header.
        cells: one text a row.
        is_number: set flush right and never wrapped; others are wrapped where the room is short.
        rank: 0 stays whatever happens; of the others the highest is left out first.
        is_cut: a long cell ends in an ellipsis instead of going on below.
        has_lines: a line break in a cell is meant; elsewhere it is shown as an escape.
    """

    title: str
    cells: Sequence[str]
    is_number: bool = False
    rank: int = 0
    is_cut: bool = False
    has_lines: bool = False

    @property
    def header(self) -> str:
        """The title in short lines: broken after a slash or an underscore, cut where there is neither."""
        lines: list[str] = []
        for word in re.findall(r"[^/_ ]*[/_ ]?", inert(self.title)):
            if lines and len(lines[-1]) + len(word) <= HEADER and not lines[-1].endswith("/"):
                lines[-1] += word
            elif word:
                lines.append(word)
        return "\n".join(
            line[i : i + HEADER] for line in lines[:4] for i in range(0, min(len(line), 3 * HEADER), HEADER)
        ).replace("/\n", "\n")

    @property
    def width(self) -> int:
        """The cells it would like to have."""
        lines = [line for text in (self.header, *self.texts) for line in text.split("\n")]
        return max(map(cell_len, lines), default=0)

    @property
    def texts(self) -> list[str]:
        """The cells as they are shown."""
        return [inert(text, keep="\n" if self.has_lines else "") for text in self.cells]

    @property
    def least(self) -> int:
        """The cells it must have."""
        return self.width if self.is_number else min(self.width, CUT_WORDS if self.is_cut else WORDS)


@final
class Fitted:
    """Columns side by side, as many as fit.

    Args:
        columns: from left to right.
        advice: where what is left out can be seen.
    """

    def __init__(self, columns: Sequence[Column], *, advice: str = "--format csv has all"):
        self.columns = list(columns)
        self.advice = advice

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Draw what fits the width there is."""
        shown, left_out = fit(self.columns, options.max_width)
        yield _table(shown, options.max_width)
        if left_out:
            names = ", ".join(shortened(inert(column.title), 3 * HEADER) for column in left_out)
            yield Text(f"\nleft out: {names} ({self.advice})", style="dim")


def fit(columns: Sequence[Column], width: int) -> tuple[list[Column], list[Column]]:
    """Divide columns into those that are shown in a width and those that are left out."""
    shown = list(columns)
    left_out: list[Column] = []
    while sum(column.least + GAP for column in shown) - GAP > width:
        ranked = [column for column in shown if column.rank]
        if not ranked:
            break
        least = max(ranked, key=lambda column: column.rank)
        shown.remove(least)
        left_out.append(least)
    return shown, [column for column in columns if any(column is other for other in left_out)]


def _table(columns: Sequence[Column], width: int) -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, GAP, 0, 0))
    spare = max(width - sum(column.least + GAP for column in columns) + GAP, 0)
    for column in columns:
        more = min(spare, column.width - column.least)
        spare -= more
        table.add_column(
            Text(column.header),
            justify="right" if column.is_number else "left",
            no_wrap=column.is_cut,
            overflow="ellipsis" if column.is_cut else "fold",
            width=column.least + more,
        )
    for row in zip(*(column.texts for column in columns), strict=True):
        table.add_row(*map(Text, row))
    return table
