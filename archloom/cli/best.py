# SPDX-License-Identifier: Apache-2.0
"""``search best``: the best trials of a study, or its Pareto front."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from archloom.cli._output import FormatOption, objective_rows, trial_row, write
from archloom.cli._studies import StoreOption, StudyArgument, identity, leaders, nothing_found, opened

if TYPE_CHECKING:
    from archloom.store import StudyRecord, TrialRecord


def best(
    study: StudyArgument,
    *,
    n: Annotated[
        int | None, typer.Option("-n", min=1, help="How many.", show_default="1, or the whole front")
    ] = None,
    store: StoreOption = None,
    form: FormatOption = "table",
) -> None:
    """Show the best trials of a study; with several objectives, its Pareto front."""
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
