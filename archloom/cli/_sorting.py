# SPDX-License-Identifier: Apache-2.0
"""What trials are sorted by, which their table always shows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from archloom.store import TrialRecord

SHOWN_ANYWAY = ("number", "state", "architecture", "reason", "key", "feasible", "pareto", "excluded")
"""Columns that the table has, or says otherwise."""


class Sorted(NamedTuple):
    """What is sorted by, by kind and in the order given.

    Args:
        metrics: full keys.
        decisions: names.
        columns: columns of a trial, ``time`` for its seconds.
    """

    metrics: tuple[str, ...] = ()
    decisions: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()


def sorted_names(trials: Sequence[TrialRecord], sort: str | None) -> Sorted:
    """Return what trials are sorted by, as far as a table can show it.

    Args:
        trials: as the store sorted them.
        sort: ``-accuracy, params``, which the store understood.
    """
    from archloom.store.parsing import parse_sort

    if sort is None:
        return Sorted()
    metrics = {metric for trial in trials for metric in trial.metrics}
    decisions = {name for trial in trials for name in trial.choices}
    found = Sorted()
    for operand, _ in parse_sort(sort)[1]:
        name = "time" if operand.text == "seconds" else operand.text
        full = name if name in metrics else f"validation/{name}"
        if not operand.kind and _is_column(name, trials):
            found = found._replace(columns=(*found.columns, name))
        elif operand.kind != "decision" and full in metrics:
            found = found._replace(metrics=(*found.metrics, full))
        elif operand.text in decisions:
            found = found._replace(decisions=(*found.decisions, operand.text))
    columns = tuple(name for name in dict.fromkeys(found.columns) if name not in SHOWN_ANYWAY)
    return Sorted(tuple(dict.fromkeys(found.metrics)), tuple(dict.fromkeys(found.decisions)), columns)


def _is_column(name: str, trials: Sequence[TrialRecord]) -> bool:
    return name in ("time", *SHOWN_ANYWAY) or any(name in vars(trial) for trial in trials[:1])
