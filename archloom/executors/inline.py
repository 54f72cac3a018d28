# SPDX-License-Identifier: Apache-2.0
"""Trials in the caller's own process and thread, one batch after the other."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import final

from archloom.contracts import Done, Evaluate, Executor, Job, Metrics, OnReport
from archloom.errors import ArchloomError
from archloom.objectives import checked_metrics, checked_step

__all__ = ["InlineExecutor"]


@final
class InlineExecutor(Executor):
    """Run each batch when its result is asked for; that then takes as long as it takes.

    Args:
        device: where to compute, in torch's words.
    """

    def __init__(self, device: str = "cpu") -> None:
        self._device = device
        self._waiting: Sequence[Job] = ()
        self._parts: tuple[Evaluate, OnReport] | None = None

    @property
    def n_slots(self) -> int:
        """One."""
        return 1

    @property
    def n_free(self) -> int:
        """One, unless a batch waits."""
        return 0 if self._waiting else 1

    def start(self, evaluate: Evaluate, on_report: OnReport) -> None:
        """Take the evaluation and who hears its reports.

        Raises:
            ArchloomError: it has been started and not closed.
        """
        if self._parts is not None:
            raise ArchloomError("this executor has been started already; close() it first")
        self._parts = evaluate, on_report

    def submit(self, jobs: Sequence[Job]) -> None:
        """Keep the jobs until their result is asked for.

        Raises:
            ArchloomError: it has not been started, there are no jobs, or no slot is free.
        """
        if self._parts is None:
            raise ArchloomError("this executor has not been started; start() it before submit()")
        if not jobs or self._waiting:
            raise ArchloomError(
                f"submit takes jobs while a slot is free; {len(jobs)} jobs, {self.n_free} free"
            )
        self._waiting = tuple(jobs)

    def next_finished(self, timeout: float | None = None) -> Done | None:
        """Evaluate the batch that waits, however long that takes.

        Raises:
            Exception: whatever ``on_report`` raised; what the evaluation raised, which it never should.
        """
        if self._parts is None or not self._waiting:
            return None
        evaluate, on_report = self._parts
        jobs, self._waiting = self._waiting, ()
        listener = _Listener(on_report)
        started = time.perf_counter()
        try:
            outcomes = evaluate(jobs, self._device, listener)
        except Exception as error:
            raise listener.trouble or error from None
        seconds = time.perf_counter() - started
        if listener.trouble is not None:
            raise listener.trouble  # the evaluation took it for a failure of its own
        return Done(tuple(job.number for job in jobs), outcomes, seconds)

    def close(self) -> None:
        """Give up the batch that waits."""
        self._waiting = ()
        self._parts = None


class _Listener:
    """Hands reports on, and remembers what went wrong on the other side: that is no fault of the trial's."""

    def __init__(self, on_report: OnReport) -> None:
        self._on_report = on_report
        self.trouble: Exception | None = None

    def __call__(self, number: int, step: int, metrics: Metrics) -> bool:
        plain = checked_metrics(metrics, "report")  # an error here is the trial's own
        at = checked_step(step)
        try:
            return bool(self._on_report(number, at, plain))
        except Exception as error:
            self.trouble = error
            raise
