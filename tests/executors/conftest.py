# SPDX-License-Identifier: Apache-2.0
"""What the tests of executors share: executors that are closed, and a look at what they leave behind."""

from __future__ import annotations

import gc
import os
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from archloom.contracts import Done, Evaluate, Job, Metrics, OnReport
from archloom.executors.processes import ProcessExecutor

Start = Callable[..., ProcessExecutor]


def _children() -> set[str]:
    """Pids of this process's children, zombies included."""
    return set(" ".join(p.read_text() for p in Path("/proc/self/task").glob("*/children")).split())


@pytest.fixture(autouse=True)
def _nothing_is_left() -> Iterator[None]:
    """No test leaves a process, a zombie or an open file."""
    gc.collect()
    before = _children(), _open_files()
    yield
    gc.collect()
    assert _children() == before[0]
    assert _open_files() - before[1] == Counter()


def _open_files() -> Counter[str]:
    """What this process holds open, by name: a pipe or a socket counts as one of its kind."""
    found: Counter[str] = Counter()
    for number in os.listdir("/proc/self/fd"):
        with suppress(OSError):  # the listing's own is gone by now
            found[os.readlink(f"/proc/self/fd/{number}").partition(":[")[0]] += 1
    return found


@pytest.fixture
def start() -> Iterator[Start]:
    """Start a process executor: ``start(evaluate, on_report=..., processes=2)``."""
    begun: list[ProcessExecutor] = []

    def started(
        evaluate: Evaluate,
        on_report: OnReport | None = None,
        processes: int = 1,
        devices: tuple[str, ...] = (),
    ) -> ProcessExecutor:
        executor = ProcessExecutor(processes, devices)
        begun.append(executor)
        executor.start(evaluate, on_report or _deaf)
        return executor

    yield started
    for executor in begun:
        executor.close()


@pytest.fixture
def outcome() -> Callable[[ProcessExecutor, int, str], Done]:
    """Have one job evaluated, ``outcome(executor, number, op)``, and wait for what comes of it."""

    def run(executor: ProcessExecutor, number: int = 0, op: str = "") -> Done:
        executor.submit([Job(number, {"op": op}, seed=number)])
        done = executor.next_finished(60)
        assert done is not None
        return done

    return run


@pytest.fixture
def is_gone() -> Callable[[int], bool]:
    """Wait up to five seconds for a process to be no more."""

    def gone(pid: int) -> bool:
        until = time.monotonic() + 5
        while time.monotonic() < until:
            try:
                state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
            except (FileNotFoundError, ProcessLookupError):
                return True
            if state == "Z" and str(pid) not in _children():
                return True  # ended; it is for another to clear it away
            time.sleep(0.01)
        return False

    return gone


def _deaf(number: int, step: int, metrics: Metrics) -> bool:
    return False
