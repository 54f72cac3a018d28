# SPDX-License-Identifier: Apache-2.0
"""Databases for the matrix, and processes on them: forks, so that a process is there in milliseconds."""

from __future__ import annotations

import ctypes
import faulthandler
import os
import signal
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, make_url

from archloom.errors import ArchloomError
from archloom.store import Store
from benchmarks.crash.program import Plan, play

__all__ = ["TIMEOUT", "Actor", "Stage", "fork", "wait_until"]

TIMEOUT = 120.0
"""Seconds after which whatever has not come by then never will."""


class Actor:
    """A process at work on a study.

    Args:
        pid: its number.
        errors: the file of what it says.
    """

    def __init__(self, pid: int, errors: Path):
        self.pid = pid
        self._errors = errors
        self._code: int | None = None

    @property
    def code(self) -> int | None:
        """How it ended, as ``subprocess`` counts; ``None`` while it goes on."""
        if self._code is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            self._code = os.waitstatus_to_exitcode(status) if pid else None
        return self._code

    @property
    def said(self) -> str:
        """What it wrote to its standard error."""
        return self._errors.read_text(encoding="utf-8").strip()

    def wait(self, timeout: float = TIMEOUT) -> int:
        """Wait for its end and return its code; one that does not end is killed.

        Raises:
            TimeoutError: it did not end.
        """
        try:
            wait_until(lambda: self.code is not None, timeout)
        except TimeoutError:
            self.signal(signal.SIGUSR1)  # it says where it is
            time.sleep(0.5)
            self.signal(signal.SIGKILL)
            raise TimeoutError(f"process {self.pid} hangs; it said: {self.said}") from None
        assert self._code is not None
        return self._code

    def signal(self, number: int) -> None:
        """Send it a signal, if it still runs."""
        if self.code is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """Kill it with SIGKILL and wait for its end."""
        self.signal(signal.SIGKILL)
        self.wait()


def fork(act: Callable[[], Any], errors: Path) -> Actor:
    """Do something in a process of its own; an error of ours is one line there, and the code 1."""
    sys.stdout.flush()
    sys.stderr.flush()
    pid = os.fork()
    if pid:
        return Actor(pid, errors)
    code = 70
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # gone with its parent
    try:
        number = os.open(errors, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o666)
        os.dup2(number, 2)
        sys.stderr = os.fdopen(number, "w", encoding="utf-8", buffering=1)
        faulthandler.register(signal.SIGUSR1, sys.stderr)
        act()
        code = 0
    except ArchloomError as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        code = 1
    except BaseException:
        import traceback

        traceback.print_exc()
    finally:
        os._exit(code)


def wait_until(is_so: Callable[[], bool], timeout: float = TIMEOUT) -> None:
    """Look again and again until something is so.

    Raises:
        TimeoutError: it never is.
    """
    until = time.monotonic() + timeout
    while not is_so():
        if time.monotonic() > until:
            raise TimeoutError("it did not come in time")
        time.sleep(0.005)


class Stage:
    """A folder and a fresh database in it, or a fresh schema on a server.

    Args:
        url: of the database.
        folder: for everything else.
    """

    def __init__(self, url: str, folder: Path):
        self.url, self.folder = url, folder
        self.is_sqlite = url.startswith("sqlite")
        self._n_actors = 0

    @property
    def file(self) -> Path:
        """The file of a SQLite database."""
        return Path(self.url.removeprefix("sqlite:///").partition("?")[0])

    def plan(self, **changes: Any) -> Plan:
        """Return a plan on this stage."""
        return Plan(url=self.url, side=self.folder, **changes)

    def start(self, plan: Plan) -> Actor:
        """Start a process with a plan."""
        return self.act(lambda: play(plan))

    def act(self, act: Callable[[], Any]) -> Actor:
        """Do something in a process of its own."""
        self._n_actors += 1
        return fork(act, self.folder / f"said-{self._n_actors}")

    def run(self, plan: Plan, timeout: float = TIMEOUT) -> Actor:
        """Start a process with a plan, and wait for its end."""
        actor = self.start(plan)
        actor.wait(timeout)
        return actor

    def n_ended(self) -> int:
        """Return how many trials the processes were told have ended."""
        file = self.folder / "ended"
        return file.read_bytes().count(b"\n") if file.exists() else 0

    def n_evaluated(self) -> int:
        """Return how many evaluations have begun."""
        file = self.folder / "evaluated"
        return file.read_bytes().count(b"\n") if file.exists() else 0

    def prepare(self) -> None:
        """Make the tables, so that a process begins with its study."""
        with Store(self.url):
            pass

    def n_finished(self) -> int:
        """Return how many trials have ended by the store; 0 while there is none."""
        try:
            with Store(self.url, must_exist=True) as store:
                return sum(store.n_finished(study.id or 0) for study in store.studies())
        except ArchloomError:
            return 0

    @staticmethod
    @contextmanager
    def sqlite() -> Iterator[Stage]:
        """Give a stage with a SQLite file."""
        with tempfile.TemporaryDirectory(prefix="archloom-crash-") as name:
            yield Stage(f"sqlite:///{name}/store.db", Path(name))

    @staticmethod
    @contextmanager
    def postgresql(server: str) -> Iterator[Stage]:
        """Give a stage with a schema of its own on a server."""
        schema = f"crash_{uuid.uuid4().hex[:12]}"
        engine = create_engine(server, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.exec_driver_sql(f"CREATE SCHEMA {schema}")
        engine.dispose()
        url = make_url(server).update_query_dict({"options": f"-csearch_path={schema}"})
        try:
            with tempfile.TemporaryDirectory(prefix="archloom-crash-") as name:
                yield Stage(url.render_as_string(hide_password=False), Path(name))
        finally:
            with engine.connect() as connection:
                connection.exec_driver_sql(f"DROP SCHEMA {schema} CASCADE")
            engine.dispose()
