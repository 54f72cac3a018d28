# SPDX-License-Identifier: Apache-2.0
"""``search trials``: the trials of a study, a line each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from archloom.cli._output import FormatOption, objective_rows, trial_row, write
from archloom.cli._sorting import sorted_by, sorted_metric
from archloom.cli._studies import StoreOption, StudyArgument, identity, opened
from archloom.cli._waiting import waiting

if TYPE_CHECKING:
    from archloom.cli._columns import Column
    from archloom.contracts import State
    from archloom.store import StudyRecord, TrialRecord


def trials(
    study: StudyArgument,
    *,
    state: Annotated[
        list[str] | None,
        typer.Option(
            "--state",
            "-s",
            metavar="STATE",
            help="Only those that are WAITING, RUNNING, COMPLETE, PRUNED or FAIL; give it again for more.",
            autocompletion=lambda: ["WAITING", "RUNNING", "COMPLETE", "PRUNED", "FAIL"],
            show_default=False,
        ),
    ] = None,
    sort: Annotated[
        str | None,
        typer.Option(
            "--sort",
            metavar="METRIC",
            help="Smallest first by a metric, 'number', 'time' or 'violation'; -METRIC for largest first.",
            show_default="number",
        ),
    ] = None,
    limit: Annotated[
        int | None, typer.Option("--limit", "-n", min=1, help="How many at most.", show_default="all")
    ] = None,
    store: StoreOption = None,
    form: FormatOption = "table",
) -> None:
    """Show the trials of a study, a line each.

    A trial that failed shows why in place of its architecture; 'search show STUDY NUMBER' has the traceback.
    """
    states = None if not state else [_state(word) for word in state]
    with opened(study, store) as (opened_store, record):
        with waiting("reading the trials"):
            found = opened_store.trials(identity(record), states=states)
        n_all = len(found)
        found = sorted_by(found, sort)[:limit]
        if form == "table":
            _print(found, record, n_all, states, sorted_metric(found, sort))
            return
        rows = [trial_row(trial, record.objectives) for trial in found]
        data = {"study": record.name, "objectives": objective_rows(record.objectives), "trials": rows}
        write(data, form, rows, header=("number", "state", "architecture", "reason"))


def _state(word: str) -> State:
    """Return the state that a word names, however it is written.

    Raises:
        ConfigError: it names none.
    """
    from archloom.contracts import State
    from archloom.errors import ConfigError, did_you_mean

    if word.upper() not in list(State):
        raise ConfigError(f"--state {word!r} is no state of a trial{did_you_mean(word.upper(), State)}")
    return State(word.upper())


def _print(
    trials: list[TrialRecord], study: StudyRecord, n_all: int, states: list[State] | None, by: str
) -> None:
    from rich.console import RenderableType

    from archloom.cli._columns import Fitted
    from archloom.cli._tables import lines, plain, show

    if not trials:
        named = f" that is {' or '.join(states)}" if states else " yet"
        show(plain(f"study {study.name!r} has no trial{named}"))
        return
    parts: list[RenderableType] = [Fitted(_columns(trials, study, by))]
    notes = ["* breaks a constraint"] if any(trial.violation for trial in trials) else []
    if len(trials) < n_all:
        notes.append(f"{len(trials)} of {n_all} trials")
    if notes:
        parts.append(lines(notes, "dim"))
    show(*parts)


def _columns(trials: list[TrialRecord], study: StudyRecord, by: str) -> list[Column]:
    """Return the columns of the table; the one that the trials are sorted by is always shown."""
    from archloom.cli._columns import Column
    from archloom.cli._tables import metric_columns
    from archloom.cli._words import percent, span

    times = [span(trial.seconds) for trial in trials]
    broken = [percent(trial.violation) if trial.violation else "–" for trial in trials]
    return [
        Column("trial", [str(trial.number) for trial in trials], is_number=True),
        Column("state", [f"{trial.state}{'*' if trial.violation else ''}" for trial in trials]),
        *metric_columns(trials, study.objectives, study.constraints, first=by),
        *([Column("violation", broken, is_number=True)] if by == "violation" else []),
        Column("time", times, is_number=True, rank=0 if by == "time" else 8),
        Column("architecture", [_told(trial) for trial in trials], rank=1, is_cut=True),
    ]


def _told(trial: TrialRecord) -> str:
    """Say what a trial is about: why it ended early, or its architecture."""
    if trial.reason and str(trial.state) in ("FAIL", "PRUNED"):
        return trial.reason
    return trial.text if trial.reused_from is None else f"as trial {trial.reused_from}: {trial.text}"
