# SPDX-License-Identifier: Apache-2.0
"""``search storage``: what a database is, whether it is sound, and how it is brought up to date."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, final

from sqlalchemy import URL, Connection, func, select
from sqlalchemy.exc import SQLAlchemyError

from archloom.errors import StoreError, StudyNotFoundError, did_you_mean
from archloom.store import connect, readonly_sqlite, schema
from archloom.store.invariants import LAWS, subjects
from archloom.store.readonly import reading
from archloom.store.session import reason_of
from archloom.store.soundness import damage, lacking, revision_of, strangers
from archloom.store.sqlite_file import check_file, companion, is_wal, path_of

__all__ = ["Facts", "Finding", "Upgrade", "bring_up_to_date", "check", "describe"]


@final
class Finding(NamedTuple):
    """Something that is wrong with a database.

    Args:
        law: which law it breaks: ``file``, ``tables``, ``numbers``, ``front``, ...
        study: the study's name, empty where it is the database.
        text: what is wrong, in one line.
    """

    law: str
    study: str
    text: str


@final
@dataclass(frozen=True)
class Facts:
    """What a database is.

    Args:
        store: its URL without the password.
        engine: ``SQLite 3.40.1`` or ``PostgreSQL 15.20``.
        revision: of its schema.
        newest: the revision that this archloom reads and writes.
        versions: the archlooms that made its studies.
        n_bytes: how large it is, with what belongs to it.
        n_studies: how many studies it holds.
        n_trials: how many trials in each state.
        journal: of SQLite how it makes sure of its writes, such as ``wal``; else ``None``.
        is_writable: whether this user can write to it, as far as can be told without writing.
    """

    store: str
    engine: str
    revision: str
    newest: str
    versions: tuple[str, ...]
    n_bytes: int
    n_studies: int
    n_trials: dict[str, int]
    journal: str | None
    is_writable: bool


@final
class Upgrade(NamedTuple):
    """What an upgrade has done.

    Args:
        old: the schema revision before.
        new: the one after.
        backup: the copy that was made first; ``None`` where none was.
    """

    old: str
    new: str
    backup: Path | None


def describe(url: str | Path) -> Facts:
    """Return what a database is; nothing of it is changed.

    Raises:
        StoreError: it cannot be read, or is none of ours.
    """
    parsed = connect.parse_url(url)
    label = _label(parsed)
    with reading(url) as connection:
        revision = revision_of(connection, label)
        if missing := lacking(connection, ["studies", "trials"]):
            raise StoreError(f"{label} lacks the table {missing[0]!r}: 'search storage check' says more")
        made = connection.scalars(select(schema.studies.c.archloom_version).distinct())
        states = connection.execute(
            select(schema.trials.c.state, func.count())
            .group_by(schema.trials.c.state)
            .order_by(schema.trials.c.state)
        )
        return Facts(
            store=label,
            engine=_engine(connection),
            revision=revision,
            newest=schema.REVISIONS[-1],
            versions=tuple(sorted(made)),
            n_bytes=_n_bytes(connection, parsed),
            n_studies=connection.scalar(select(func.count()).select_from(schema.studies)) or 0,
            n_trials={state: n for state, n in states},
            journal=_journal(connection, parsed),
            is_writable=_is_writable(connection, parsed),
        )


def check(url: str | Path, study: str | None = None) -> list[Finding]:
    """Return everything that is wrong with a database, or with it and one of its studies.

    Raises:
        StoreError: it cannot be read, is none of ours or of another version, or has no such study.
    """
    parsed = connect.parse_url(url)
    label = _label(parsed)
    with reading(url) as connection:
        _check_revision(revision_of(connection, label), label)
        found = [Finding("file", "", line) for line in _read(damage, connection)]
        found += [Finding("tables", "", line) for line in _read(strangers, connection)]
        # A view in the place of a table could run for ever.
        if not lacking(connection):
            found += _findings(connection, parsed, study, label)
    return found


def bring_up_to_date(url: str | Path, *, backs_up: bool = True) -> Upgrade:
    """Bring a database to this archloom's schema; a SQLite file is copied first, to ``FILE.bak-REVISION``.

    Raises:
        StoreError: it cannot be opened or copied, is none of ours, or is newer.
    """
    parsed = connect.parse_url(url)
    label = _label(parsed)
    with reading(url) as connection:
        old = revision_of(connection, label)
    newest = schema.REVISIONS[-1]
    if old == newest:
        return Upgrade(old, old, None)
    path = path_of(parsed)
    is_known = old in schema.REVISIONS
    backup = _back_up(path, parsed, old) if path is not None and backs_up and is_known else None
    connect.upgrade(parsed)
    return Upgrade(old, newest, backup)


def _findings(connection: Connection, url: URL, name: str | None, label: str) -> Iterator[Finding]:
    path = path_of(url)
    known = subjects(connection, path.parent if path else Path())
    chosen = [study for study in known if name in (None, study.name)]
    if name is not None and not chosen:
        near = did_you_mean(name, [study.name for study in known])
        raise StudyNotFoundError(f"no study {name!r} in {label}{near}")
    for study in chosen:
        for law, lines in LAWS.items():
            try:
                yield from (Finding(law, study.name, line) for line in lines(connection, study))
            except SQLAlchemyError as error:  # a damaged page, say: what else can be read is still checked
                yield Finding(law, study.name, f"cannot be read: {reason_of(error)}")


def _read(look: object, connection: Connection) -> list[str]:
    try:
        return list(look(connection))  # type: ignore[operator]
    except SQLAlchemyError as error:
        return [f"cannot be read: {reason_of(error)}"]


def _check_revision(found: str, label: str) -> None:
    if found != schema.REVISIONS[-1]:
        is_older = found in schema.REVISIONS
        advice = (
            "upgrade it with 'search storage upgrade'" if is_older else "it was written by a newer archloom"
        )
        raise StoreError(
            f"{label} has the schema {found}, this archloom checks {schema.REVISIONS[-1]}: {advice}"
        )


def _label(url: URL) -> str:
    return url.render_as_string(hide_password=True)


def _engine(connection: Connection) -> str:
    if connection.dialect.name == "sqlite":
        return f"SQLite {sqlite3.sqlite_version}"
    version = connection.exec_driver_sql("SHOW server_version").scalar()
    return f"PostgreSQL {str(version).split()[0]}"


def _n_bytes(connection: Connection, url: URL) -> int:
    path = path_of(url)
    if path is not None:
        files = [path, companion(path, "-wal"), companion(path, "-shm"), companion(path, "-journal")]
        return sum(file.stat().st_size for file in files if file.exists())
    sizes = (
        "SELECT sum(pg_total_relation_size(c.oid)) FROM pg_class c "
        "WHERE c.relkind = 'r' AND c.relnamespace = current_schema()::regnamespace "
        "AND c.relname = ANY(%(names)s)"
    )
    return int(connection.exec_driver_sql(sizes, {"names": list(schema.metadata.tables)}).scalar() or 0)


def _journal(connection: Connection, url: URL) -> str | None:
    """Return the journal mode that the file itself names; one that is read as immutable would say another."""
    path = path_of(url)
    if path is None:
        return None
    return "wal" if is_wal(path) else str(connection.exec_driver_sql("PRAGMA journal_mode").scalar())


def _is_writable(connection: Connection, url: URL) -> bool:
    if connection.dialect.name != "sqlite":
        text = (
            "SELECT has_table_privilege('trials', 'INSERT') AND NOT pg_is_in_recovery() "
            "AND reset_val = 'off' FROM pg_settings WHERE name = 'default_transaction_read_only'"
        )
        return bool(connection.exec_driver_sql(text).scalar())
    path = path_of(url)
    return path is not None and os.access(path, os.W_OK) and os.access(path.absolute().parent, os.W_OK)


def _back_up(path: Path, url: URL, revision: str) -> Path:
    """Copy a database as it is at one moment, whoever writes to it; never over a file that is there."""
    backup, n = path.with_name(f"{path.name}.bak-{revision}"), 1
    while backup.exists():
        n += 1
        backup = path.with_name(f"{path.name}.bak-{revision}-{n}")
    part = backup.with_name(f"{backup.name}.part")
    try:
        check_file(path, _label(url))
        with (
            closing(readonly_sqlite.connect(url, _label(url))) as source,
            closing(sqlite3.connect(part)) as copy,
        ):
            source.backup(copy)
            copy.execute("PRAGMA journal_mode = DELETE")
        shutil.copymode(path, part)
        part.rename(backup)
    except (OSError, sqlite3.Error) as error:
        with suppress(OSError):
            part.unlink(missing_ok=True)
        raise StoreError(f"cannot copy {path} to {backup}: {error}; nothing was upgraded") from error
    return backup
