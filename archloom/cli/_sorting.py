# SPDX-License-Identifier: Apache-2.0
"""Trials in an order that is asked for."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from archloom.errors import UnknownNameError, did_you_mean

if TYPE_CHECKING:
    from archloom.store import TrialRecord

FIELDS: dict[str, Callable[[TrialRecord], float | None]] = {
    "number": lambda trial: trial.number,
    "time": lambda trial: trial.seconds,
    "seconds": lambda trial: trial.seconds,
    "violation": lambda trial: trial.violation,
}


def sorted_by(trials: Sequence[TrialRecord], key: str | None) -> list[TrialRecord]:
    """Return trials by a metric, smallest first; by ``-metric`` largest first; those without it come last.

    Args:
        trials: in the order of their numbers, which decides between equals.
        key: a metric (``accuracy`` stands for ``validation/accuracy``) or one of ``FIELDS``.

    Raises:
        UnknownNameError: no trial has such a metric.
    """
    if key is None:
        return list(trials)
    is_falling, name = key.startswith("-"), key.removeprefix("-")
    read = FIELDS.get(name) or _metric(trials, name)
    values = {trial.number: read(trial) for trial in trials}
    there = {number: value for number, value in values.items() if value is not None and not math.isnan(value)}
    ranked = sorted((trial for trial in trials if trial.number in there), key=lambda t: there[t.number])
    if is_falling:
        ranked.sort(key=lambda trial: there[trial.number], reverse=True)
    return ranked + [trial for trial in trials if trial.number not in there]


def sorted_metric(trials: Sequence[TrialRecord], key: str | None) -> str:
    """Return the full name of what trials are sorted by, ``time`` for seconds; empty where nothing is asked.

    Args:
        trials: as for ``sorted_by``.
        key: as for ``sorted_by``, which has found it.
    """
    name = (key or "").removeprefix("-")
    if name in FIELDS:
        return "time" if name == "seconds" else name
    known = {metric for trial in trials for metric in trial.metrics}
    return name if not name or name in known else f"validation/{name}"


def _metric(trials: Sequence[TrialRecord], name: str) -> Callable[[TrialRecord], float | None]:
    known = {metric for trial in trials for metric in trial.metrics}
    full = name if name in known else f"validation/{name}"
    if full not in known and trials:
        raise UnknownNameError(f"--sort {name!r}: no trial has it{did_you_mean(name, known | set(FIELDS))}")
    return lambda trial: trial.metrics.get(full)
