# SPDX-License-Identifier: Apache-2.0
"""``search pareto``: the trials of a study that no other beats in every objective."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from archloom.cli._across import StudiesArgument
from archloom.cli._output import Format, FormatOption, objective_rows, trial_row, write
from archloom.cli._studies import StoreOption, identity, leaders, nothing_found, opened
from archloom.cli._waiting import waiting

if TYPE_CHECKING:
    from rich.console import RenderableType

    from archloom.cli._across import Entry, Group
    from archloom.store import StudyRecord, TrialRecord


def pareto(
    studies: StudiesArgument = None, *, store: StoreOption = None, form: FormatOption = "table"
) -> None:
    """Show the Pareto front of a study, with a plot where there are two objectives.

    On the front are the COMPLETE trials that keep every constraint and that no other such trial beats: none
    is at least as good in every objective and better in one. Repeats are left out. Of several studies, or all
    of a store, those with the same objectives have one front.
    """
    if studies and len(studies) == 1:
        _of_one(studies[0], store, form)
    else:
        _of_many(studies or [], store, form)


def _of_one(study: str, store: str | None, form: Format) -> None:
    from archloom.contracts import State

    with opened(study, store) as (opened_store, record):
        front = leaders(opened_store, identity(record), record.objectives, None)
        if not front:
            raise nothing_found(record)
        rows = [trial_row(trial, record.objectives) for trial in front]
        if form != "table":
            data = {"study": record.name, "objectives": objective_rows(record.objectives), "pareto": rows}
            write(data | {"constraints": list(record.constraints)}, form, rows)
            return
        with waiting("reading the trials"):
            complete = opened_store.trials(identity(record), states=[State.COMPLETE])
        _print(front, [trial for trial in complete if not trial.excluded], record)


def _of_many(studies: list[str], store: str | None, form: Format) -> None:
    from archloom.cli._across import describe, grouped_by, notes, table
    from archloom.cli._tables import lines, plain, show

    with waiting("reading the studies"):
        groups, left_out = grouped_by(
            studies,
            store,
            lambda record: record.objectives,
            lambda one, record: leaders(one, identity(record), record.objectives, None),
        )
    fronts = [_front(group) for group in groups]
    if form == "table":
        parts = [part for group in fronts for part in (plain(group.title, "bold"), table(group))]
        told = notes(fronts, left_out)
        show(*parts, *([lines(told, "dim")] if told else []))
        return
    data = [describe(group, "pareto") for group in fronts]
    rows = [row for group in data for row in group["pareto"]]
    missing = [{"study": name, "reason": reason} for name, reason in left_out]
    write({"fronts": data, "left_out": missing}, form, rows, header=("study", "number", "architecture"))


def _front(group: Group) -> Group:
    """Keep the trials that none of any study dominates, best of the first objective first."""
    from archloom.store.front import dominates

    def costs(entry: Entry) -> list[float]:
        return [goal.sign * entry.trial.metrics[goal.metric] for goal in group.objectives]

    points = [costs(entry) for entry in group.entries]
    left = [
        (point, entry)
        for point, entry in zip(points, group.entries, strict=True)
        if not any(dominates(other, point) for other in points)
    ]
    return group._replace(entries=[entry for _, entry in sorted(left, key=lambda pair: pair[0])])


def _print(front: Sequence[TrialRecord], complete: Sequence[TrialRecord], study: StudyRecord) -> None:
    from archloom.cli._tables import lines, plain, show, trials_table

    feasible = [trial for trial in complete if not trial.violation]
    goals = " and ".join(f"{o.direction} {o.metric}" for o in study.objectives)
    kept = f", {' and '.join(study.constraints)}" if study.constraints else ""
    counts = f"{len(front)} on the front of {len(feasible)} that are COMPLETE and feasible"
    head = lines([counts, f"{goals}{kept}"])
    parts: list[RenderableType] = [head, trials_table(front, study.objectives, study.constraints)]
    if len(study.objectives) == 1:
        parts.append(plain("with one objective, the front is the best trial", "dim"))
    if len(study.objectives) == 2 and len(feasible) > 1:
        parts.append(_picture(front, feasible, study))
    show(*parts)


def _picture(
    front: Sequence[TrialRecord], feasible: Sequence[TrialRecord], study: StudyRecord
) -> RenderableType:
    """Draw the trials with the second objective across and the first one up."""
    from rich.console import Console

    from archloom.cli._plot import plot
    from archloom.cli._tables import exact

    members = {trial.number for trial in front}
    marks: dict[str, list[tuple[float, float]]] = {"·": [], "●": []}
    for trial in feasible:
        up, across = trial.values
        if up is not None and across is not None:
            marks["●" if trial.number in members else "·"].append((across, up))
    first, second = study.objectives
    drawn = plot(marks, second.metric, first.metric, Console().width)
    return exact("\n".join([*drawn, "", "● on the front   · another feasible trial"]))
