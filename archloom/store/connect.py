# SPDX-License-Identifier: Apache-2.0
"""From a URL or a path to a session on a database that is ours and of the right version."""

from __future__ import annotations

import os
import time
from pathlib import Path
from sqlite3 import Connection as SqliteConnection
from sqlite3 import OperationalError
from typing import Any
from urllib.parse import quote

from sqlalchemy import URL, Connection, create_engine, event, inspect, make_url, select
from sqlalchemy.exc import ArgumentError, SQLAlchemyError
from sqlalchemy.pool import NullPool

from archloom.errors import StoreError, require
from archloom.store import schema
from archloom.store.migrations import upgrade as run_revisions
from archloom.store.session import Session, reason_of
from archloom.store.sqlite_file import check_companions, check_file, is_quiet, path_of
from archloom.store.views import create_views, refresh_wide

__all__ = ["again", "open_session", "parse_url", "upgrade"]

_TIMEOUT = 30.0
_CREATION_LOCK = 0x617263686C6F6F6D
_DIALECTS = {
    "sqlite": "sqlite",
    "sqlite+pysqlite": "sqlite",
    "postgres": "postgresql+psycopg",
    "postgresql": "postgresql+psycopg",
    "postgresql+psycopg": "postgresql+psycopg",
}


def parse_url(url: str | Path) -> URL:
    """Return the database's URL from SQLAlchemy's form or from the path of a SQLite file.

    >>> str(parse_url("runs/a.db")), str(parse_url("postgresql://host/db"))
    ('sqlite:///runs/a.db', 'postgresql+psycopg://host/db')

    Raises:
        StoreError: not a URL, or of another database.
    """
    if isinstance(url, Path) or "://" not in url:
        return URL.create("sqlite", database=str(url))
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError) as error:
        raise StoreError(f"{url!r} is not a database URL: {reason_of(error)}") from None
    if parsed.drivername not in _DIALECTS:
        raise StoreError(
            f"a store is sqlite:///FILE or postgresql+psycopg://USER@HOST/DATABASE; got {_label(parsed)}"
        )
    if parsed.get_backend_name() == "sqlite" and parsed.host:
        raise StoreError(f"a file stands after three slashes: sqlite:///{parsed.host}, got {_label(parsed)}")
    return parsed.set(drivername=_DIALECTS[parsed.drivername])


def open_session(url: URL, *, must_exist: bool = False) -> Session:
    """Open the database, creating what is missing.

    Args:
        url: from ``parse_url``.
        must_exist: refuse rather than create.

    Raises:
        StoreError: it cannot be opened, is not ours, or is of another version.
    """
    session = _connect(url, must_exist=must_exist)
    try:
        with session.transaction("read"):
            is_fresh = _check(session)
        if is_fresh and must_exist:
            raise StoreError(f"{session.label} holds no archloom store")
        if is_fresh:
            with session.transaction():
                _lock_creation(session)
                if _check(session):
                    _create(session.connection)
        _use_wal(session)
    except BaseException:
        session.close()
        raise
    return session


def again(url: str) -> Session:
    """Open another connection to a database that was opened before."""
    return _connect(parse_url(url), must_exist=True)


def upgrade(url: URL) -> None:
    """Bring an older database to this archloom's schema; create it where there is none.

    Raises:
        StoreError: it cannot be opened, is not ours, or is newer.
    """
    session = _connect(url, must_exist=False)
    try:
        if session.is_sqlite:  # a table that is made anew is dropped first, and must not take others with it
            session.connection.exec_driver_sql("PRAGMA foreign_keys = OFF")
        with session.transaction():
            _lock_creation(session)
            _check(session, may_be_older=True)
            run_revisions(session.connection)
            for study_id in list(session.connection.scalars(select(schema.studies.c.id))):
                refresh_wide(session.connection, study_id)
            if session.is_sqlite and session.connection.exec_driver_sql("PRAGMA foreign_key_check").all():
                raise StoreError(f"{session.label}: rows would point nowhere; nothing has been changed")
        _use_wal(session)
    finally:
        session.close()


def _connect(url: URL, *, must_exist: bool) -> Session:
    label = _label(url)
    is_sqlite = url.get_backend_name() == "sqlite"
    if is_sqlite:
        synchronous = _synchronous(url, label)
        url = url.difference_update_query(["synchronous"])
        _check_file(url, label, must_exist=must_exist)
        url = _to_read(url) if must_exist else url
        arguments: dict[str, Any] = {"timeout": _TIMEOUT, "check_same_thread": False}
        engine = create_engine(url, poolclass=NullPool, paramstyle="named", connect_args=arguments)
        event.listen(engine, "connect", lambda driver, _: _prepare_sqlite(driver, synchronous))
    else:
        require("psycopg", "postgres", f"the store {label}")
        engine = create_engine(url, poolclass=NullPool)
    try:
        return Session(engine, label)
    except SQLAlchemyError as error:
        engine.dispose()
        raise StoreError(f"cannot open {label}: {reason_of(error)}") from error


def _to_read(url: URL) -> URL:
    """Return a URL that reads an archive: a file, or one in a folder, that this user may not write.

    SQLite would leave files beside it to read one in write-ahead mode, unless told that nobody writes it.
    """
    path = path_of(url)
    if path is None or (os.access(path, os.W_OK) and os.access(path.parent, os.W_OK)) or not is_quiet(path):
        return url
    name = f"file:{quote(str(path.absolute()))}"
    return url.set(database=name, query={"mode": "ro", "immutable": "1", "uri": "true"})


def _label(url: URL) -> str:
    return url.render_as_string(hide_password=True)


def _check_file(url: URL, label: str, *, must_exist: bool) -> None:
    """Say in words what SQLite would call 'unable to open database file'."""
    if not url.database or url.database == ":memory:" or url.database.startswith("file:"):
        return
    path = Path(url.database)
    if path.is_dir():
        raise StoreError(f"cannot open {label}: {path} is a folder; name a file in it")
    if must_exist or (path.exists() and path.stat().st_size):
        check_file(path, label)
        check_companions(path, label)
    if path.exists():
        return
    if not path.parent.is_dir():
        raise StoreError(f"cannot open {label}: there is no folder {path.parent}")
    if not os.access(path.parent, os.W_OK):
        raise StoreError(f"cannot open {label}: the folder {path.parent} is not writable")


def _synchronous(url: URL, label: str) -> str:
    """Return how hard SQLite makes sure of a commit: ``full`` survives a power cut, ``normal`` a crash."""
    given = url.query.get("synchronous", "full")
    if given not in ("full", "normal"):
        raise StoreError(f"{label}: synchronous is full or normal, got {given!r}")
    return str(given)


def _prepare_sqlite(driver: SqliteConnection, synchronous: str) -> None:
    # Without this, the driver begins and commits transactions by rules of its own.
    driver.isolation_level = None
    driver.execute("PRAGMA foreign_keys = ON")
    # The views of a stranger's file call nothing that reaches outside it.
    driver.execute("PRAGMA trusted_schema = OFF")
    # A commit writes the ten or so pages that a trial touches, each whole: smaller ones are written sooner.
    driver.execute("PRAGMA page_size = 2048")
    driver.execute(f"PRAGMA synchronous = {synchronous}")


def _lock_creation(session: Session) -> None:
    """Let one process at a time create or upgrade; SQLite's writers are one at a time anyway."""
    if not session.is_sqlite:
        session.connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_CREATION_LOCK})")


def _check(session: Session, *, may_be_older: bool = False) -> bool:
    """Return whether the database is still to be filled; refuse one that is not for us."""
    names = set(inspect(session.connection).get_table_names())
    if schema.VERSION_TABLE in names:
        _check_version(session, may_be_older=may_be_older)
        lacking = set() if may_be_older else set(schema.metadata.tables) - names
        if lacking:  # or a stranger's view stands in its place, which could run for ever
            raise StoreError(
                f"{session.label} lacks the table {min(lacking)!r}: "
                "`search storage check` says what else is wrong"
            )
        return False
    foreign = names if session.is_sqlite else names & set(schema.metadata.tables)
    if foreign:
        raise StoreError(
            f"{session.label} is another program's database: it holds the table "
            f"{min(foreign)!r} and no {schema.VERSION_TABLE!r}; name another file or database"
        )
    return True


def _check_version(session: Session, *, may_be_older: bool) -> None:
    found = session.connection.scalar(select(schema.version.c.version_num))
    newest = schema.REVISIONS[-1]
    if found == newest or (may_be_older and (found is None or found in schema.REVISIONS)):
        return
    if found in schema.REVISIONS:
        raise StoreError(
            f"{session.label} has the older schema {found}, this archloom reads {newest}: "
            f"upgrade it with `search storage upgrade --store {session.label}` (in Python Store.upgrade(url))"
        )
    raise StoreError(
        f"{session.label} has the schema {found}, which this archloom ({newest}) does not know: "
        f"it was probably written by a newer archloom; install that one"
    )


def _create(connection: Connection) -> None:
    schema.metadata.create_all(connection, checkfirst=False)
    create_views(connection)
    connection.execute(schema.version.insert().values(version_num=schema.REVISIONS[-1]))


def _use_wal(session: Session) -> None:
    """Let readers and a writer not wait for each other; the file remembers it."""
    if not session.is_sqlite:
        return
    driver: Any = session.connection.connection.driver_connection
    for patience in (0.05, 0.2, 1.0):
        try:
            if driver.execute("PRAGMA journal_mode").fetchone()[0] not in ("wal", "memory"):
                driver.execute("PRAGMA journal_mode = WAL")
            return
        except OperationalError as error:
            if error.sqlite_errorname.startswith("SQLITE_READONLY"):
                return
            time.sleep(patience)
