# SPDX-License-Identifier: Apache-2.0
"""A program that is run to its end, or killed with everything that it has started."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from typing import IO, final

from archloom.errors import ArchloomError

__all__ = ["Ended", "run_to_end"]

_KEPT_BYTES = 64 * 1024


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

    It leads a process group of its own. When the time is up, or this process is interrupted, the whole
    group is killed: also what the program has started.

    >>> run_to_end(["echo", "12.3"], timeout=10).out
    ['12.3']

    Args:
        argv: the program and its arguments.
        timeout: seconds.

    Raises:
        ArchloomError: it cannot be started, or runs longer.
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
            code = process.wait(timeout)
        except subprocess.TimeoutExpired:
            _kill(process)
            raise ArchloomError(
                f"{shlex.join(argv)} was killed: it ran longer than the timeout of {timeout:g} s"
                f"{_last(_lines(errors))}"
            ) from None
        except BaseException:  # Ctrl-C goes to this process alone, since the other leads its own group
            _kill(process)
            raise
        return Ended(code, _lines(out), _lines(errors))


def _kill(process: subprocess.Popen[bytes]) -> None:
    """Kill the group of a process that has not been waited for, so that its number is still its own."""
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _lines(file: IO[bytes]) -> list[str]:
    end = file.seek(0, os.SEEK_END)
    file.seek(max(0, end - _KEPT_BYTES))
    lines = file.read().decode(errors="replace").splitlines()
    return [line.strip() for line in lines if line.strip()]


def _last(lines: Sequence[str]) -> str:
    return f"; its last word was: {lines[-1]:.200}" if lines else ""
