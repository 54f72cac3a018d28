# SPDX-License-Identifier: Apache-2.0
"""The cells of a CSV file.

A spreadsheet runs a cell that begins with ``=``, ``+``, ``-`` or ``@`` as a formula, whatever the file
meant by it. So text that begins like that (or with a tab or a line break, which some skip, or with an
apostrophe) is written with an apostrophe before it, which spreadsheets take for "this is text";
reading takes it off again. Numbers are never touched, nor is text that spells a number, such as the
label ``-1``. A text that is there and empty is written as an apostrophe alone, for an empty cell means
that there is none.
"""

from __future__ import annotations

from typing import Any

from archloom.store.exchange.columns import Kind
from archloom.store.records import label_value

__all__ = ["guarded", "number_of", "unguarded", "written"]

_RISKY = tuple("=+-@\t\r\n'＝＋－＠")


def guarded(text: str) -> str:
    """Return a text as a cell that no spreadsheet runs.

    >>> guarded("=1+1"), guarded("conv"), guarded("-1"), guarded("'s"), guarded("")
    ("'=1+1", 'conv', '-1', "''s", "'")
    """
    is_risky = not text or (text.startswith(_RISKY) and label_value(text) is None)
    return f"'{text}" if is_risky else text


def unguarded(cell: str) -> str:
    """Return the text of a cell, the opposite of ``guarded``.

    >>> [unguarded(guarded(text)) for text in ("=1+1", "conv", "-1", "'s", "")]
    ['=1+1', 'conv', '-1', "'s", '']
    """
    return cell.removeprefix("'")


def written(value: Any, kind: Kind) -> str:
    """Return a value as a cell.

    >>> written(None, "text"), written(0.1, "number"), written(True, "flag"), written(3, "integer")
    ('', '0.1', 'true', '3')
    """
    if value is None:
        return ""
    if kind == "text":
        return guarded(value)
    if kind == "flag":
        return "true" if value else "false"
    return repr(float(value)) if kind == "number" else str(int(value))


def number_of(cell: str) -> float | None:
    """Return the number that a cell spells, ``nan`` and ``inf`` among them; ``None`` where it spells none.

    >>> number_of("1e-3"), number_of("inf"), number_of("1_000"), number_of("")
    (0.001, inf, None, None)
    """
    if "_" in cell:
        return None
    try:
        return float(cell)
    except ValueError:
        return None
