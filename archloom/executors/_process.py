# SPDX-License-Identifier: Apache-2.0
"""One process that evaluates, as its study sees it: started, spoken to, found dead, ended."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from multiprocessing import Pipe
from typing import IO, Any, final

from archloom.contracts import Job
from archloom.errors import ConfigError
from archloom.executors._pipe import FAREWELL, KEPT_PATH, say

__all__ = ["Process", "end_all"]

GRACE = 2.0
"""Seconds that a process is given to end by itself."""
N_LAST_LINES = 15


@final
class Process:
    """A fresh interpreter with a pipe to it; ``jobs`` is what it has in hand.

    Args:
        device: where it computes.
        parcel: file that the packed evaluation is in.
        folder: its working directory.
        n_threads: how many threads torch may use in it.

    Raises:
        ConfigError: the system does not let us start one.
    """

    def __init__(self, device: str, parcel: IO[bytes], folder: str, n_threads: int) -> None:
        self.device = device
        self.jobs: tuple[Job, ...] = ()
        self.is_ready = False
        self._since = time.perf_counter()
        self._is_over = False
        self._output: IO[bytes] | None = tempfile.TemporaryFile(prefix="archloom-")  # noqa: SIM115
        self.connection, theirs = Pipe()
        through = _errors()
        files = (theirs.fileno(), parcel.fileno(), through)
        words = [*map(str, files), str(os.getpid()), device]
        try:
            # -P, for a module of the user's must not shadow what the start needs. A session of its own, so
            # that Ctrl-C is ours alone, and what an evaluation starts can be ended with it.
            self._popen = subprocess.Popen(
                [sys.executable, "-P", "-m", "archloom.executors.child", *words],
                stdin=subprocess.DEVNULL,
                stdout=self._output,
                stderr=self._output,
                cwd=folder,
                env=_environment(folder, n_threads),
                pass_fds=files,
                start_new_session=True,
            )
        except OSError as error:
            self.connection.close()
            self._output.close()
            raise ConfigError(f"a process for trials cannot be started in {folder}: {error}") from None
        finally:
            theirs.close()
            os.close(through)
        self.pid = self._popen.pid
        self.ended_file = _ended_file(self.pid)
        self._end_poll = select.poll()
        if self.ended_file is not None:
            self._end_poll.register(self.ended_file, select.POLLIN)

    @property
    def seconds(self) -> float:
        """Time since it was given its jobs, or since it was started."""
        return time.perf_counter() - self._since

    def tell(self, message: Any) -> None:
        """Send it a message; whether it still lives to read it, the next look at it shows."""
        with suppress(BrokenPipeError, ConnectionResetError):
            say(self.connection, message)

    def give(self, jobs: Sequence[Job]) -> None:
        """Have jobs evaluated, now or when it is ready."""
        self.jobs = tuple(jobs)
        self._since = time.perf_counter()
        if self.is_ready:
            self.tell(self.jobs)

    def get_ready(self) -> None:
        """Note that it is ready, pass on what it has written so far, and let it begin."""
        self.is_ready = True
        early = self._written()
        if self._output is not None:
            self._output.close()
            self._output = None
        if early:
            with os.fdopen(_errors(), "wb") as file:
                file.write(early)
        if self.jobs:
            self.give(self.jobs)

    def last_lines(self) -> str:
        """Return the end of what it wrote before it was ready."""
        return "\n".join(self._written().decode(errors="replace").splitlines()[-N_LAST_LINES:])

    def _written(self) -> bytes:
        if self._output is None:
            return b""
        size = os.fstat(self._output.fileno()).st_size
        return os.pread(self._output.fileno(), size, 0)  # the offset is shared with the process

    def has_ended(self, timeout: float = 0.0) -> bool:
        """Wait for its end, without clearing it away where the system can: its number stays taken then."""
        if self.ended_file is not None:
            return bool(self._end_poll.poll(timeout * 1000))
        try:
            self._popen.wait(timeout)
        except subprocess.TimeoutExpired:
            return False
        return True

    def bury(self) -> str:
        """Clear away a process that is gone, with what it has started; say how it ended."""
        had_ended = self.has_ended(1.0)  # the pipe may be closed a moment before
        self.end()
        code = self._popen.returncode
        if not had_ended:
            return f"process {self.pid} closed its pipe in the midst of it"
        if code >= 0:
            return f"process {self.pid} ended with code {code} in the midst of it"
        return f"process {self.pid} was killed by signal {-code} ({_name(-code)})"

    def dismiss(self) -> None:
        """Ask it to end: with what it started where it works, as programs do where it waits."""
        if self.jobs or not self.is_ready:
            self._signal(signal.SIGTERM)
        else:
            self.tell(FAREWELL)
        self.connection.close()

    def end(self, until: float = 0.0) -> None:
        """Kill it at the latest at that time of the monotonic clock, with what it has started."""
        if self._is_over:
            return
        try:
            self.has_ended(max(0.0, until - time.monotonic()))
        finally:
            self._is_over = True
            self._signal(signal.SIGKILL)
            self._popen.wait()
            self.connection.close()
            if self._output is not None:
                self._output.close()
            if self.ended_file is not None:
                os.close(self.ended_file)

    def _signal(self, number: int) -> None:
        """Signal the process and whatever it has started."""
        try:
            os.killpg(self.pid, number)
        except (ProcessLookupError, PermissionError):  # all gone; some systems say so of a dead group
            self._popen.send_signal(number)


def end_all(processes: list[Process | None], owner: int) -> None:
    """End processes: politely, then not.

    Args:
        processes: the list is emptied of them.
        owner: pid of the process that started them; a fork of it leaves them alone.
    """
    if os.getpid() != owner:
        return
    alive = [process for process in processes if process is not None]
    processes[:] = [None] * len(processes)
    until = time.monotonic() + GRACE
    try:
        for process in alive:
            process.dismiss()
        for process in alive:
            process.end(until)
    finally:  # a second Ctrl-C ends the patience, not the duty
        for process in alive:
            process.end()


def _environment(folder: str, n_threads: int) -> dict[str, str]:
    """Return ours, with our import path for the start, and a fair share of the cores."""
    path = os.pathsep.join(os.path.join(folder, entry) for entry in sys.path)
    environment = os.environ | {"PYTHONPATH": path}
    environment.setdefault("OMP_NUM_THREADS", str(n_threads))
    if "PYTHONPATH" in os.environ:
        environment[KEPT_PATH] = os.environ["PYTHONPATH"]
    return environment


def _errors() -> int:
    """Return a new file number for our standard error."""
    try:
        return os.dup(2)
    except OSError:  # closed, as in a daemon
        return os.open(os.devnull, os.O_WRONLY)


def _ended_file(pid: int) -> int | None:
    """Return a file number that can be read when the process has ended, where the system has such."""
    try:
        return os.pidfd_open(pid)
    except (AttributeError, OSError):
        return None


def _name(number: int) -> str:
    try:
        name = signal.Signals(number).name
    except ValueError:
        return "a signal without a name"
    return f"{name}: out of memory?" if number == signal.SIGKILL else name
