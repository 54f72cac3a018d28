# SPDX-License-Identifier: Apache-2.0
"""Names in double quotes: SQLite takes one of nothing for a text, in silence; here it is an error."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from archloom.errors import StoreError
from archloom.store.sqltext import Token, nearest, place

__all__ = ["check_names", "how_to_quote"]

_OF_FUNCTIONS = frozenset({"rowid", "key", "value", "atom", "type", "id", "parent", "fullkey", "path"})
"""Columns that SQLite's own table-valued functions have."""
# fmt: off
_KEYWORDS = frozenset(
    {
        "ALL", "AND", "ANY", "ASC", "BETWEEN", "BY", "CASE", "CAST", "COLLATE", "CROSS", "DESC",
        "DISTINCT", "ELSE", "END", "ESCAPE", "EXCEPT", "EXISTS", "FROM", "FULL", "GLOB", "GROUP",
        "HAVING", "IN", "INNER", "INTERSECT", "INTO", "IS", "ISNULL", "JOIN", "LEFT", "LIKE", "LIMIT",
        "MATCH", "NATURAL", "NOT", "NOTNULL", "NULL", "OFFSET", "ON", "OR", "ORDER", "OUTER", "OVER",
        "PARTITION", "REGEXP", "RIGHT", "SELECT", "THEN", "UNION", "USING", "VALUES", "WHEN", "WHERE",
        "WINDOW", "WITH",
    }
)
# fmt: on
"""Words after which a name is used; one behind any other word is an alias."""


def check_names(text: str, words: Sequence[Token], columns: Mapping[str, Sequence[str]]) -> None:
    """Refuse a quoted name of nothing.

    Args:
        text: the statement.
        words: its tokens.
        columns: what there is, the columns of each table and view.

    Raises:
        StoreError: there is one.
    """
    quoted = {i: token.text for i, token in enumerate(words) if token.kind == "name"}
    known = {name.lower() for name in (*columns, *(each for some in columns.values() for each in some))}
    known |= {words[i].text.lower() for i in quoted if _is_given(words, i)} | _OF_FUNCTIONS
    written = [name.lower() for name in quoted.values()]
    is_with = words[0].text.upper() == "WITH"  # its tables may name columns of their own
    for i, name in quoted.items():
        if name.lower() not in known and not (is_with and written.count(name.lower()) > 1):
            near = nearest(name, words, columns, of="column")
            raise StoreError(
                f"there is no column {name!r} at {place(text, words[i].start)}{near} "
                "(a text stands in single quotes)"
            )


def _is_given(words: Sequence[Token], i: int) -> bool:
    """Whether a quoted name is one that the statement gives: after AS, or right behind what it names."""
    if i == 0:
        return False
    before = words[i - 1]
    if before.kind == "word":
        return before.text.upper() not in _KEYWORDS
    return before.kind in ("name", "number", "text") or before.text == ")"


def how_to_quote(name: str, text: str, columns: Mapping[str, Sequence[str]]) -> str:
    """Say how a column with dots or brackets is written, where a statement stumbled over one that is plain.

    Args:
        name: what it stumbled over.
        text: the statement.
        columns: as in ``check_names``.
    """
    if name not in (".", "["):
        return ""
    odd = {column for some in columns.values() for column in some if {".", "["} & set(column)}
    meant = [column for column in sorted(odd) if column in text]
    return f'; a name with dots or brackets is quoted: "{meant[0]}"' if meant else ""
