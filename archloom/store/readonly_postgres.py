# SPDX-License-Identifier: Apache-2.0
"""Reading PostgreSQL: one cursor in a read-only transaction, rolled back, as a role that owns nothing.

``DECLARE CURSOR`` takes one SELECT and nothing else. A SELECT can still call functions, and a few of
those act; the server's own catalogue says which: only what it declares free of side effects may be named.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from sqlalchemy import URL

from archloom.errors import StoreError
from archloom.store.sqltext import WRITING, Token, check_reads, nearest, place, tokens

if TYPE_CHECKING:
    import psycopg

__all__ = ["READER", "run"]

READER = "archloom_reader"
# Of the server itself: may read every table, and nothing else. It stands in for READER where the user is
# a superuser, whose SELECT could otherwise read the server's files.
_ANY_READER = "pg_read_all_data"
_DECLARE = "DECLARE archloom_answer NO SCROLL CURSOR FOR "
_N_ROWS = 500
_HARMLESS = (
    "random",
    "clock_timestamp",
    "timeofday",
    "gen_random_uuid",
    "pg_database_size",
    "pg_table_size",
    "pg_relation_size",
    "pg_indexes_size",
    "pg_total_relation_size",
)
_ACTING = """
SELECT p.proname, n.nspname = 'pg_catalog' FROM pg_catalog.pg_proc p
JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
WHERE (n.nspname = 'pg_catalog' AND p.provolatile = 'v' AND p.proname = ANY(%(names)s)
       AND p.proname <> ALL(%(harmless)s))
   OR (n.nspname <> 'pg_catalog' AND p.proname = ANY(%(called)s))
"""
_ROLES = """
SELECT rolname FROM pg_catalog.pg_roles
WHERE rolname = ANY(%(roles)s) AND NOT rolsuper AND pg_catalog.pg_has_role(session_user, oid, 'member')
  AND (rolname = %(reader)s OR (SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = session_user))
"""
_COLUMNS = """
SELECT c.relname, a.attname FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE c.relkind IN ('r', 'v', 'm', 'p') AND pg_catalog.pg_table_is_visible(c.oid)
  AND c.relnamespace <> 'pg_catalog'::pg_catalog.regnamespace
"""


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
    import psycopg

    words = tokens(text)
    check_reads(text, words)
    try:
        dialect: Any = url.get_dialect()()
        arguments, options = dialect.create_connect_args(url)
        connection = psycopg.connect(*arguments, **options)
    except psycopg.Error as error:
        raise StoreError(f"cannot open {label}: {' '.join(str(error).split())}") from None
    with connection:
        connection.read_only = True
        try:
            return _ask(connection, text, words, parameters, limit, timeout, most_bytes)
        except psycopg.Error as error:
            connection.rollback()
            told = _explained(error, text, words, connection, timeout)
        finally:
            connection.rollback()
    raise StoreError(told)


def _ask(
    connection: psycopg.Connection[Any],
    text: str,
    words: Sequence[Token],
    parameters: Mapping[str, Any],
    limit: int | None,
    timeout: float,
    most_bytes: int,
) -> tuple[list[str], list[tuple[Any, ...]]]:
    _restrict(connection, timeout)
    _check_functions(connection, text, words)
    _take_role(connection)
    cursor = connection.cursor()
    # In binary the statement goes by the extended protocol, which takes no second one.
    cursor.execute(_DECLARE + _placed(text, words, parameters), dict(parameters) or None, binary=True)
    rows: list[tuple[Any, ...]] = []
    n_bytes = 0
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        n = _N_ROWS if n_bytes < most_bytes // 100 else 1
        cursor.execute(f"FETCH FORWARD {n} FROM archloom_answer")
        some = cursor.fetchall()
        rows += some
        n_bytes += sum(
            64 + (len(cell) if isinstance(cell, str | bytes) else 0) for row in some for cell in row
        )
        if len(some) < n or (limit is not None and len(rows) > limit):
            return [column.name for column in cursor.description or ()], rows
        if n_bytes > most_bytes:
            raise StoreError(f"the answer is larger than {most_bytes >> 20} MiB; select less, or --limit it")
    raise StoreError(f"the statement took longer than {timeout:g} s")


def _restrict(connection: psycopg.Connection[Any], timeout: float) -> None:
    milliseconds = str(max(1, int(timeout * 1000)))
    settings = {
        "statement_timeout": milliseconds,
        "lock_timeout": milliseconds,
        "standard_conforming_strings": "on",
    }
    for name, value in settings.items():
        connection.execute("SELECT pg_catalog.set_config(%s, %s, true)", (name, value))


def _check_functions(connection: psycopg.Connection[Any], text: str, words: Sequence[Token]) -> None:
    """Refuse to name a function that acts, or that is not the server's own.

    Names are looked at wherever they stand: ``('/a/file'::text).pg_read_file`` is a call as well.
    """
    named = {_folded(token): token for token in words if token.kind in ("word", "name")}
    called = [
        _folded(token)
        for token, after in pairwise(words)
        if token.kind in ("word", "name") and after.text == "("
    ]
    found = connection.execute(
        _ACTING, {"names": list(named), "called": called, "harmless": list(_HARMLESS)}
    ).fetchall()
    for name, is_own in found:
        why = "which does more than read" if is_own else "which is not the server's own"
        raise StoreError(
            f"only reading is allowed: the statement names the function {name}(), {why} "
            f"({place(text, named[name].start)})"
        )


def _take_role(connection: psycopg.Connection[Any]) -> None:
    found = connection.execute(_ROLES, {"roles": [READER, _ANY_READER], "reader": READER}).fetchall()
    for role in (READER, _ANY_READER):
        if (role,) in found:
            connection.execute("SELECT pg_catalog.set_config('role', %s, true)", (role,))
            return


def _folded(token: Token) -> str:
    """Return a name as the server reads it: 63 bytes, and only letters of ASCII made small."""
    raw = token.text.encode("utf-8", "replace")[:63]
    return (raw if token.kind == "name" else raw.lower()).decode("utf-8", "ignore")


def _placed(text: str, words: Sequence[Token], parameters: Mapping[str, Any]) -> str:
    """Return the statement with ``:name`` as the driver writes it."""
    if not parameters:
        return text
    parts, at = [], 0
    for colon, name in pairwise(words):
        is_one = colon.text == ":" and name.start == colon.start + 1 and name.text in parameters
        if is_one and colon.kind == "symbol":
            parts += [text[at : colon.start].replace("%", "%%"), f"%({name.text})s"]
            at = name.start + len(name.text)
    return "".join([*parts, text[at:].replace("%", "%%")])


_ROUND = "function round(double precision, integer)"


def _explained(
    error: psycopg.Error,
    text: str,
    words: Sequence[Token],
    connection: psycopg.Connection[Any],
    timeout: float,
) -> str:
    """Say what is wrong, where, and what was probably meant."""
    told = " ".join((error.diag.message_primary or str(error)).split())
    at = int(error.diag.statement_position or 0) - len(_DECLARE) - 1
    where = f" at {place(text, at)}" if at >= 0 else ""
    if error.sqlstate == "57014":
        return f"the statement took longer than {timeout:g} s"
    writes = any(token.start == at and token.text.upper() in WRITING for token in words)
    if error.sqlstate in ("25006", "0A000") or writes:
        return f"only reading is allowed: {told}{where}"
    if error.sqlstate == "42501":
        return f"{told} (a statement runs as the role {READER} where there is one: GRANT it USAGE and SELECT)"
    kind = {"42P01": "table", "42703": "column"}.get(error.sqlstate or "")
    name = _name_at(words, at) if kind else None
    if name is None or kind is None:
        hint = "; PostgreSQL rounds numbers so: round(x::numeric, 4)" if _ROUND in told else ""
        return f"{told}{where}{hint}"
    return f"there is no {kind} {name!r}{where}{nearest(name, words, _columns(connection), of=kind)}"


def _name_at(words: Sequence[Token], offset: int) -> str | None:
    """Return the last part of the dotted name that begins at an offset."""
    i = next((i for i, token in enumerate(words) if token.start == offset), None)
    if i is None:
        return None
    while i + 2 < len(words) and words[i + 1].text == ".":
        i += 2
    return words[i].text


def _columns(connection: psycopg.Connection[Any]) -> dict[str, list[str]]:
    """Return the columns of each table and view."""
    found: dict[str, list[str]] = {}
    for table, column in connection.execute(_COLUMNS):
        found.setdefault(table, []).append(column)
    return found
