# SPDX-License-Identifier: Apache-2.0
"""What running trials report: kept here, written now and then, and shown to the pruner."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import suppress
from typing import final

from archloom.contracts import Metrics, Objective, Pruner
from archloom.errors import StoreUnavailableError
from archloom.objectives import checked_metrics
from archloom.store import Curve, Store

__all__ = ["Reports"]

_FLUSH = 0.5
"""Seconds between two writings: what is lost with the process, its trials will report again."""


@final
class Reports:
    """The curves of the trials that run in this process.

    Args:
        store: holds the study.
        study_id: the study.
        objective: the first one; the pruner looks at its curve.
        pruner: which trials to stop, if any.
        finished: gives the curves of complete trials, as costs.
    """

    def __init__(
        self,
        store: Store,
        study_id: int,
        objective: Objective,
        pruner: Pruner | None,
        finished: Callable[[], Collection[Mapping[int, float]]],
    ):
        self._store, self._study_id = store, study_id
        self._objective, self._pruner, self._finished = objective, pruner, finished
        self._flushed_at = time.monotonic()
        self._curves: dict[int, Curve] = {}
        self._known: Collection[Mapping[int, float]] = ()

    def __call__(self, number: int, step: int, metrics: Metrics) -> bool:
        """Take a step's metrics; return whether the pruner ends the trial."""
        plain = checked_metrics(metrics, "report")
        curve = self._curves.setdefault(number, Curve())
        curve.add(step, plain)
        if time.monotonic() - self._flushed_at > _FLUSH:
            self._flush()
        metric, sign = self._objective.metric, self._objective.sign
        if self._pruner is None or metric not in plain:
            return False
        costs = {at: sign * told[metric] for at, told in curve.steps.items() if metric in told}
        with suppress(StoreUnavailableError):  # then what was known before will do
            self._known = self._finished()
        return self._pruner.stop(costs, self._known)

    def of(self, numbers: Iterable[int]) -> dict[int, Curve]:
        """Return the curves of some trials, to be written with their end."""
        return {number: self._curves[number] for number in numbers if number in self._curves}

    def renew(self, numbers: Iterable[int]) -> None:
        """Have curves written once more: the store has dropped what it had of these trials."""
        for curve in self.of(numbers).values():
            curve.unsaved.update(curve.steps)

    def forget(self, numbers: Iterable[int] | None = None) -> None:
        """Forget some trials, or all: they have ended, or will be run again."""
        for number in list(self._curves if numbers is None else numbers):
            self._curves.pop(number, None)

    def _flush(self) -> None:
        self._flushed_at = time.monotonic()
        for number, curve in self._curves.items():
            if curve.unsaved:
                steps = {step: curve.steps[step] for step in sorted(curve.unsaved)}
                with suppress(StoreUnavailableError):  # they stay here and are written later
                    self._store.report_many(self._study_id, number, steps)
                    curve.unsaved.clear()
