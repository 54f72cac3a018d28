# SPDX-License-Identifier: Apache-2.0
"""One connection, its transactions and its hot statements.

SQLAlchemy writes the SQL, once a statement; after that its text goes straight to the driver's cursor.
(Through ``Connection.exec_driver_sql`` each call costs four to ten times as much, in the making of
SQLAlchemy's own result, and a trial takes a dozen calls.)
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Literal

from sqlalchemy import Engine, Select, UpdateBase
from sqlalchemy.exc import SQLAlchemyError

from archloom.errors import StoreError

__all__ = ["Session", "Statement", "reason_of"]

Statement = Select[Any] | UpdateBase


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
        self.on_rollback: Callable[[], None] = lambda: None
        self.connection = engine.connect()
        self._errors = (SQLAlchemyError, engine.dialect.loaded_dbapi.Error, UnicodeError, OverflowError)
        self._engine = engine
        self._cursor: Any = None
        self._lock = threading.RLock()
        self._depth = 0
        self._is_doomed = False
        self._pid = os.getpid()
        self._compiled: dict[Statement, tuple[str, dict[str, Any]]] = {}

    def close(self) -> None:
        """Close the connection; closing twice is fine."""
        with self._lock:
            self.connection.close()
            self._engine.dispose()

    @contextmanager
    def transaction(
        self, mode: Literal["read", "write"] = "write", *, forgives: type[Exception] | tuple[()] = ()
    ) -> Iterator[None]:
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
        with self._lock:
            try:
                if self._depth:
                    yield from self._inside(forgives)
                else:
                    yield from self._outermost(mode)
            except self._errors as error:
                self._drop_if_lost(error)
                raise StoreError(f"{self.label}: {reason_of(error)}") from error

    def run(self, statement: Statement, /, **parameters: Any) -> list[Any]:
        """Execute a statement with its named parameters; return its rows as tuples."""
        text, constants = self._compile(statement)
        self._cursor.execute(text, {**constants, **parameters})
        return self._cursor.fetchall() if self._cursor.description else []

    def run_many(self, statement: Statement, rows: Iterable[Mapping[str, Any]]) -> None:
        """Execute a statement once a row, in one call of the driver; no rows, no call."""
        text, constants = self._compile(statement)
        parameters = [{**constants, **row} for row in rows]
        if parameters:
            self._cursor.executemany(text, parameters)

    def _outermost(self, mode: Literal["read", "write"]) -> Iterator[None]:
        if os.getpid() != self._pid:
            raise StoreError(
                f"{self.label}: a store opened before a fork cannot be used after it; open it anew"
            )
        if self.connection.closed:
            raise StoreError(f"{self.label}: the store is closed")
        self.connection.info["mode"] = mode
        self._is_doomed = False
        try:
            with self.connection.begin():
                self._cursor = self.connection.connection.cursor()
                self._depth = 1
                yield
                if self._is_doomed:
                    raise StoreError(
                        f"{self.label}: a write in this transaction failed; nothing of it was kept"
                    )
        except BaseException:
            self.on_rollback()
            raise
        finally:
            self._depth = 0

    def _drop_if_lost(self, error: BaseException) -> None:
        """Let the next transaction connect anew when the server has gone away under this one."""
        driver = self.dialect.loaded_dbapi
        if not isinstance(error, driver.Error) or self.connection.closed or self.connection.invalidated:
            return
        if self.dialect.is_disconnect(error, self.connection.connection.dbapi_connection, None):
            self.connection.invalidate(error)

    def _inside(self, forgives: type[Exception] | tuple[()]) -> Iterator[None]:
        self._depth += 1
        try:
            yield
        except forgives:
            raise
        except BaseException:
            self._is_doomed = True
            raise
        finally:
            self._depth -= 1

    def _compile(self, statement: Statement) -> tuple[str, dict[str, Any]]:
        """Return the driver's text and the parameters that the statement itself gives."""
        compiled = self._compiled.get(statement)
        if compiled is None:
            made = statement.compile(dialect=self.dialect)
            compiled = self._compiled[statement] = (str(made), dict(made.params))
        return compiled


def reason_of(error: BaseException) -> str:
    """Return the driver's own words, on one line."""
    words = str(getattr(error, "orig", None) or error)
    if "database is locked" in words:
        words = "another process has been writing for too long (database is locked)"
    return " ".join(words.split())
