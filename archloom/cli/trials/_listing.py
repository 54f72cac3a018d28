# SPDX-License-Identifier: Apache-2.0
"""``search trials``: the trials of a study, a line each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from archloom.cli._complete import complete_study
from archloom.cli._output import FormatOption, objective_rows, trial_row, write
from archloom.cli._sorting import Sorted, sorted_names
from archloom.cli._studies import StoreOption, identity, opened
from archloom.cli._verbs import VERBS
from archloom.cli._waiting import waiting

if TYPE_CHECKING:
    from archloom.cli._columns import Column
    from archloom.contracts import State
    from archloom.store import StudyRecord, TrialRecord


def _offered(ctx: typer.Context, incomplete: str) -> list[str]:
    """Offer studies, and what else 'search trials' does."""
    inner = [verb.name.split()[1] for verb in VERBS if verb.name.startswith("trials ")]
    return [*(word for word in inner if word.startswith(incomplete)), *complete_study(ctx, incomplete)]


def trials(
    study: Annotated[
        str,
        typer.Argument(
            metavar="STUDY",
            help="The study's name, or its study file; a study that is called like a command below goes "
            "after two dashes: 'search trials -- tag'.",
            show_default=False,
            autocompletion=_offered,
        ),
    ],
    *,
    where: Annotated[
        str | None,
        typer.Option(
            "--where",
            "-w",
            metavar="CONDITION",
            help="Only those of which it holds: 'params < 1e5 and op in (conv_3x3, skip)'.",
            show_default=False,
        ),
    ] = None,
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
            metavar="NAMES",
            help="Smallest first by a metric, a decision or a column such as 'time'; -NAME for largest "
            "first; several with commas.",
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

    A condition compares metrics, decisions and columns with values: = != < <= > >=, in (a, b),
    contains 'text', is missing; joined by and, or, not and brackets. Names with spaces stand in `backticks`,
    texts in 'quotes'. A comparison with what is missing is false.

    Columns: number, state, time, violation, fidelity, reason, architecture, key, excluded, tag, ask, seed,
    worker, n_lost, reused_from, finish_order, created_at, started_at, finished_at; feasible and pareto stand
    alone.
    """
    states = None if not state else [_state(word) for word in state]
    with opened(study, store) as (opened_store, record):
        with waiting("reading the trials"):
            key = identity(record)
            found = opened_store.trials(key, states=states, where=where, sort=sort, limit=limit)
            is_cut = limit is not None and len(found) == limit
            n_all = opened_store.n_trials(key, states=states, where=where) if is_cut else len(found)
        if form == "table":
            _print(found, record, n_all, _named(states, where), sorted_names(found, sort))
            return
        rows = [trial_row(trial, record.objectives) for trial in found]
        data = {"study": record.name, "objectives": objective_rows(record.objectives), "trials": rows}
        write(data | {"n_trials": n_all}, form, rows, header=("number", "state", "architecture", "reason"))


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


def _named(states: list[State] | None, where: str | None) -> str:
    """Say which trials were asked for."""
    parts = [f"that is {' or '.join(states)}"] if states else []
    parts += [f"of which {where} holds"] if where is not None else []
    return f" {' and '.join(parts)}" if parts else " yet"


def _print(trials: list[TrialRecord], study: StudyRecord, n_all: int, named: str, by: Sorted) -> None:
    from rich.console import RenderableType

    from archloom.cli._columns import Fitted
    from archloom.cli._tables import lines, plain, show

    if not trials:
        show(plain(f"study {study.name!r} has no trial{named}"))
        return
    parts: list[RenderableType] = [Fitted(_columns(trials, study, by))]
    notes = ["* breaks a constraint"] if any(trial.violation for trial in trials) else []
    notes += [f"† {_EXCLUDED[why]}" for why in sorted({trial.excluded for trial in trials} & set(_EXCLUDED))]
    if len(trials) < n_all:
        notes.append(f"{len(trials)} of {n_all} trials")
    if notes:
        parts.append(lines(notes, "dim"))
    show(*parts)


_EXCLUDED = {
    "outside": "does not count: outside the space as it is now",
    "invalid": "does not count: marked as invalid",
}


def _columns(trials: list[TrialRecord], study: StudyRecord, by: Sorted) -> list[Column]:
    """Return the columns of the table; those that the trials are sorted by are always shown."""
    from archloom.cli._columns import Column
    from archloom.cli._tables import metric_columns
    from archloom.cli._words import number, span

    times = [span(trial.seconds) for trial in trials]
    first, *others = by.metrics or ("",)
    columns = metric_columns(trials, study.objectives, study.constraints, first=first)
    shown = {column.title for column in columns}
    for metric in others:
        if metric not in shown:
            values = [number(trial.metrics.get(metric)) for trial in trials]
            columns.append(Column(metric, values, is_number=True))
    return [
        Column("trial", [str(trial.number) for trial in trials], is_number=True),
        Column("state", [_marked(trial) for trial in trials]),
        *columns,
        *(Column(name, [_choice(trial.choices.get(name)) for trial in trials]) for name in by.decisions),
        *(Column(name, [_cell(trial, name) for trial in trials]) for name in by.columns if name != "time"),
        Column("time", times, is_number=True, rank=0 if "time" in by.columns else 8),
        Column("architecture", [_told(trial) for trial in trials], rank=1, is_cut=True),
    ]


def _marked(trial: TrialRecord) -> str:
    return f"{trial.state}{'*' if trial.violation else ''}{'†' if trial.excluded else ''}"


def _choice(choice: str | float | None) -> str:
    from archloom.cli._words import number

    return choice if isinstance(choice, str) else number(choice)


def _cell(trial: TrialRecord, column: str) -> str:
    """Write a column of a trial in words."""
    from archloom.cli._words import moment, percent

    value = getattr(trial, column)
    if column.endswith("_at"):
        return moment(value)
    if column == "violation":
        return percent(value) if value else "–"
    return "–" if value is None or value == "" else str(value)


def _told(trial: TrialRecord) -> str:
    """Say what a trial is about: why it ended early, or its architecture."""
    if trial.reason and str(trial.state) in ("FAIL", "PRUNED"):
        return trial.reason
    return trial.text if trial.reused_from is None else f"as trial {trial.reused_from}: {trial.text}"
