# SPDX-License-Identifier: Apache-2.0
"""A program that is run to its end, or killed with everything that it has started."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import IO, final

from archloom.errors import ArchloomError

__all__ = ["Ended", "run_to_end"]

_KEPT_BYTES = 64 * 1024
_MOST_BYTES = 16_000_000


@final
@dataclass(frozen=True)
class Ended:
    """How a program ended.

    Args:
        code: its exit code; negative, the number of the signal that ended it.
        out: the end of what it printed, as lines that are not blank.
        errors: the same of its standard error.
    """

    code: int
    out: list[str]
    errors: list[str]


def run_to_end(argv: Sequence[str], timeout: float) -> Ended:
    """Run a program without a shell, in this environment and folder, with nothing to read.

    It leads a process group of its own. When it has ended, when the time is up, when it prints more than
    16 MB, or when this process is interrupted, the whole group is killed: also what the program has started.

    >>> run_to_end(["echo", "12.3"], timeout=10).out
    ['12.3']

    Args:
        argv: the program and its arguments.
        timeout: seconds.

    Raises:
        ArchloomError: it cannot be started, runs longer, or prints too much.
    """
    # Files, since reading a pipe to its end would wait for every process that has inherited it.
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as errors:
        try:
            process = subprocess.Popen(
                argv, stdin=subprocess.DEVNULL, stdout=out, stderr=errors, start_new_session=True
            )
        except OSError as error:
            raise ArchloomError(f"{shlex.join(argv)} cannot be started: {error.strerror or error}") from error
        try:
            trouble = _wait(process, timeout, out, errors)
        finally:  # Ctrl-C goes to this process alone, since the other leads its own group
            code = _kill(process)
        if trouble:
            raise ArchloomError(f"{shlex.join(argv)} was killed: {trouble}{_last(_lines(errors))}")
        return Ended(code, _lines(out), _lines(errors))


def _wait(process: subprocess.Popen[bytes], timeout: float, *files: IO[bytes]) -> str:
    """Wait for the end without taking note of it; say why the program must be killed, if it must."""
    end, pause = time.monotonic() + timeout, 0.001
    while os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT | os.WNOHANG) is None:
        if time.monotonic() > end:
            return f"it ran longer than the timeout of {timeout:g} s"
        if any(os.fstat(file.fileno()).st_size > _MOST_BYTES for file in files):
            return f"it printed more than {_MOST_BYTES // 10**6} MB"
        time.sleep(pause)
        pause = min(2 * pause, 0.05)
    return ""


def _kill(process: subprocess.Popen[bytes]) -> int:
    """Kill what is left of a program's group, and return its exit code.

    The program itself has not been waited for, so that its number is still its own.
    """
    with suppress(ProcessLookupError, PermissionError):  # nobody is left but the one that has ended
        os.killpg(process.pid, signal.SIGKILL)
    return process.wait()


def _lines(file: IO[bytes]) -> list[str]:
    end = file.seek(0, os.SEEK_END)
    file.seek(max(0, end - _KEPT_BYTES))
    lines = file.read().decode(errors="replace").splitlines()
    return [line.strip() for line in lines if line.strip()]


def _last(lines: Sequence[str]) -> str:
    return f"; its last word was: {lines[-1]:.200}" if lines else ""
