# SPDX-License-Identifier: Apache-2.0
"""``search sql``: one's own question to the database, which can only read."""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from archloom.cli._output import FormatOption, write
from archloom.cli._studies import PlainStoreOption
from archloom.cli._waiting import waiting

if TYPE_CHECKING:
    from archloom.cli._columns import Column
    from archloom.store.readonly import Answer

SHOWN_ROWS = 200
MOST_CELL = 400


def sql(
    statement: Annotated[
        str,
        typer.Argument(
            metavar="STATEMENT",
            help="One SELECT, quoted, such as \"select * from best\"; '-' reads it from stdin.",
            show_default=False,
        ),
    ],
    *,
    store: PlainStoreOption = None,
    limit: Annotated[
        int | None,
        typer.Option(
            "--limit",
            "-n",
            min=1,
            help="How many rows at most.",
            show_default=f"{SHOWN_ROWS} in a table, else all",
        ),
    ] = None,
    timeout: Annotated[
        float, typer.Option("--timeout", min=0.001, help="Seconds after which the database gives up.")
    ] = 60.0,
    form: FormatOption = "table",
) -> None:
    """Ask the database a question in SQL; it can only read.

    Tables are studies, objectives, trials, decisions, metrics, curves and more; views are best, pareto
    and a wide_STUDY for each study. Nothing can be changed by it, whatever it says.
    """
    from archloom import config
    from archloom.store.readonly import select

    text = sys.stdin.read() if statement == "-" else statement
    shown = limit or (SHOWN_ROWS if form == "table" else None)
    with waiting("asking the database"):
        answer = select(store or config.default_store(), text, limit=shown, timeout=timeout)
    if form == "table":
        _print(answer)
        return
    rows = [dict(zip(answer.columns, map(plain_value, row), strict=True)) for row in answer.rows]
    data = {"columns": list(answer.columns), "rows": rows, "is_cut": answer.is_cut}
    write(data, form, rows, header=answer.columns)


def plain_value(value: Any) -> Any:
    r"""Return a cell as JSON has it: bytes in hexadecimal, dates and decimals as text.

    >>> plain_value(b"\x00\xff"), plain_value(2.5), plain_value(None)
    ('00ff', 2.5, None)
    """
    if isinstance(value, bytes | memoryview):
        return bytes(value).hex()
    if isinstance(value, list | tuple):
        return [plain_value(item) for item in value]
    if isinstance(value, dict):
        return {str(key): plain_value(item) for key, item in value.items()}
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)


def _print(answer: Answer) -> None:
    from rich.console import RenderableType

    from archloom.cli._columns import Fitted
    from archloom.cli._tables import plain, show
    from archloom.cli._words import n_of

    if not answer.rows:
        show(plain(f"no row; the columns are {', '.join(answer.columns)}", "dim"))
        return
    n = len(answer.columns)
    columns = [_column(i, n, name, [row[i] for row in answer.rows]) for i, name in enumerate(answer.columns)]
    parts: list[RenderableType] = [Fitted(columns)]
    if answer.is_cut:
        parts.append(plain(f"the first {n_of(len(answer.rows), 'row')}; --limit N shows more", "dim"))
    show(*parts)


def _column(place: int, n: int, name: str, values: Sequence[Any]) -> Column:
    """Return a column of the table; long texts are the first to be left out, from the right."""
    from archloom.cli._columns import WORDS, Column

    known = [value for value in values if value is not None]
    is_number = all(isinstance(value, int | float) and not isinstance(value, bool) for value in known)
    cells = [_cell(value) for value in values]
    is_long = max(map(len, cells)) > WORDS
    return Column(
        name, cells, is_number=is_number, rank=place + n * is_long * bool(place), is_cut=not is_number
    )


def _cell(value: Any) -> str:
    from archloom.cli._words import shortened

    if value is None:
        return "–"
    if isinstance(value, float):
        return (
            str(int(value))
            if math.isfinite(value) and value.is_integer() and abs(value) < 1e15
            else f"{value:.6g}"
        )
    return shortened(str(plain_value(value)), MOST_CELL)
