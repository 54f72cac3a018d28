# SPDX-License-Identifier: Apache-2.0
"""What may go from a database: rows about files that are removed, workers of the past, whole studies.

Trials are never deleted one by one: their numbers are dense, and what was found is kept.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Mapping
from contextlib import closing
from datetime import UTC, datetime, timedelta

from sqlalchemy import bindparam, delete, inspect, select

from archloom.contracts import State
from archloom.errors import StoreError, StudyBusyError
from archloom.store import connect, rows, views
from archloom.store import statements as sql
from archloom.store.process import Process, is_dead
from archloom.store.records import StudyRecord, WorkerRecord
from archloom.store.schema import artifacts, studies, trials, workers
from archloom.store.session import Session
from archloom.store.sqlite_file import path_of
from archloom.store.store import Store
from archloom.store.workers import is_gone

__all__ = [
    "delete_study",
    "files_of",
    "forget_files",
    "forget_workers",
    "free_bytes",
    "past_workers",
    "vacuum",
]

_LONG_AGO = timedelta(days=1)
_FORGET_FILE = delete(artifacts).where(
    artifacts.c.trial_id == bindparam("trial_id"), artifacts.c.name == bindparam("name")
)
_FORGET_WORKER = delete(workers).where(workers.c.id == bindparam("worker"))


def files_of(store: Store, study_id: int) -> dict[int, dict[str, str] | None]:
    """Return the files that the trials of a study name, name to path by number.

    ``None`` for a trial that has not ended: what it will write is not known.
    """
    query = (
        select(trials.c.number, trials.c.finished_at, artifacts.c.name, artifacts.c.path)
        .join(artifacts, artifacts.c.trial_id == trials.c.id, isouter=True)
        .where(trials.c.study_id == study_id)
    )
    session = store._session
    found: dict[int, dict[str, str] | None] = {}
    with session.transaction("read"):
        for number, finished_at, name, path in session.connection.execute(query):
            files = found.setdefault(number, None if finished_at is None else {})
            if files is not None and name is not None:
                files[name] = path
    return found


def forget_files(store: Store, study_id: int, names: Mapping[int, Collection[str]], reason: str) -> None:
    """Forget files of trials, which are removed after that; noted as an event ``clean`` of each trial.

    Args:
        store: holds the study.
        study_id: the study.
        names: of the files, by the trial's number.
        reason: why they go.
    """
    session = store._session
    with session.transaction():
        store.lock(study_id)
        found = session.connection.execute(
            select(trials.c.number, trials.c.id).where(trials.c.study_id == study_id)
        )
        ids = {number: key for number, key in found if number in names}
        session.run_many(
            _FORGET_FILE, [{"trial_id": key, "name": name} for n, key in ids.items() for name in names[n]]
        )
        event = {"study_id": study_id, "at": rows.now(), "kind": "clean", "detail": rows.clean(reason)}
        session.run_many(sql.ADD_EVENT, [event | {"trial_id": key} for n, key in ids.items() if names[n]])


def past_workers(store: Store, study_id: int) -> list[WorkerRecord]:
    """Return the workers of a study that have ended for good, and have left nothing RUNNING.

    One on another machine counts as such a day after it said goodbye or was given up: until then it might
    come back.
    """
    known = store.workers.records(study_id, is_all=True)
    query = select(trials.c.worker_id).where(
        trials.c.study_id == study_id, trials.c.state == State.RUNNING.value
    )
    session = store._session
    with session.transaction("read"):
        busy = set(session.connection.scalars(query))
    return [worker for worker in known if worker.id not in busy and _is_past(worker)]


def forget_workers(store: Store, study_id: int, ids: Collection[int]) -> None:
    """Forget workers of the past; their trials no longer say who evaluated them."""
    past = {worker.id for worker in past_workers(store, study_id)}
    with store._session.transaction():
        store._session.run_many(_FORGET_WORKER, [{"worker": key} for key in sorted(past & set(ids))])


def delete_study(store: Store, study: StudyRecord) -> None:
    """Delete a study with all its trials; there is no way back.

    Raises:
        StudyBusyError: somebody works on it.
        StoreError: it is no longer there.
    """
    session = store._session
    with session.transaction(forgives=StoreError):
        found = session.connection.execute(select(studies.c.id, studies.c.name).order_by(studies.c.id))
        names = {key: name for key, name in found}
        if study.id is None or names.get(study.id) != study.name:
            raise StoreError(f"{session.label} has no study {study.name!r} any more")
        store.lock(study.id)
        _refuse_busy(store, study.id, study.name)
        before = views.wide_names(list(names.items()))
        after = views.wide_names([(key, name) for key, name in names.items() if key != study.id])
        _drop_views(session, {before[study.id]})
        session.connection.execute(delete(studies).where(studies.c.id == study.id))
        there = set(inspect(session.connection).get_view_names())
        renamed = [key for key, name in after.items() if before[key] != name and before[key] in there]
        _drop_views(session, {before[key] for key in renamed})
        for key in renamed:
            views.refresh_wide(session.connection, key)
    store._forget()


def free_bytes(url: str) -> int | None:
    """Return how many bytes ``vacuum`` would give back; ``None`` where there is no such file."""
    path = path_of(connect.parse_url(url))
    if path is None:
        return None
    try:
        with closing(sqlite3.connect(path)) as connection:
            ((n_pages,),) = connection.execute("PRAGMA freelist_count").fetchall()
            ((n_bytes,),) = connection.execute("PRAGMA page_size").fetchall()
    except sqlite3.Error as error:
        raise StoreError(f"{path}: {error}") from error
    return int(n_pages) * int(n_bytes)


def vacuum(url: str) -> None:
    """Make the file of a SQLite database as small as it can be.

    Raises:
        StoreError: it is no such file, somebody writes to it, or the disk has no room for a copy.
    """
    path = path_of(connect.parse_url(url))
    if path is None:
        raise StoreError("only the file of a SQLite database is vacuumed; PostgreSQL sees to that itself")
    try:
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            connection.execute("VACUUM")
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    except sqlite3.Error as error:
        raise StoreError(f"{path} cannot be vacuumed now: {error}; nothing has changed") from error


def _is_past(worker: WorkerRecord) -> bool:
    if is_dead(Process(worker.host, worker.pid, worker.process)):
        return True
    if worker.ended_at is None:
        return False
    return datetime.now(UTC) - datetime.fromisoformat(worker.ended_at) > _LONG_AGO


def _refuse_busy(store: Store, study_id: int, name: str) -> None:
    for worker in store.workers.records(study_id, is_all=True):
        if not is_gone(worker):
            raise StudyBusyError(
                f"study {name!r} is being worked on by process {worker.pid} on {worker.host}: stop it first"
            )


def _drop_views(session: Session, names: Collection[str]) -> None:
    for name in names:
        quoted = session.dialect.identifier_preparer.quote(name)
        session.connection.exec_driver_sql(f"DROP VIEW IF EXISTS {quoted}")
