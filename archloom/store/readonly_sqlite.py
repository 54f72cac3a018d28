# SPDX-License-Identifier: Apache-2.0
"""Reading SQLite: a file opened read-only, where every step of a statement is asked for.

A write-ahead file that nobody has open is read as immutable, for SQLite's own read-only mode would
leave two files beside it; where somebody wrote meanwhile, it is read again.
"""

from __future__ import annotations

import re
import sqlite3
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import URL

from archloom.errors import StoreError
from archloom.store.quoted import check_names, how_to_quote
from archloom.store.sqlite_file import check_file, companion, is_quiet, path_of, state_of
from archloom.store.sqltext import Token, check_reads, nearest, place, tokens

__all__ = ["ask", "connect", "run", "watch"]

_BUSY = 30.0
_N_STEPS = 20_000
_N_ROWS = 500
_PRAGMAS = frozenset(
    {"table_info", "table_xinfo", "table_list", "index_list", "index_info", "foreign_key_list"}
)
# Compiled into some SQLites: they read or write files, load code, or take pointers.
_FUNCTIONS = frozenset(
    {"load_extension", "readfile", "writefile", "edit", "fts3_tokenizer", "sqlar_compress"}
)
_LIMITS = {
    sqlite3.SQLITE_LIMIT_LENGTH: 128 * 1024 * 1024,
    sqlite3.SQLITE_LIMIT_SQL_LENGTH: 1_000_000,
    sqlite3.SQLITE_LIMIT_LIKE_PATTERN_LENGTH: 1_000,
    sqlite3.SQLITE_LIMIT_ATTACHED: 0,
    sqlite3.SQLITE_LIMIT_WORKER_THREADS: 0,
    sqlite3.SQLITE_LIMIT_VDBE_OP: 10_000_000,
}
_ALLOWED = frozenset({sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_RECURSIVE})
_WRONG = (
    (re.compile(r"no such table: (?:main\.)?(?P<name>.+)"), "table", "there is no table {name!r}"),
    (re.compile(r"no such column: (?:.*\.)?(?P<name>.+)"), "column", "there is no column {name!r}"),
    (
        re.compile(r"ambiguous column name: (?:.*\.)?(?P<name>.+)"),
        "",
        "the column {name!r} is in several tables",
    ),
    (re.compile(r"no such function: (?P<name>.+)"), "", "there is no function {name!r}"),
    (re.compile(r'near "(?P<name>.+)": syntax error', re.DOTALL), "", "syntax error near {name!r}"),
)


def run(
    url: URL,
    label: str,
    text: str,
    parameters: Mapping[str, Any],
    limit: int | None,
    timeout: float,
    most_bytes: int,
) -> tuple[list[str], list[tuple[Any, ...]]]:
    """Return the column names and the rows, one more than ``limit`` where there are more.

    Raises:
        StoreError: it does more than read, has a mistake, takes too long or answers too much.
    """
    path = _file(url, label)
    before = state_of(path)
    was_quiet = is_quiet(path)
    try:
        found = _once(path, label, text, parameters, limit, timeout, most_bytes, is_quiet=was_quiet)
        is_changed = was_quiet and state_of(path) != before
    except StoreError:
        if not was_quiet or state_of(path) == before:
            raise
        is_changed = True
    if is_changed:
        found = _once(path, label, text, parameters, limit, timeout, most_bytes, is_quiet=False)
    return found


def watch(url: URL, label: str) -> Callable[[], bool]:
    """Return what says whether a file that is read as immutable has been written to since.

    Raises:
        StoreError: it is not there, is no database, or is in memory.
    """
    path = _file(url, label)
    before = state_of(path)
    return partial(_is_changed, path, before) if is_quiet(path) else bool


def _is_changed(path: Path, before: tuple[object, ...]) -> bool:
    return state_of(path) != before


def connect(url: URL, label: str) -> sqlite3.Connection:
    """Open a file for our own questions: nothing can be written, and no view runs what is not SQL's own.

    Raises:
        StoreError: it is not there, is no database, or is in memory.
    """
    path = _file(url, label)
    connection = _open(path, label, is_quiet=is_quiet(path))
    connection.isolation_level = None
    return connection


def ask(
    connection: sqlite3.Connection,
    text: str,
    parameters: Mapping[str, Any],
    limit: int | None = None,
    timeout: float = 60.0,
    most_bytes: int = 1 << 28,
) -> tuple[list[str], list[tuple[Any, ...]]]:
    """Run one statement that reads on an open connection, whatever else that may do.

    Raises:
        StoreError: it does more than read, has a mistake, takes too long or answers too much.
    """
    words = tokens(text)
    check_reads(text, words, also=("PRAGMA", "EXPLAIN"))
    if any(token.kind == "name" for token in words):
        check_names(text, words, _columns(connection))
    refused: list[str] = []
    deadline = time.monotonic() + timeout
    was_query_only = connection.execute("PRAGMA query_only").fetchone()[0]
    connection.execute("PRAGMA query_only = 1")
    old_limits = {key: connection.setlimit(key, value) for key, value in _LIMITS.items()}
    connection.set_authorizer(lambda *step: _authorize(refused, *step))
    connection.set_progress_handler(lambda: time.monotonic() > deadline, _N_STEPS)
    try:
        cursor = connection.execute(text, dict(parameters))
        rows = _fetch(cursor, limit, most_bytes)
        return [column[0] for column in cursor.description or ()], rows
    except (sqlite3.Error, sqlite3.Warning, OverflowError) as error:
        is_late = "interrupted" in str(error) and time.monotonic() > deadline
        failure: Exception = error
    finally:
        connection.set_progress_handler(None, 0)
        connection.set_authorizer(None)
        for key, value in old_limits.items():
            connection.setlimit(key, value)
        connection.execute(f"PRAGMA query_only = {int(was_query_only)}")
    if is_late:
        raise StoreError(f"the statement took longer than {timeout:g} s")
    if refused:
        raise StoreError(f"only reading is allowed: the statement would {refused[0]}")
    raise StoreError(_explained(failure, text, words, connection)) from None


def _once(
    path: Path,
    label: str,
    text: str,
    parameters: Mapping[str, Any],
    limit: int | None,
    timeout: float,
    most_bytes: int,
    *,
    is_quiet: bool,
) -> tuple[list[str], list[tuple[Any, ...]]]:
    connection = _open(path, label, is_quiet=is_quiet)
    try:
        return ask(connection, text, parameters, limit, timeout, most_bytes)
    finally:
        connection.close()


def _file(url: URL, label: str) -> Path:
    path = path_of(url)
    if path is None:
        raise StoreError(f"{label} is in memory, where only the store that made it can read it; name a file")
    check_file(path, label)
    return path


def _open(path: Path, label: str, *, is_quiet: bool) -> sqlite3.Connection:
    name = f"file:{quote(str(path.absolute()))}?mode=ro{'&immutable=1' if is_quiet else ''}"
    try:
        connection = sqlite3.connect(name, uri=True, timeout=_BUSY, check_same_thread=False)
        # A text that is no UTF-8 is shown as far as it is one.
        connection.text_factory = lambda raw: raw.decode("utf-8", "backslashreplace")
        connection.execute("PRAGMA trusted_schema = OFF")
        connection.execute("PRAGMA query_only = ON")
        connection.execute("SELECT 1 FROM sqlite_master").fetchone()
    except sqlite3.Error as error:
        raise StoreError(f"cannot read {label}: {_reason(error, path)}") from None
    return connection


def _reason(error: sqlite3.Error, path: Path) -> str:
    if companion(path, "-journal").exists():
        return (
            f"a writer broke off in the middle of it ({error}); any command that writes to it puts it right"
        )
    if companion(path, "-wal").exists() and "unable to open" in str(error):
        return (
            f"its last changes are in {companion(path, '-wal')}, and that takes a folder that can be written"
        )
    return str(error)


def _authorize(refused: list[str], action: int, first: str | None, second: str | None, *_: str | None) -> int:
    if action in _ALLOWED:
        return sqlite3.SQLITE_OK
    if action == sqlite3.SQLITE_FUNCTION and (second or "").lower() not in _FUNCTIONS:
        return sqlite3.SQLITE_OK
    if action == sqlite3.SQLITE_PRAGMA and (first or "").lower() in _PRAGMAS:
        return sqlite3.SQLITE_OK
    # Asked by SQLite for itself where a table-valued function such as json_each is used; a statement that
    # says so is refused by SQLite before this.
    if (action, first) == (sqlite3.SQLITE_UPDATE, "sqlite_master"):
        return sqlite3.SQLITE_OK
    refused.append(_ACTS.get(action, "change the database").format(first or "", second or ""))
    return sqlite3.SQLITE_DENY


_ACTS = {
    sqlite3.SQLITE_FUNCTION: "call {1}()",
    sqlite3.SQLITE_PRAGMA: "run PRAGMA {0}",
    sqlite3.SQLITE_ATTACH: "open another file",
    sqlite3.SQLITE_INSERT: "write to {0}",
    sqlite3.SQLITE_UPDATE: "write to {0}",
    sqlite3.SQLITE_DELETE: "delete from {0}",
}


def _fetch(cursor: sqlite3.Cursor, limit: int | None, most_bytes: int) -> list[tuple[Any, ...]]:
    rows: list[tuple[Any, ...]] = []
    n_bytes = 0
    while some := cursor.fetchmany(_N_ROWS if n_bytes < most_bytes // 100 else 1):
        rows += some
        n_bytes += sum(
            64 + (len(cell) if isinstance(cell, str | bytes) else 0) for row in some for cell in row
        )
        if limit is not None and len(rows) > limit:
            break
        if n_bytes > most_bytes:
            raise StoreError(f"the answer is larger than {most_bytes >> 20} MiB; select less, or --limit it")
    return rows


def _explained(error: Exception, text: str, words: Sequence[Token], connection: sqlite3.Connection) -> str:
    """Say what is wrong, where, and what was probably meant."""
    told = " ".join(str(error).split())
    for pattern, kind, rule in _WRONG:
        if match := pattern.fullmatch(told):
            name = match["name"]
            spots = [token.start for token in words if token.text.lower() == name.lower()]
            where = f" at {place(text, spots[0])}" if len(spots) == 1 or (spots and kind) else ""
            near = nearest(name, words, _columns(connection), of=kind) if kind else ""
            return f"{rule.format(name=name)}{where}{near}{how_to_quote(name, text, _columns(connection))}"
    return told


def _columns(connection: sqlite3.Connection) -> dict[str, list[str]]:
    """Return the columns of each table and view."""
    names = [
        name
        for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type IN ('table', 'view')")
    ]
    found: dict[str, list[str]] = {}
    for name in names:
        try:
            rows = connection.execute("SELECT name FROM pragma_table_info(?)", (name,)).fetchall()
        except sqlite3.Error:  # a view of what is gone
            rows = []
        found[name] = [column for (column,) in rows]
    return found
