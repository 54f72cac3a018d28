# SPDX-License-Identifier: Apache-2.0
"""Trials in processes of their own, each on its device; one that dies is seen at once and replaced."""

from __future__ import annotations

import os
import selectors
import sys
import time
import weakref
from collections.abc import Sequence
from dataclasses import replace
from typing import IO, Any, final

from archloom.contracts import Done, Evaluate, Executor, Job, OnReport
from archloom.errors import ArchloomError, ConfigError
from archloom.executors._parcel import pack
from archloom.executors._pipe import read
from archloom.executors._process import Process, end_all

__all__ = ["ProcessExecutor"]

N_ATTEMPTS = 3
"""How many processes in a row may die before they are ready, in one slot."""
TICK = 0.2
"""Seconds between two looks for dead processes where the system cannot tell of them."""


@final
class ProcessExecutor(Executor):
    """Evaluate in child processes, started when first needed; this process alone hears reports.

    Args:
        processes: how many; one for each device unless said.
        devices: process ``i`` computes on ``devices[i % len(devices)]``, in torch's words; ``cpu`` without.

    Raises:
        ConfigError: a number or a device that is none, more devices than processes, or a system that
            cannot hand open files to a process.

    Example:
        >>> executor = ProcessExecutor(2, ["cuda:0", "cuda:1"])
        >>> executor.n_slots, executor.n_free
        (2, 2)
    """

    def __init__(self, processes: int | None = None, devices: Sequence[str] = ()) -> None:
        self._devices = _checked_devices(devices)
        n = (len(self._devices) or 1) if processes is None else processes
        if isinstance(n, bool) or not isinstance(n, int) or n < 1:
            raise ConfigError(f"processes is a whole number from 1, got {n!r}")
        if len(self._devices) > n:
            raise ConfigError(
                f"{n} processes cannot use {len(self._devices)} devices, {', '.join(self._devices)}: "
                "name fewer, or leave processes out"
            )
        if os.name != "posix":
            raise ConfigError(
                f"processes need a POSIX system such as Linux or macOS, and this is {sys.platform}"
            )
        if not sys.executable:
            raise ConfigError("processes need a Python to start, and this one does not know its own file")
        self._children: list[Process | None] = [None] * n
        self._parts: tuple[IO[bytes], OnReport, str] | None = None
        self._n_stillborn = 0
        # Whoever forgets to close it, or ends the program, leaves no process behind.
        self._owner = os.getpid()
        weakref.finalize(self, end_all, self._children, self._owner)

    @property
    def n_slots(self) -> int:
        """How many processes there are at most."""
        return len(self._children)

    @property
    def n_free(self) -> int:
        """How many of them have nothing in hand."""
        return sum(child is None or not child.jobs for child in self._children)

    def start(self, evaluate: Evaluate, on_report: OnReport) -> None:
        """Pack the evaluation for the processes; each is started with its first batch.

        Raises:
            ConfigError: a part of the evaluation cannot be pickled; the message names it.
            ArchloomError: it has been started and not closed.
        """
        if self._parts is not None:
            raise ArchloomError("this executor has been started already; close() it first")
        self._parts = pack(evaluate), on_report, os.getcwd()
        self._selector = selectors.DefaultSelector()
        self._n_stillborn = 0

    def submit(self, jobs: Sequence[Job]) -> None:
        """Give jobs to a free process, to be evaluated together.

        Raises:
            ArchloomError: it has not been started, there are no jobs, or no slot is free.
        """
        if self._parts is None:
            raise ArchloomError("this executor has not been started; start() it before submit()")
        if not jobs or not self.n_free:
            raise ArchloomError(
                f"submit takes jobs while a slot is free; {len(jobs)} jobs, {self.n_free} free"
            )
        self._give(tuple(_shipped(job) for job in jobs))

    def next_finished(self, timeout: float | None = None) -> Done | None:
        """Answer reports until a batch has ended; ``None`` when none has in time, or none runs.

        Raises:
            ConfigError: the evaluation cannot be unpacked in a process, or processes die at the start.
            ArchloomError: the evaluation raised, which it never should; its traceback is in the message.
            Exception: whatever ``on_report`` raised.
        """
        until = None if timeout is None else time.monotonic() + timeout
        while self.n_free < self.n_slots:
            left = None if until is None else max(0.0, until - time.monotonic())
            done = self._attend(left)
            if done is not None or left == 0.0:
                return done
        return None

    def close(self) -> None:
        """End the processes and give up what they work on."""
        if self._parts is None:
            return
        parcel, self._parts = self._parts[0], None
        try:
            end_all(self._children, self._owner)
        finally:
            self._selector.close()
            parcel.close()

    # ------------------------------------------------------------------ the processes

    def _give(self, jobs: tuple[Job, ...]) -> None:
        """Hand jobs to a process that waits; start one where none does."""
        free = [i for i, child in enumerate(self._children) if child is None or not child.jobs]
        slot = min(free, key=lambda i: self._children[i] is None)
        child = self._children[slot]
        if child is not None and child.has_ended():
            self._clear(child)
            child = None
        (child or self._started(slot)).give(jobs)

    def _started(self, slot: int) -> Process:
        assert self._parts is not None
        parcel, _, folder = self._parts
        device = self._devices[slot % len(self._devices)] if self._devices else "cpu"
        child = Process(device, parcel, folder, max(1, _n_cores() // self.n_slots))
        self._children[slot] = child
        self._selector.register(child.connection, selectors.EVENT_READ, child)
        if child.ended_file is not None:
            self._selector.register(child.ended_file, selectors.EVENT_READ, child)
        return child

    def _attend(self, timeout: float | None) -> Done | None:
        """Wait for processes to say something or to die, and act on it, up to the first that has finished."""
        blind = [child for child in self._children if child is not None and child.ended_file is None]
        if blind:
            timeout = TICK if timeout is None else min(timeout, TICK)
        events = self._selector.select(timeout)
        spoke = [key.data for key, _ in events if key.fileobj is key.data.connection]
        ended = [key.data for key, _ in events if key.fileobj is not key.data.connection]
        ended += [child for child in blind if child.has_ended()]
        for child in [*spoke, *(child for child in ended if child not in spoke)]:
            if child not in self._children:
                continue  # cleared away a moment ago
            # The pipe of a dead one may say no word of it: a program that it has started can hold it open.
            speaks = child in spoke or child.connection.poll()
            done = self._listen(child) if speaks else self._mourn(child)
            if done is not None:
                return done  # what else there is will wait
        return None

    def _listen(self, child: Process) -> Done | None:
        """Take in one message, or the news that there will be none."""
        try:
            data = child.connection.recv_bytes()
        except (EOFError, OSError):
            return self._mourn(child)
        try:
            message = read(data)
        except Exception as error:
            message = ("error", f"its outcomes cannot be read here: {type(error).__name__}: {error}")
        return self._heed(child, message)

    def _heed(self, child: Process, message: tuple[Any, ...]) -> Done | None:
        match message:
            case ("done", outcomes, seconds):
                numbers, child.jobs = _numbers(child.jobs), ()
                return Done(numbers, outcomes, seconds)
            case ("report", number, step, metrics):
                self._answer(child, number, step, metrics)
            case ("ready",):
                self._n_stillborn = 0
                child.get_ready()
            case ("broken", reason):
                self._clear(child)
                raise ConfigError(
                    f"the evaluation cannot begin in a process of its own on {child.device} ({reason}); "
                    "what it needs must be importable from there, or be defined in the script itself"
                )
            case ("error", text):
                numbers, child.jobs = _numbers(child.jobs), ()
                trials = ", ".join(map(str, numbers))
                raise ArchloomError(
                    f"the evaluation of trial {trials} in process {child.pid} broke off: {text}"
                )
        return None

    def _answer(self, child: Process, number: int, step: int, metrics: dict[str, float]) -> None:
        assert self._parts is not None
        is_over = True  # should this raise, the process does not wait for ever
        try:
            is_over = bool(self._parts[1](number, step, metrics))
        finally:
            child.tell(is_over)

    def _mourn(self, child: Process) -> Done | None:
        """Clear a dead process away: its batch is lost, or handed on where it had not begun."""
        jobs, seconds, was_ready, last = child.jobs, child.seconds, child.is_ready, child.last_lines()
        fate = self._clear(child)
        if was_ready:
            return Done(_numbers(jobs), (), seconds, fate) if jobs else None
        self._n_stillborn += 1
        if self._n_stillborn >= N_ATTEMPTS + self.n_slots - 1:  # all slots may fall to one cause at once
            raise ConfigError(
                f"{self._n_stillborn} processes in a row died before they could evaluate; "
                f"{fate}{_quoted(last)}"
            )
        if jobs:
            self._give(jobs)
        return None

    def _clear(self, child: Process) -> str:
        """Take a process out of its slot and see that it is gone; return how it ended."""
        self._selector.unregister(child.connection)
        if child.ended_file is not None:
            self._selector.unregister(child.ended_file)
        self._children[self._children.index(child)] = None
        return child.bury()


def _checked_devices(devices: Sequence[str]) -> tuple[str, ...]:
    is_list = isinstance(devices, Sequence) and not isinstance(devices, str | bytes)
    if not is_list or not all(isinstance(device, str) and device for device in devices):
        raise ConfigError(f"devices is a list of names such as ['cuda:0', 'cuda:1'], got {devices!r}")
    return tuple(devices)


def _shipped(job: Job) -> Job:
    """Return a job as plain data."""
    return replace(job, choices=dict(job.choices), architecture=None)


def _numbers(jobs: Sequence[Job]) -> tuple[int, ...]:
    return tuple(job.number for job in jobs)


def _n_cores() -> int:
    """Return how many cores this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # macOS
        return os.cpu_count() or 1


def _quoted(text: str) -> str:
    return f"\n{text}" if text else ""
