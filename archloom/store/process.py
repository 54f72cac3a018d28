# SPDX-License-Identifier: Apache-2.0
"""Which process this is, and whether another one on this machine still runs.

A process number alone tells little: it is used again, and another container may have the same. So a
process is known by machine, boot, namespace and its start in ticks since the boot, which no change of
the clock moves.
"""

from __future__ import annotations

import os
import socket
import uuid
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

__all__ = ["Process", "is_dead", "is_here", "this_process"]

_PROC = Path("/proc")


class Process(NamedTuple):
    """A process that can be told from every other.

    Args:
        host: its machine's name.
        pid: its number there.
        mark: what tells it from a later process of that number, or from one elsewhere.
    """

    host: str
    pid: int
    mark: str


def this_process() -> Process:
    """Return the process that asks."""
    pid = os.getpid()
    return Process(socket.gethostname(), pid, f"{_machine()} {_start(pid) or ''}")


def is_dead(process: Process) -> bool:
    """Whether a process is known to have ended; ``False`` where that cannot be seen from here.

    >>> is_dead(this_process())
    False
    >>> is_dead(this_process()._replace(mark="another machine"))
    False
    """
    machine, _, start = process.mark.rpartition(" ")
    if machine != _machine() or os.name != "posix":
        return False
    if start and (now := _start(process.pid)) is not None:
        return now != start
    try:
        os.kill(process.pid, 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False


def is_here(process: Process) -> bool:
    """Whether a process is seen to run on this machine."""
    return process.mark.rpartition(" ")[0] == _machine() and not is_dead(process)


@lru_cache(maxsize=1)
def _machine() -> str:
    """Return what is the same for all processes that see each other, and for no others."""
    with suppress(OSError):
        boot = (_PROC / "sys/kernel/random/boot_id").read_text().strip()
        return f"{boot} {os.readlink(_PROC / 'self/ns/pid')}"
    return f"{uuid.getnode():x} {socket.gethostname()}"


def _start(pid: int) -> str | None:
    """Return when a process began, in ticks since the boot; empty where it has ended, ``None`` if unseen."""
    try:
        fields = (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except (OSError, ValueError):
        return None
    return "" if fields[0] in "ZX" else fields[19]
