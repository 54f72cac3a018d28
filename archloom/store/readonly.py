# SPDX-License-Identifier: Apache-2.0
"""SQL of one's own, that can only read: ``search sql`` and ``Store.sql``.

The database itself holds to that, not a list of words here: SQLite opens the file read-only and asks
an authorizer about every step; PostgreSQL declares a cursor, which takes one SELECT and nothing else, in
a read-only transaction that is always rolled back, as a role that owns nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, final

from sqlalchemy import Connection, create_engine
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool

from archloom.errors import StoreError, require
from archloom.store import readonly_postgres, readonly_sqlite
from archloom.store.connect import parse_url
from archloom.store.session import reason_of

__all__ = ["READER", "Answer", "reading", "select"]

READER = readonly_postgres.READER
"""The PostgreSQL role that a statement runs as where the server has it and the user may."""

TIMEOUT = 60.0
_MOST_BYTES = 256 * 1024 * 1024


@final
class Answer(NamedTuple):
    """What a statement answers.

    Args:
        columns: their names, each only once: a second ``name`` is ``name_2``.
        rows: in the order of the answer.
        is_cut: whether there are more rows than were asked for.
    """

    columns: tuple[str, ...]
    rows: list[tuple[Any, ...]]
    is_cut: bool


def select(
    url: str | Path,
    text: str,
    parameters: Mapping[str, Any] | None = None,
    *,
    limit: int | None = None,
    timeout: float = TIMEOUT,
) -> Answer:
    """Run one statement that reads, and return its rows.

    Args:
        url: of the database, as ``Store`` takes it; it must exist.
        text: one SELECT, WITH or VALUES.
        parameters: values of ``:name`` in it.
        limit: how many rows at most.
        timeout: seconds after which the database gives up.

    Raises:
        StoreError: it does more than read, has a mistake, takes too long or answers too much.
    """
    parsed = parse_url(url)
    label = parsed.render_as_string(hide_password=True)
    if parsed.get_backend_name() == "sqlite":
        names, rows = readonly_sqlite.run(parsed, label, text, parameters or {}, limit, timeout, _MOST_BYTES)
    else:
        require("psycopg", "postgres", f"the store {label}")
        names, rows = readonly_postgres.run(
            parsed, label, text, parameters or {}, limit, timeout, _MOST_BYTES
        )
    is_cut = limit is not None and len(rows) > limit
    return Answer(_unique(names), rows[:limit], is_cut)


@contextmanager
def reading(url: str | Path) -> Iterator[Connection]:
    """Open a database for our own questions, in one transaction that can only read; it must exist.

    Raises:
        StoreError: it cannot be opened or read.
    """
    parsed = parse_url(url)
    label = parsed.render_as_string(hide_password=True)
    changed: Callable[[], bool] = bool
    if parsed.get_backend_name() == "sqlite":
        changed = readonly_sqlite.watch(parsed, label)
        open_file = partial(readonly_sqlite.connect, parsed, label)
        engine = create_engine("sqlite://", poolclass=NullPool, creator=open_file)
        begin = "BEGIN"
    else:
        require("psycopg", "postgres", f"the store {label}")
        engine = create_engine(parsed, poolclass=NullPool)
        begin = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"
    try:
        with engine.connect() as connection:
            connection.exec_driver_sql(begin)
            yield connection
    except SQLAlchemyError as error:
        raise StoreError(f"{label}: {reason_of(error)}") from error
    finally:
        engine.dispose()
    if changed():
        raise StoreError(f"{label} was written to while it was read; try again")


def _unique(names: Sequence[str]) -> tuple[str, ...]:
    """Return column names of which none stands twice.

    >>> _unique(["number", "value", "value"])
    ('number', 'value', 'value_2')
    """
    found: list[str] = []
    for name in names:
        candidate, n = name, 1
        while candidate in found:
            n += 1
            candidate = f"{name}_{n}"
        found.append(candidate)
    return tuple(found)
