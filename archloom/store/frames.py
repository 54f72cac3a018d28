# SPDX-License-Identifier: Apache-2.0
"""A study as a table in memory: one row a trial."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from archloom.store.records import TrialRecord, split_key
from archloom.store.views import short_key

if TYPE_CHECKING:
    import pandas

__all__ = ["make_frame"]

_LEADING = ("number", "state")
_TRAILING = (
    "seconds",
    "violation",
    "is_pareto",
    "reused_from",
    "fidelity",
    "seed",
    "ask",
    "key",
    "text",
    "reason",
    "started_at",
    "finished_at",
)


def make_frame(trials: Sequence[TrialRecord]) -> pandas.DataFrame:
    """Return a data frame with columns number, state, decisions, metrics, seconds, ...

    ``validation/accuracy`` is the column ``accuracy``, as in the views.

    A decision or metric of the same name as another column is marked: ``state (decision)``.
    """
    import pandas

    names = sorted({name for trial in trials for name in trial.choices})
    keys = sorted({key for trial in trials for key in trial.metrics})
    columns: dict[str, list[Any]] = {name: [getattr(trial, name) for trial in trials] for name in _LEADING}
    columns["state"] = [str(state) for state in columns["state"]]
    taken = {*_LEADING, *_TRAILING}
    for name in names:
        columns[_mark(name, "decision", taken)] = [trial.choices.get(name) for trial in trials]
    pairs = [split_key(key) for key in keys]
    for key, (split, name) in zip(keys, pairs, strict=True):
        columns[_mark(short_key(split, name, pairs), "metric", taken)] = [
            trial.metrics.get(key) for trial in trials
        ]
    columns |= {name: [getattr(trial, name) for trial in trials] for name in _TRAILING}
    frame = pandas.DataFrame(columns)
    frame["reused_from"] = frame["reused_from"].astype("Int64")
    return frame


def _mark(name: str, kind: str, taken: set[str]) -> str:
    while name in taken:
        name = f"{name} ({kind})"
    taken.add(name)
    return name
