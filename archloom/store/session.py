# SPDX-License-Identifier: Apache-2.0
"""One connection, its transactions and its hot statements.

SQLAlchemy writes the SQL, once a statement; after that its text goes straight to the driver's cursor.
(Through ``Connection.exec_driver_sql`` each call costs four to ten times as much, in the making of
SQLAlchemy's own result, and a trial takes a dozen calls.)
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager, suppress
from types import TracebackType
from typing import Any, Literal, final

from sqlalchemy import Engine, Select, UpdateBase
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from archloom.errors import StoreError, StoreUnavailableError

__all__ = ["Session", "Statement", "is_passing", "reason_of"]

Statement = Select[Any] | UpdateBase

# What a transaction starts with. A writer on SQLite takes its lock at once: taken later, on the
# first write, it could be refused in mid-transaction. A reader sees one state of the database.
_BEGIN: dict[tuple[str, str], str | None] = {
    ("sqlite", "read"): "BEGIN",
    ("sqlite", "write"): "BEGIN IMMEDIATE",
    ("postgresql", "read"): "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY",
    ("postgresql", "write"): None,
}


class Session:
    """A connection for one process and any number of its threads, one transaction at a time.

    Args:
        engine: of SQLite or PostgreSQL, with named parameters.
        label: the database in messages, without its password.
    """

    def __init__(self, engine: Engine, label: str):
        self.label = label
        self.dialect: Any = engine.dialect
        self.is_sqlite = engine.dialect.name == "sqlite"
        self.is_in_memory = self.is_sqlite and engine.url.database in (None, "", ":memory:")
        self.on_rollback: Callable[[], None] = lambda: None
        self.connection = engine.connect()
        self._errors = (SQLAlchemyError, engine.dialect.loaded_dbapi.Error, UnicodeError, OverflowError)
        self._engine = engine
        self._cursor: Any = None
        self._lock = threading.RLock()
        self._depth = 0
        self.is_doomed = False
        self._is_open = False
        self._pid = os.getpid()
        self._compiled: dict[Statement, tuple[str, dict[str, Any]]] = {}

    def close(self) -> None:
        """Close the connection; closing twice is fine."""
        with self._lock:
            self._cursor = None
            self.connection.close()
            self._engine.dispose()

    def transaction(
        self, mode: Literal["read", "write"] = "write", *, forgives: type[Exception] | tuple[()] = ()
    ) -> AbstractContextManager[None]:
        """Hold the database for what happens inside: committed together, or not at all.

        A transaction inside another is part of it, and when it fails, the outer one cannot be
        committed any more, even where the exception is caught between the two.

        Args:
            mode: a reader sees one state of the database and waits for nobody.
            forgives: what the body raises only before it has written anything, so that the outer
                transaction may go on.

        Raises:
            StoreError: the database refused, or an inner transaction had failed.
        """
        return _Transaction(self, mode, forgives)

    def run(self, statement: Statement, /, **parameters: Any) -> list[Any]:
        """Execute a statement with its named parameters; return its rows as tuples."""
        text, constants = self._compile(statement)
        self._cursor.execute(text, {**constants, **parameters} if constants else parameters)
        return self._cursor.fetchall() if self._cursor.description else []

    @property
    def n_changed(self) -> int:
        """How many rows the last ``run`` of an update changed."""
        return int(self._cursor.rowcount)

    def run_many(self, statement: Statement, rows: Iterable[Mapping[str, Any]]) -> None:
        """Execute a statement once a row, in one call of the driver; no rows, no call."""
        text, constants = self._compile(statement)
        parameters = [{**constants, **row} for row in rows] if constants else list(rows)
        if parameters:
            self._cursor.executemany(text, parameters)

    # What a _Transaction does, one thread at a time.

    def enter(self, mode: Literal["read", "write"]) -> None:
        """Begin, unless this is inside another transaction."""
        self._lock.acquire()
        try:
            if not self._depth:
                self._begin(mode)
            self._depth += 1
        except BaseException as error:
            if not self._depth:
                self._roll_back()
            self._lock.release()
            self._translate(error)
            raise

    def leave(self, error: BaseException | None, forgives: type[Exception] | tuple[()]) -> None:
        """End what ``enter`` began; nothing, where it was abandoned since."""
        if not self._depth:
            return
        try:
            self._depth -= 1
            if self._depth:
                self.is_doomed |= error is not None and not isinstance(error, forgives)
            else:
                self._end(error)
            if error is not None:
                self._translate(error)
        except self._errors as failure:  # of the commit itself
            self._translate(failure)
        finally:
            self._lock.release()

    def abandon(self) -> None:
        """Give up whatever this thread holds: an interrupt may strike between any two of the steps here."""
        if not self._lock.acquire(blocking=False):
            return  # another thread's transaction is no business of this one
        self._depth = 0
        self._roll_back()
        with suppress(RuntimeError):  # raised when this thread holds the lock no more
            while True:
                self._lock.release()

    def _begin(self, mode: Literal["read", "write"]) -> None:
        if os.getpid() != self._pid:
            raise StoreError(
                f"{self.label}: a store opened before a fork cannot be used after it; open it anew"
            )
        if self.connection.closed:
            raise StoreError(f"{self.label}: the store is closed")
        if self._is_open:  # an interrupt kept the last one from its end
            self._roll_back()
        self.is_doomed = False
        self._is_open = True
        self._cursor = self.connection.connection.cursor()
        statement = _BEGIN[self.dialect.name, mode]
        if statement:
            self._cursor.execute(statement)

    def _end(self, error: BaseException | None) -> None:
        """Commit, or roll back after an error."""
        is_kept = error is None and not self.is_doomed
        try:
            if is_kept:
                self._driver_or_sqlalchemy().commit()
                self._is_open = False
        except BaseException:
            is_kept = False
            raise
        finally:
            if not is_kept:
                self.on_rollback()
                self._roll_back()
        if error is None and not is_kept:
            raise StoreError(f"{self.label}: a write in this transaction failed; nothing of it was kept")

    def _driver_or_sqlalchemy(self) -> Any:
        """Return who ends the transaction: SQLAlchemy where it took part, else the driver's connection."""
        if self.connection.in_transaction():
            return self.connection
        return self.connection.connection.dbapi_connection

    def _roll_back(self) -> None:
        # The connection may be gone, or SQLAlchemy's transaction invalid; what led here is the news.
        with suppress(*self._errors):
            self.connection.rollback()
        with suppress(*self._errors):
            self.connection.connection.dbapi_connection.rollback()  # type: ignore[union-attr]
        self._is_open = False

    def _translate(self, error: BaseException) -> None:
        """Raise our own error in place of the database's."""
        if isinstance(error, self._errors):
            is_lost = self._drop_if_lost(error)
            kind = StoreUnavailableError if is_lost or is_passing(error) else StoreError
            raise kind(f"{self.label}: {reason_of(error)}") from error

    def _drop_if_lost(self, error: BaseException) -> bool:
        """Let the next transaction connect anew when the server has gone away; return whether it has."""
        if isinstance(error, DBAPIError):  # raised while connecting, or by SQLAlchemy's own doing
            return bool(error.connection_invalidated) or self.connection.invalidated
        if not isinstance(error, self.dialect.loaded_dbapi.Error) or self.connection.closed:
            return False
        if self.connection.invalidated:
            return True
        if not self.dialect.is_disconnect(error, self.connection.connection.dbapi_connection, None):
            return False
        self.connection.invalidate(error)
        return True

    def _compile(self, statement: Statement) -> tuple[str, dict[str, Any]]:
        """Return the driver's text and the parameters that the statement itself gives."""
        compiled = self._compiled.get(statement)
        if compiled is None:
            made = statement.compile(dialect=self.dialect)
            compiled = self._compiled[statement] = (str(made), dict(made.params))
        return compiled


@final
class _Transaction(AbstractContextManager[None]):
    """One ``with`` block; a class, since entering a generator costs more than the smallest write."""

    __slots__ = ("_forgives", "_mode", "_session")

    def __init__(
        self, session: Session, mode: Literal["read", "write"], forgives: type[Exception] | tuple[()]
    ):
        self._session, self._mode, self._forgives = session, mode, forgives

    def __enter__(self) -> None:
        self._session.enter(self._mode)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._session.leave(error, self._forgives)


_PASSING = ("SQLITE_BUSY", "SQLITE_FULL", "SQLITE_IOERR")


def is_passing(error: BaseException) -> bool:
    """Whether what the driver says may be over later: a lock, a full disk, a server that restarts."""
    cause: Any = getattr(error, "orig", None) or error
    name = getattr(cause, "sqlite_errorname", None) or ""
    state = getattr(cause, "sqlstate", None) or ""
    # PostgreSQL: 53 is out of disk or memory, 57P the server going down or coming up, 08 the connection.
    is_unreached = type(cause).__module__.startswith("psycopg") and type(cause).__name__ == "OperationalError"
    return (
        name.startswith(_PASSING)
        or (is_unreached and not state)
        or state.startswith(("53", "57P", "08", "40", "55P03"))
    )


def reason_of(error: BaseException) -> str:
    """Return the driver's own words, on one line."""
    words = str(getattr(error, "orig", None) or error)
    if "database is locked" in words:
        words = "another process has been writing for too long (database is locked)"
    if "readonly database" in words:
        words = f"the file or its folder may not be written ({words})"
    return " ".join(words.split())
