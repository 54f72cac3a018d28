# SPDX-License-Identifier: Apache-2.0
"""Functions of the user's that a study calls when a trial starts and when it ends."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from archloom.contracts import Metrics
from archloom.errors import ArchloomError
from archloom.store import TrialRecord

__all__ = ["Callback", "call", "run_reporter"]

Callback: TypeAlias = Callable[[Any, TrialRecord], object]
"""Called with the study and a trial; what it returns is not looked at."""


def call(callbacks: Sequence[Callback], study: Any, records: Sequence[TrialRecord]) -> None:
    """Call each callback for each trial.

    Raises:
        ArchloomError: one failed; the message names it and the trial.
    """
    for record in records:
        for callback in callbacks:
            try:
                callback(study, record)
            except ArchloomError:
                raise
            except Exception as error:
                what = f"callback {_name(callback)} failed for trial {record.number}"
                raise ArchloomError(f"{what}: {type(error).__name__}: {error}") from error


def run_reporter(callbacks: Sequence[Callback], study: Any) -> Callable[[str, int, Metrics], None]:
    """Return what tells the callbacks of an epoch of a run: those that have a method ``on_run``.

    It is called with the study, the run's name, the epoch and its metrics.
    """
    listening = [callback.on_run for callback in callbacks if hasattr(callback, "on_run")]

    def report(name: str, step: int, metrics: Metrics) -> None:
        for listen in listening:
            listen(study, name, step, metrics)

    return report


def _name(callback: Callback) -> str:
    named = callback if hasattr(callback, "__qualname__") else type(callback)
    return f"{named.__module__}:{named.__qualname__}"
