# SPDX-License-Identifier: Apache-2.0
"""The help page of a group, drawn by hand in the manner of typer's: to import rich would take longer."""

from __future__ import annotations

import os
import shutil
import sys
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

import typer

MOST, LEAST = 100, 30
ROUND, PLAIN = tuple("╭─╮│╰╯"), tuple("+-+|++")

Row = tuple[str, str]


def page(group: Any, ctx: Any, panels: Mapping[str, Sequence[Row]]) -> str:
    """Return the help page of a group of verbs.

    Args:
        group: the command group.
        ctx: its context.
        panels: heading to the verbs under it and their help lines.
    """
    wide = width()
    options = [record for param in group.get_params(ctx) if (record := param.get_help_record(ctx))]
    first = max(len(name) for rows in panels.values() for name, _ in rows)
    usage = _indented(f"Usage: {ctx.command_path} [OPTIONS] COMMAND [ARGS]...", wide)
    parts = ["", usage, "", _indented(group.help or "", wide), ""]
    parts += [line for title, rows in panels.items() for line in panel(title, rows, wide, first)]
    parts += panel("Options", options, wide)
    return "\n".join(parts) + "\n"


def width() -> int:
    """Return how wide a help page is in this terminal."""
    return max(min(shutil.get_terminal_size().columns, MOST), LEAST)


def _indented(text: str, width: int) -> str:
    return textwrap.fill(text, width - 1, initial_indent=" ", subsequent_indent=" ")


def panel(title: str, rows: Sequence[Row], width: int, first: int = 0) -> list[str]:
    r"""Draw a box around rows of a name and its explanation.

    >>> print("\n".join(panel("Look", [("best", "Show the best trials of a study.")], 30, 8)))
    ╭─ Look ─────────────────────╮
    │ best      Show the best    │
    │           trials of a      │
    │           study.           │
    ╰────────────────────────────╯

    Args:
        title: stands in the upper edge.
        rows: name and explanation each.
        width: of the whole box.
        first: width of the names' column, that of the longest if larger.
    """
    corner, edge, other, side, low, last = ROUND if _can_draw() else PLAIN
    first = min(max([first, *(len(name) for name, _ in rows)]), width // 2)
    room = width - first - 6
    lines = [f"{corner}{edge} {title} ".ljust(width - 1, edge) + other]
    for name, words in rows:
        names = textwrap.wrap(name, first) or [""]
        told = textwrap.wrap(words, room) or [""]
        for i in range(max(len(names), len(told))):
            left = (names[i] if i < len(names) else "").ljust(first)
            right = (told[i] if i < len(told) else "").ljust(room)
            lines.append(f"{side} {_bright(left)}  {right} {side}")
    return [*lines, f"{low}{edge * (width - 2)}{last}"]


def _bright(text: str) -> str:
    is_plain = "NO_COLOR" in os.environ or not sys.stdout.isatty()
    return text if is_plain else typer.style(text, fg="cyan", bold=True)


def _can_draw() -> bool:
    try:
        "".join(ROUND).encode(sys.stdout.encoding or "utf-8")
    except (UnicodeEncodeError, LookupError):
        return False
    return True
