# SPDX-License-Identifier: Apache-2.0
"""``search best``: the best trials of a study or of several, or its Pareto front."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from archloom.cli._across import StudiesArgument
from archloom.cli._output import Format, FormatOption, objective_rows, trial_row, write
from archloom.cli._studies import StoreOption, identity, leaders, nothing_found, opened
from archloom.cli._waiting import waiting

if TYPE_CHECKING:
    from archloom.cli._across import Group
    from archloom.store import StudyRecord, TrialRecord

SHOWN = 10


def best(
    studies: StudiesArgument = None,
    *,
    n: Annotated[
        int | None,
        typer.Option(
            "--limit",
            "-n",
            min=1,
            help="How many.",
            show_default="1, or the whole front; 10 of several studies",
        ),
    ] = None,
    store: StoreOption = None,
    form: FormatOption = "table",
) -> None:
    """Show the best trials of a study; with several objectives, its Pareto front.

    Several studies, or all of a store, are ranked together by the first objective that they share.
    """
    if studies and len(studies) == 1:
        _of_one(studies[0], n, store, form)
    else:
        _of_many(studies or [], n or SHOWN, store, form)


def _of_one(study: str, n: int | None, store: str | None, form: Format) -> None:
    with opened(study, store) as (opened_store, record):
        trials = leaders(opened_store, identity(record), record.objectives, n)
        if not trials:
            raise nothing_found(record)
        if form == "table":
            _print(trials, record)
            return
        rows = [trial_row(trial, record.objectives) for trial in trials]
        key = "pareto" if len(record.objectives) > 1 else "best"
        write({"study": record.name, "objectives": objective_rows(record.objectives), key: rows}, form, rows)


def _print(trials: list[TrialRecord], study: StudyRecord) -> None:
    from archloom.cli._tables import architecture, facts, show, trial_facts, trials_table

    if len(trials) > 1 or len(study.objectives) > 1:
        show(trials_table(trials, study.objectives, study.constraints))
        return
    winner = [("trial", str(trials[0].number)), *trial_facts(trials[0], study.objectives, study.constraints)]
    show(facts(winner), architecture(trials[0]))


def _of_many(studies: list[str], n: int, store: str | None, form: Format) -> None:
    from archloom.cli._across import describe, grouped_by, notes, table
    from archloom.cli._tables import lines, plain, show

    with waiting("reading the studies"):
        groups, left_out = grouped_by(
            studies,
            store,
            lambda record: record.objectives[:1],
            lambda one, record: leaders(one, identity(record), record.objectives[:1], n),
        )
    ranked = [_ranked(group, n) for group in groups]
    if form == "table":
        parts = [part for group in ranked for part in (plain(group.title, "bold"), table(group))]
        told = notes(ranked, left_out)
        show(*parts, *([lines(told, "dim")] if told else []))
        return
    data = [describe(group, "best") for group in ranked]
    rows = [row for group in data for row in group["best"]]
    missing = [{"study": name, "reason": reason} for name, reason in left_out]
    write({"rankings": data, "left_out": missing}, form, rows, header=("study", "number", "architecture"))


def _ranked(group: Group, n: int) -> Group:
    sign = group.objectives[0].sign
    return group._replace(
        entries=sorted(group.entries, key=lambda entry: sign * (entry.trial.values[0] or 0.0))[:n]
    )
