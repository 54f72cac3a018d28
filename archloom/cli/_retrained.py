# SPDX-License-Identifier: Apache-2.0
"""Networks that were trained apart from their trials, as a table and as rows."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from archloom.retraining import Retrained
    from archloom.store import TrialRecord


def retrained_row(each: Retrained) -> dict[str, Any]:
    """Describe a training as plain JSON."""
    return {**each._asdict(), "metrics": dict(each.metrics), "weights": each.weights and str(each.weights)}


def retrained_table(found: Sequence[Retrained], trials: Sequence[TrialRecord]) -> Any:
    """Show trainings, those of one trial and kind in a line: means, with standard deviations over seeds."""
    from archloom.cli._columns import Column, Fitted
    from archloom.cli._words import number

    groups: dict[tuple[int, str, int], list[Retrained]] = {}
    for each in found:
        groups.setdefault((each.trial, each.kind, each.epochs), []).append(each)
    searched = {trial.number: trial.metrics for trial in trials}
    names = [name for name in found[0].metrics if name.startswith(("validation/", "test/"))] if found else []
    names.sort(key=lambda name: (name.endswith("/loss"), not name.startswith("test/")))
    columns = [
        Column("trial", [str(trial) for trial, _, _ in groups], is_number=True),
        Column("weights", [kind for _, kind, _ in groups]),
        Column("epochs", [str(epochs or "–") for _, _, epochs in groups], is_number=True, rank=3),
        Column("seeds", [str(len(group)) for group in groups.values()], is_number=True, rank=2),
    ]
    for place, name in enumerate(names):
        cells = [_mean([each.metrics.get(name) for each in group]) for group in groups.values()]
        is_loss = name.endswith("/loss")
        columns.append(Column(name, cells, is_number=True, rank=4 + place if is_loss else place))
        if not name.startswith("test/"):
            was = [number(searched.get(trial, {}).get(name)) for trial, _, _ in groups]
            rank = 8 + place if is_loss else 1
            columns.append(Column(f"searched {name}", was, is_number=True, rank=rank))
    return Fitted(columns)


def _mean(values: Sequence[float | None]) -> str:
    from archloom.cli._words import number

    known = [value for value in values if value is not None]
    if not known:
        return number(None)
    spread = f" ± {statistics.stdev(known):.2g}" if len(known) > 1 else ""
    return f"{number(statistics.fmean(known))}{spread}"
