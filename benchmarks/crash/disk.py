# SPDX-License-Identifier: Apache-2.0
"""Faults 3 to 5: no room on the disk, what may not be written, a database that is locked."""

from __future__ import annotations

import hashlib
import os
import resource
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import NullPool, create_engine

from archloom.store import connect
from archloom.store.session import Session
from benchmarks.crash.audit import audit
from benchmarks.crash.cells import Cell
from benchmarks.crash.program import Plan, play
from benchmarks.crash.stage import Actor, Stage, fork, wait_until
from benchmarks.crash.steps import Stages

__all__ = [
    "child_lost_while_locked",
    "full_disk",
    "full_file",
    "full_pages",
    "locked",
    "read_only",
    "stays_full",
]

_TRIALS = 40
_NOBODY = 65534


def full_disk() -> Cell:
    """Fill a disk of 6 MB beside the study, and make room again."""
    cell = Cell()
    try:
        with _small_disk() as stage:
            actor = stage.start(stage.plan(trials=_TRIALS, seconds=0.02))
            wait_until(lambda: stage.n_finished() > 4)
            ballast = stage.file.parent / "ballast"
            _fill(ballast)
            _stalls(stage, cell, actor)
            ballast.unlink()
            _goes_on(stage, cell, actor, "a disk that was full")
    except PermissionError as error:
        cell.skipped = str(error)
    return cell


def stays_full() -> Cell:
    """Fill the disk for longer than the study waits, and go on another day."""
    cell = Cell()
    try:
        with _small_disk() as stage:
            actor = stage.start(stage.plan(trials=_TRIALS, seconds=0.02, patience=1.5))
            wait_until(lambda: stage.n_finished() > 4)
            ballast = stage.file.parent / "ballast"
            _fill(ballast)
            cell.expect(actor.wait() == 1 and "\n" not in actor.said, f"{actor.code}: {actor.said}")
            cell.message = f"“{_without_place(actor.said, stage)}”"
            ballast.unlink()
            again = stage.start(stage.plan(trials=_TRIALS))
            _goes_on(stage, cell, again, "a disk that stayed full")
    except PermissionError as error:
        cell.skipped = str(error)
    return cell


def full_file(stages: Stages) -> Cell:
    """Let no file of the process grow for two seconds (RLIMIT_FSIZE): an input/output error."""
    cell = Cell()
    with stages() as stage:
        plan = stage.plan(trials=_TRIALS, seconds=0.02)
        actor = stage.act(lambda: _limited(plan))
        _goes_on(stage, cell, actor, "files that may not grow")
    return cell


def full_pages(stages: Stages) -> Cell:
    """Let the database have no more pages for two seconds (PRAGMA max_page_count): SQLITE_FULL."""
    cell = Cell()
    with stages() as stage:
        plan = stage.plan(trials=_TRIALS, seconds=0.02)
        actor = stage.act(lambda: _paged(plan))
        _goes_on(stage, cell, actor, "a database without pages")
    return cell


def read_only(stages: Stages, what: str) -> Cell:
    """Go on with a study whose file, or whose folder, may not be written."""
    cell = Cell()
    with stages() as stage:
        stage.run(stage.plan(trials=6))
        before = _content(stage)
        os.chmod(stage.folder, 0o555 if what == "folder" else 0o777)
        os.chmod(stage.file, 0o444 if what == "file" else 0o666)
        plan = stage.plan(trials=12)
        with Stage.sqlite() as other:
            actor = fork(lambda: _as_nobody(plan), other.folder / "said")
            code = actor.wait()
            os.chmod(stage.folder, 0o777)
            os.chmod(stage.file, 0o666)
            said = actor.said
        cell.expect(code == 1 and "\n" not in said, f"it ended with {code}: {said}")
        cell.expect(_content(stage) == before, "the file has changed")
        cell.message = f"“{_without_place(said, stage)}”"
        cell.count(audit(stage.url, stage.folder, trials=6), f"read-only {what}")
    return cell


def locked(stages: Stages, seconds: float, *, timeout: float | None = None) -> Cell:
    """Have another program hold the database in mid-run.

    Args:
        stages: gives a fresh database.
        seconds: for how long.
        timeout: for how long the driver of SQLite waits by itself, if not as usual.
    """
    cell = Cell()
    with stages() as stage:
        plan = stage.plan(trials=_TRIALS, seconds=0.02)
        actor = stage.act(lambda: _impatient(plan, timeout))
        wait_until(lambda: stage.n_ended() > 4)
        with _lock(stage):
            n = stage.n_ended()
            time.sleep(seconds)
            cell.expect(stage.n_ended() <= n + 1, "trials ended while the database was locked")
            cell.expect(actor.code is None, f"it gave up with {actor.code}: {actor.said}")
        _goes_on(stage, cell, actor, f"locked for {seconds:g} s")
    return cell


def child_lost_while_locked(stages: Stages) -> Cell:
    """Kill the child that evaluates while another program holds the database."""
    cell = Cell()
    with stages() as stage:
        plan = stage.plan(trials=_TRIALS, seconds=0.05, processes=1)
        actor = stage.act(lambda: _impatient(plan, 0.3))
        wait_until(lambda: stage.n_ended() > 4)
        while not _kills_locked(stage):
            time.sleep(0.013)
        _goes_on(stage, cell, actor, "a child killed while locked")
    return cell


def _kills_locked(stage: Stage) -> bool:
    """Lock the database; kill the child, if it evaluates just then, and keep the lock for a while."""
    with _lock(stage):
        if stage.n_evaluated() <= stage.n_ended():
            return False  # between two trials, and now there will be no other
        child = int((stage.folder / "evaluated").read_text(encoding="utf-8").split()[-1])
        os.kill(child, signal.SIGKILL)
        time.sleep(2.0)
        return True


@contextmanager
def _lock(stage: Stage) -> Iterator[None]:
    """Hold the database as another program may."""
    engine = create_engine(stage.url, poolclass=NullPool)
    with engine.connect() as connection:
        if stage.is_sqlite:
            connection.connection.driver_connection.isolation_level = None  # type: ignore[union-attr]
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        else:
            connection.exec_driver_sql("LOCK TABLE trials IN ACCESS EXCLUSIVE MODE")
        yield
        connection.exec_driver_sql("ROLLBACK")
    engine.dispose()


def _goes_on(stage: Stage, cell: Cell, actor: Actor, what: str) -> None:
    cell.expect(actor.wait() == 0, f"{what}: it ended with {actor.code}: {actor.said}")
    cell.count(audit(stage.url, stage.folder, trials=_TRIALS), what)


def _stalls(stage: Stage, cell: Cell, actor: Actor) -> None:
    """Wait until no trial ends any more."""
    n = -1
    while n != stage.n_finished() and actor.code is None:
        n = stage.n_finished()
        time.sleep(1.0)
    cell.expect(n < _TRIALS, "it never ran out of room")
    cell.expect(actor.code is None, f"it gave up with {actor.code}: {actor.said}")


@contextmanager
def _small_disk() -> Iterator[Stage]:
    with Stage.sqlite() as stage:
        place = stage.folder / "disk"
        place.mkdir()
        mounted = ["mount", "-t", "tmpfs", "-o", "size=6m", "tmpfs", str(place)]
        try:
            subprocess.run(mounted, check=True, capture_output=True)
        except (OSError, subprocess.CalledProcessError) as error:
            raise PermissionError("no small disk can be mounted here: that needs root") from error
        try:
            yield Stage(f"sqlite:///{place}/store.db", stage.folder)
        finally:
            subprocess.run(["umount", "-l", str(place)], check=True)


def _fill(ballast: Path) -> None:
    with ballast.open("wb", buffering=0) as file:
        for size in (65536, 4096, 512):
            try:
                while file.write(b"\0" * size) == size:
                    pass
            except OSError:
                continue


def _limited(plan: Plan) -> None:
    """Run with files that may not grow from the tenth trial on, for two seconds."""
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    stage = Stage(plan.url, plan.side)

    def squeeze() -> None:
        wait_until(lambda: stage.n_ended() > 9)
        sizes = [path.stat().st_size for path in stage.file.parent.glob(f"{stage.file.name}*")]
        resource.setrlimit(resource.RLIMIT_FSIZE, (min(size for size in sizes if size), hard))
        time.sleep(2.0)
        resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))

    threading.Thread(target=squeeze, daemon=True).start()
    play(plan)


def _paged(plan: Plan) -> None:
    """Run with a database that may not grow from the tenth trial on, for two seconds."""
    stage = Stage(plan.url, plan.side)
    begin: Callable[..., Any] = Session._begin
    full_since = 0.0

    def begun(session: Session, mode: Any) -> None:
        nonlocal full_since
        begin(session, mode)
        if not full_since and stage.n_ended() > 9:
            full_since = time.monotonic()
        n = 1 if full_since and time.monotonic() - full_since < 2.0 else 1_000_000
        session._cursor.execute(f"PRAGMA max_page_count = {n}")  # never below what is there

    Session._begin = begun  # type: ignore[assignment, method-assign]
    play(plan)


def _impatient(plan: Plan, timeout: float | None) -> None:
    if timeout is not None:
        connect._TIMEOUT = timeout
    play(plan)


def _as_nobody(plan: Plan) -> None:
    if os.getuid() == 0:  # who may write whatever the permissions say
        os.setgid(_NOBODY)
        os.setuid(_NOBODY)
    play(plan)


def _content(stage: Stage) -> str:
    return hashlib.sha256(stage.file.read_bytes()).hexdigest()


def _without_place(said: str, stage: Stage) -> str:
    return said.split(": ", 1)[-1].replace(str(stage.file.parent), "...")
