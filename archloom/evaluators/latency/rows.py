# SPDX-License-Identifier: Apache-2.0
"""The rows of a table of operations, read and checked one by one."""

from __future__ import annotations

import csv
import difflib
import gzip
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import final

from archloom.errors import ConfigError, DataError
from archloom.evaluators.tables import column_names, read_columns

__all__ = ["BASE", "Row", "read_rows"]

BASE = "(base)"
"""The choice of the row that every network pays: the stem, the head, the start of a run."""

_NEAR = 0.8


@final
@dataclass(frozen=True)
class Row:
    """What one operation takes.

    Args:
        place: where it was read, ``ops.csv line 3``.
        decision: the name of a decision, or a pattern with ``*`` for any text.
        choice: the label of a candidate.
        ms: milliseconds.
    """

    place: str
    decision: str
    choice: str
    ms: float


def read_rows(path: Path) -> list[Row]:
    """Read the columns ``choice``, ``latency_ms`` and, where there is one, ``decision``.

    An empty decision means ``*``. Space around a word is left out.

    Raises:
        ConfigError: a column is missing or misspelt, or the file is neither CSV nor parquet.
        DataError: there are no rows, or a row has no choice, no number, a negative or an infinite
            one, or says what another row has said; with its line.
    """
    decisions = _decision_column(path)
    (choices, numbers, *named), _ = read_columns(path, ["choice", "latency_ms", *decisions], [])
    if not choices:
        raise DataError(f"{path.name}: the table is empty; it needs a row an operation")
    texts = named[0] if named else [""] * len(choices)
    cells = zip(_places(path, len(choices)), texts, choices, numbers, strict=True)
    rows = [_row(place, *(text.strip() for text in words)) for place, *words in cells]
    _refuse_twins(rows)
    return rows


def _decision_column(path: Path) -> list[str]:
    """Return the column's name if there is one; a misspelt one would change what the table says."""
    try:
        names = column_names(path)
    except UnicodeDecodeError as error:
        raise DataError(f"{path.name}: this is no table of text in UTF-8: {error}") from None
    if "decision" in names:
        return ["decision"]
    for name in names:
        if difflib.get_close_matches(name.lower(), ["decision"], cutoff=_NEAR):
            raise ConfigError(f"{path.name} has a column {name!r}; did you mean 'decision'?")
    return []


def _places(path: Path, n_rows: int) -> list[str]:
    """Return where each row stands: by line in a CSV file, by position in a parquet file."""
    lines = [] if path.suffix == ".parquet" else _lines(path)
    if len(lines) != n_rows:
        return [f"{path.name} row {index}" for index in range(n_rows)]
    return [f"{path.name} line {line}" for line in lines]


def _lines(path: Path) -> list[int]:
    """Return the line on which each row of a CSV file ends, refusing rows that are longer than the header.

    A decimal comma makes a row longer, and would otherwise cut the number.
    """
    opened = gzip.open if path.suffix == ".gz" else open
    with opened(path, "rt", newline="", encoding="utf-8") as file:
        reader = csv.reader(file)
        records = [(reader.line_num, cells) for cells in reader if len(cells) > 1 or "".join(cells).strip()]
    (_, header), *rows = records
    for line, cells in rows:
        if len(cells) > len(header):
            raise DataError(
                f"{path.name} line {line}: {len(cells)} cells under {len(header)} columns; "
                "a decimal number is written with a point, and a text with a comma in quotes"
            )
    return [line for line, _ in rows]


def _row(place: str, decision: str, choice: str, number: str) -> Row:
    if not choice:
        raise DataError(
            f"{place}: the choice is empty; the row that every network pays has the choice {BASE!r}"
        )
    if choice == BASE and decision not in ("", "*"):
        raise DataError(
            f"{place}: the row {BASE!r} is paid by every network, so it has no decision; got {decision!r}"
        )
    return Row(place, decision or "*", choice, _milliseconds(place, choice, number))


def _milliseconds(place: str, choice: str, number: str) -> float:
    try:
        ms = float(number)
    except ValueError:
        ms = math.nan
    if not math.isfinite(ms) or ms < 0:
        raise DataError(
            f"{place}: latency_ms must be a finite number of milliseconds, 0 or more; "
            f"{choice!r} has {number!r:.80}"
        )
    return ms


def _refuse_twins(rows: Sequence[Row]) -> None:
    seen: dict[tuple[str, str], Row] = {}
    for row in rows:
        twin = seen.setdefault((row.decision, row.choice), row)
        if twin is not row:
            raise DataError(
                f"{row.place}: {row.choice!r} of decision {row.decision!r} "
                f"has a number in {twin.place} already"
            )
