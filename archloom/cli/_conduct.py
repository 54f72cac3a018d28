# SPDX-License-Identifier: Apache-2.0
"""Running a study and showing what came of it: what `run` and `resume` share."""

from __future__ import annotations

import contextlib
import shlex
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from archloom.cli._output import Format, objective_rows, trial_row, write
from archloom.cli._studies import leaders, shown_url
from archloom.cli._words import inert

if TYPE_CHECKING:
    from rich.console import Console

    from archloom.cli._named import Named
    from archloom.cli._progress import LiveProgress, PlainProgress
    from archloom.config import RunOptions, StudyFile
    from archloom.store import TrialRecord
    from archloom.study import Study


ChangesOption = Annotated[
    bool,
    typer.Option(
        "--allow-changes",
        help="Go on under other terms (space, strategy, evaluator, ...) than the study began with, "
        "and record them as a revision.",
    ),
]


def conduct(
    study_file: StudyFile,
    study: Study,
    *,
    by: Named,
    again: Sequence[str],
    more: Sequence[str],
    quiet: bool,
    form: Format,
) -> None:
    """Run a study to its end and show its winner; Ctrl-C says how to go on.

    Args:
        study_file: what the study was made from.
        study: to run.
        by: how it is named in other commands.
        again: the command that goes on with it.
        more: the command that goes on when its trials are spent.
        quiet: no progress.
        form: of the result.
    """
    from rich.console import Console

    errors = Console(stderr=True, highlight=False)
    started = time.monotonic()
    if not quiet:
        _warn_of_startup(errors, study, study_file.run_options)
        done = {run.name for run in study.store.runs.records(study.id) if run.state == "COMPLETE"}
        for evaluator in study.evaluators:
            if evaluator.preview() and evaluator.shares not in done:
                say(errors, evaluator.preview(), "dim")
    try:
        with progress(study_file.run_options, errors, quiet) as callbacks:
            study.run(
                **study_file.run_options,
                callbacks=(*study_file.callbacks, *callbacks),
                executor=study_file.executor(),
            )
    except KeyboardInterrupt:
        _say_how_to_resume(errors, study, again)
        raise typer.Exit(130) from None
    budget = study_file.run_options
    n_spent = study.n_evaluations if budget["count"] == "evaluations" else study.n_proposals
    is_spent = budget["trials"] is not None and n_spent >= budget["trials"]
    _show(study, form, time.monotonic() - started, by, more if is_spent else again)
    if not leaders(study.store, study.id, study.objectives, 1):
        _say_why_nothing_won(errors, study, by)
        raise typer.Exit(1)


def _warn_of_startup(errors: Console, study: Study, budget: RunOptions) -> None:
    """Say so where a strategy that learns will not come to it."""
    n_startup, trials = study.strategy.n_startup, budget["trials"]
    if trials is not None and n_startup >= trials:
        name = type(study.strategy).__name__
        say(
            errors,
            f"{name} makes its first {n_startup} proposals at random: with a budget of {trials} trials it "
            "never learns; give it a smaller start or more trials",
            "yellow",
        )


@contextlib.contextmanager
def progress(options: RunOptions, errors: Console, quiet: bool) -> Any:
    """Give the callbacks that show progress: none, a live bar in a terminal, or plain lines."""
    from archloom.cli._progress import LiveProgress, Pace, PlainProgress

    if quiet:
        yield ()
        return
    pace = Pace(trials=options["trials"], minutes=options["minutes"], count=options["count"])
    shown: LiveProgress | PlainProgress
    shown = LiveProgress(errors, pace) if errors.is_terminal else PlainProgress(errors, pace)
    with shown:
        yield (shown,)


def _show(study: Study, form: Format, seconds: float, by: Named, again: Sequence[str]) -> None:
    if form == "table":
        from archloom.cli._summary import next_commands, summary
        from archloom.cli._tables import exact, show

        commands = next_commands(study, by, again)
        lines = "\n".join(f"  {command}" for command in commands)
        show(
            *summary(study, seconds),
            *([exact("Next\n", "bold").append(lines, "not bold")] if commands else []),
        )
        return
    rows = [trial_row(trial, study.objectives) for trial in study.trials]
    write(result(study, rows), form, rows)


def result(study: Study, rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Describe a study that ran as plain JSON."""
    found = leaders(study.store, study.id, study.objectives, None)
    return {
        "study": study.name,
        "store": shown_url(study.store.url),
        "stop_reason": study.stop_reason,
        "n_proposals": study.n_proposals,
        "n_evaluations": study.n_evaluations,
        "counts": {str(state): n for state, n in study.store.counts(study.id).items()},
        "objectives": objective_rows(study.objectives),
        "pareto" if len(study.objectives) > 1 else "best": [trial_row(t, study.objectives) for t in found],
        "trials": rows,
    }


def _say_how_to_resume(errors: Console, study: Study, again: Sequence[str]) -> None:
    say(errors, f"Interrupted: every finished trial is in {shown_url(study.store.url)}. Go on with")
    say(errors, f"  {shlex.join(again)}")


def _say_why_nothing_won(errors: Console, study: Study, by: Named) -> None:
    from archloom.contracts import State

    trials = study.trials
    complete = [trial for trial in trials if trial.state == State.COMPLETE]
    if complete:
        say(errors, f"No trial keeps the constraints: {_nearest(study, complete)}", "red")
    else:
        say(errors, "No trial succeeded.", "red")
        for reason in list(dict.fromkeys(trial.reason for trial in trials if trial.reason))[:3]:
            say(errors, f"  {reason}", "red")
    traced = [trial.number for trial in trials if trial.traceback]
    if traced:
        say(errors, f"The traceback of trial {traced[0]} is shown by")
        say(errors, f"  {by.command('show', str(traced[0]))}")


def _nearest(study: Study, complete: Sequence[TrialRecord]) -> str:
    from archloom.cli._words import percent

    trial = min(complete, key=lambda trial: trial.violation)
    broken = [text for text in study.constraints if text.violation(trial.metrics) > 0]
    return (
        f"the nearest is trial {trial.number}, which breaks {', '.join(map(str, broken))} "
        f"by {percent(trial.violation)}"
    )


def say(errors: Console, line: str, style: str = "") -> None:
    errors.print(inert(line), style=style, soft_wrap=True, markup=False, emoji=False)
