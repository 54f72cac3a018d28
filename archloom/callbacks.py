# SPDX-License-Identifier: Apache-2.0
"""Functions of the user's that a study calls when a trial starts and when it ends."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from archloom.errors import ArchloomError
from archloom.store import TrialRecord

__all__ = ["Callback", "call"]

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


def _name(callback: Callback) -> str:
    named = callback if hasattr(callback, "__qualname__") else type(callback)
    return f"{named.__module__}:{named.__qualname__}"
