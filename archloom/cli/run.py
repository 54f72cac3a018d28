# SPDX-License-Identifier: Apache-2.0
"""``search run``: run a study file."""

from __future__ import annotations

import contextlib
import shlex
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from archloom.cli._complete import complete_file
from archloom.cli._named import named
from archloom.cli._output import Format, FormatOption, objective_rows, trial_row, write
from archloom.cli._studies import leaders, shown_url

if TYPE_CHECKING:
    from rich.console import Console

    from archloom.cli._named import Named
    from archloom.cli._progress import LiveProgress, PlainProgress
    from archloom.config import RunOptions, StudyFile
    from archloom.store import TrialRecord
    from archloom.study import Study


def run(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE",
            help="The study file (YAML).",
            show_default=False,
            autocompletion=complete_file,
        ),
    ],
    overrides: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="KEY=VALUE",
            help="Overrides, such as budget.trials=3, strategy=random, store=sqlite:///x.db.",
            show_default=False,
        ),
    ] = None,
    *,
    resume: Annotated[bool, typer.Option("--resume", help="Continue the study of that name.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress on stderr.")] = False,
    form: FormatOption = "table",
) -> None:
    """Run a study file and show its winner.

    A finished trial is durable at once. Ctrl-C stops; --resume goes on where it stopped, with the
    same proposals as if it had never been stopped.
    """
    from rich.console import Console

    from archloom import config

    errors = Console(stderr=True, highlight=False)
    study_file = config.load(file, overrides or ())
    started = time.monotonic()
    with study_file.importing():
        is_new = resume and not quiet and _is_new(study_file)
        study = study_file.study(resume=resume)
        with study.store:
            if is_new:
                store = shown_url(study.store.url)
                _say(errors, f"no study {study.name!r} in {store} yet: starting it")
            if not quiet:
                _warn_of_startup(errors, study, study_file.run_options)
            try:
                with _progress(study_file, errors, quiet) as callbacks:
                    study.run(**study_file.run_options, callbacks=(*study_file.callbacks, *callbacks))
            except KeyboardInterrupt:
                again = ["search", "run", str(file), *(overrides or ()), "--resume"]
                _say_how_to_resume(errors, study, again)
                raise typer.Exit(130) from None
            again = _again(file, overrides or (), study, study_file.run_options)
            by = named(file, overrides or (), study_file)
            _show(study, form, time.monotonic() - started, by, again)
            if not leaders(study.store, study.id, study.objectives, 1):
                _say_why_nothing_won(errors, study, by)
                raise typer.Exit(1)


def _warn_of_startup(errors: Console, study: Study, budget: RunOptions) -> None:
    """Say so where a strategy that learns will not come to it."""
    n_startup, trials = study.strategy.n_startup, budget["trials"]
    if trials is not None and n_startup >= trials:
        name = type(study.strategy).__name__
        _say(
            errors,
            f"{name} makes its first {n_startup} proposals at random: with a budget of {trials} trials it "
            "never learns; give it a smaller start or more trials",
            "yellow",
        )


def _is_new(study_file: StudyFile) -> bool:
    """Whether the store holds no study of that name yet."""
    from archloom.errors import StoreError
    from archloom.store import Store

    try:
        with Store(study_file.store, must_exist=True) as store:
            return all(study.name != study_file.name for study in store.studies())
    except StoreError:  # there is no store yet, or opening it to write says what is wrong with it
        return True


@contextlib.contextmanager
def _progress(study_file: StudyFile, errors: Console, quiet: bool) -> Any:
    """Give the callbacks that show progress: none, a live bar in a terminal, or plain lines."""
    from archloom.cli._progress import LiveProgress, Pace, PlainProgress

    if quiet:
        yield ()
        return
    options = study_file.run_options
    pace = Pace(trials=options["trials"], minutes=options["minutes"], count=options["count"])
    progress: LiveProgress | PlainProgress
    progress = LiveProgress(errors, pace) if errors.is_terminal else PlainProgress(errors, pace)
    with progress:
        yield (progress,)


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


def _again(file: Path, overrides: Sequence[str], study: Study, budget: RunOptions) -> list[str]:
    """Return the command that goes on with a study, with twice the trials where they are spent."""
    trials = budget["trials"]
    n_spent = study.n_evaluations if budget["count"] == "evaluations" else study.n_proposals
    kept, more = list(overrides), []
    if trials is not None and n_spent >= trials:
        kept = [text for text in overrides if not text.startswith("budget.trials=")]
        more = [f"budget.trials={2 * trials}"]
    return ["search", "run", str(file), *kept, *more, "--resume"]


def _say_how_to_resume(errors: Console, study: Study, again: Sequence[str]) -> None:
    _say(errors, f"Interrupted: every finished trial is in {shown_url(study.store.url)}. Go on with")
    _say(errors, f"  {shlex.join(again)}")


def _say_why_nothing_won(errors: Console, study: Study, by: Named) -> None:
    from archloom.contracts import State

    trials = study.trials
    complete = [trial for trial in trials if trial.state == State.COMPLETE]
    if complete:
        _say(errors, f"No trial keeps the constraints: {_nearest(study, complete)}", "red")
    else:
        _say(errors, "No trial succeeded.", "red")
        for reason in list(dict.fromkeys(trial.reason for trial in trials if trial.reason))[:3]:
            _say(errors, f"  {reason}", "red")
    traced = [trial.number for trial in trials if trial.traceback]
    if traced:
        _say(errors, f"The traceback of trial {traced[0]} is shown by")
        _say(errors, f"  {by.command('show', str(traced[0]))}")


def _nearest(study: Study, complete: Sequence[TrialRecord]) -> str:
    from archloom.cli._words import percent

    trial = min(complete, key=lambda trial: trial.violation)
    broken = [text for text in study.constraints if text.violation(trial.metrics) > 0]
    return (
        f"the nearest is trial {trial.number}, which breaks {', '.join(map(str, broken))} "
        f"by {percent(trial.violation)}"
    )


def _say(errors: Console, line: str, style: str = "") -> None:
    errors.print(line, style=style, soft_wrap=True, markup=False, emoji=False)
