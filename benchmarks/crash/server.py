# SPDX-License-Identifier: Apache-2.0
"""Fault 6: a PostgreSQL server that is stopped in mid-run, or that ends our connections.

The server is our own, in a folder and on a port of its own, so that nobody else is disturbed.
"""

from __future__ import annotations

import os
import random
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import create_engine

from benchmarks.crash.audit import audit, sequence
from benchmarks.crash.cells import Cell
from benchmarks.crash.stage import Stage, wait_until
from benchmarks.crash.steps import whole

__all__ = ["NoServerError", "Server", "own_server", "restarted", "terminated"]


class NoServerError(Exception):
    """No server of our own can be started here."""


class Server:
    """A PostgreSQL server of our own.

    Args:
        programs: folder of its programs.
        folder: of its data.
        port: it listens on, on this machine alone.
    """

    def __init__(self, programs: Path, folder: Path, port: int):
        self._programs, self._folder = programs, folder
        self._port = port
        self.url = f"postgresql+psycopg://postgres@127.0.0.1:{port}/postgres"

    def make(self) -> None:
        """Make its data folder."""
        self._do("initdb", "--auth=trust", "--username=postgres", "--encoding=UTF8")

    def start(self) -> None:
        """Start it and wait until it answers."""
        options = f"-p {self._port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={self._folder}"
        self._do("pg_ctl", "-w", "-o", options, "-l", str(self._folder / "log"), "start")

    def stop(self, mode: str = "immediate") -> None:
        """Stop it: ``immediate`` is a crash."""
        self._do("pg_ctl", "-m", mode, "stop")

    def _do(self, program: str, *words: str) -> None:
        command = [str(self._programs / program), "-D", str(self._folder), *words]
        user = "postgres" if os.getuid() == 0 else None
        subprocess.run(
            command, check=True, user=user, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/"
        )


@contextmanager
def own_server() -> Iterator[Server]:
    """Give a running server.

    Raises:
        NoServerError: there are no programs for one here; says what is missing.
    """
    programs = _programs()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory(prefix="archloom-postgres-") as name:
        folder = Path(name)
        if os.getuid() == 0:
            try:
                shutil.chown(folder, "postgres", "postgres")
            except LookupError:
                raise NoServerError("a server does not run as root, and there is no user postgres") from None
        server = Server(programs, folder / "data", port)
        server.make()
        server.start()
        try:
            yield server
        finally:
            server.stop()


def _programs() -> Path:
    found = shutil.which("initdb")
    if found:
        return Path(found).resolve().parent
    for place in sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), reverse=True):
        return place.parent
    raise NoServerError("there is no initdb here")


def restarted(server: Server, n: int, *, n_processes: int = 1) -> Cell:
    """Crash the server ``n`` times in mid-run, and start it again."""
    cell = Cell()
    trials = 30 * (n + 1) * n_processes
    with Stage.postgresql(server.url) as stage:
        shared = {"trials": trials, "seconds": 0.02, "lease": 3.0, "n_decisions": 8}
        actors = [stage.start(stage.plan(role="any", **shared)) for _ in range(n_processes)]
        for i in range(n):
            ended = stage.n_ended()
            wait_until(lambda ended=ended: stage.n_ended() > ended + 5)  # type: ignore[misc]
            server.stop("immediate" if i % 2 == 0 else "fast")
            time.sleep(0.7)
            server.start()
        for actor in actors:
            cell.expect(actor.wait() == 0, f"it ended with {actor.code}: {actor.said}")
        cell.count(audit(stage.url, stage.folder, trials=trials), f"{n} restarts")
        cell.message = f"{n} restarts in {trials} trials"
        _compared(stage, cell, trials, n_processes)
    return cell


def terminated(server: Server, n: int, *, n_processes: int = 1) -> Cell:
    """End all connections of a study ``n`` times, at random moments."""
    cell, rng = Cell(), random.Random(0)
    trials = 30 * n_processes + 10 * n
    with Stage.postgresql(server.url) as stage:
        shared = {"trials": trials, "seconds": 0.02, "lease": 3.0, "n_decisions": 8}
        actors = [stage.start(stage.plan(role="any", **shared)) for _ in range(n_processes)]
        wait_until(lambda: stage.n_ended() > 2)
        engine = create_engine(server.url, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            for _ in range(n):
                time.sleep(rng.uniform(0.05, 0.25))
                connection.exec_driver_sql(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                    "WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
                )
        engine.dispose()
        for actor in actors:
            cell.expect(actor.wait() == 0, f"it ended with {actor.code}: {actor.said}")
        cell.count(audit(stage.url, stage.folder, trials=trials), f"{n} terminations")
        cell.message = f"{n} times in {trials} trials"
        _compared(stage, cell, trials, n_processes)
    return cell


def _compared(stage: Stage, cell: Cell, trials: int, n_processes: int) -> None:
    if n_processes == 1:
        cell.compare(sequence(stage.url), whole(1, trials, n_decisions=8), "the server's faults")
