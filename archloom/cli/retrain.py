# SPDX-License-Identifier: Apache-2.0
"""``search retrain``: train what a search has found by itself, from scratch or from inherited weights."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import closing
from typing import TYPE_CHECKING, Annotated, Any

import typer

from archloom.cli._output import FormatOption, write
from archloom.cli._restored import TrustOption, restored
from archloom.cli._retrained import retrained_row, retrained_table
from archloom.cli._studies import StoreOption, StudyArgument, measured

if TYPE_CHECKING:
    from archloom.retraining import Retrained
    from archloom.store import TrialRecord
    from archloom.study import Study


def retrain(
    study: StudyArgument,
    trials: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[TRIAL]...", help="'best' or trials' numbers.", show_default="best, or those of --spread"
        ),
    ] = None,
    *,
    spread: Annotated[
        int | None,
        typer.Option(
            min=2,
            help="So many trials, evenly from the best to the worst: how well did the search rank them?",
            show_default=False,
        ),
    ] = None,
    epochs: Annotated[
        int | None,
        typer.Option(min=1, help="How long.", show_default="as long as the study's evaluator trains"),
    ] = None,
    seeds: Annotated[int, typer.Option(min=1, help="Trainings of each, under different seeds.")] = 1,
    inherit: Annotated[
        bool, typer.Option("--inherit", help="Start from the supernet's weights, not from scratch.")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress on stderr.")] = False,
    trust: TrustOption = False,
    store: StoreOption = None,
    form: FormatOption = "table",
) -> None:
    """Train architectures of a study by themselves, and measure them on the test data.

    Each training is a run of the study, with its curve and its weights; the trials stay as they are. What was
    trained before is not trained again, so that after Ctrl-C the same command goes on.
    """
    from archloom.errors import ConfigError

    if trials and spread:
        raise ConfigError("name the trials, or have --spread choose them")
    study_file, _ = restored(study, store, (), trust=trust)
    with study_file.importing():
        made = study_file.study(resume=True)
        with closing(made.store), made.retraining.runs.at_work():
            record = made.store.study(made.name)
            wanted = made.retraining.spread(spread) if spread else []
            wanted = wanted or [measured(made.store, record, trial) for trial in trials or ["best"]]
            found = _trained(made, wanted, epochs, seeds, inherit, quiet)
            made.retraining.agreement()
            _show(made, found, form)


def _trained(
    study: Study, trials: Sequence[TrialRecord], epochs: int | None, seeds: int, inherits: bool, quiet: bool
) -> list[Retrained]:
    from rich.console import Console
    from rich.progress import Progress

    retraining = study.retraining
    n_epochs = retraining.n_epochs(epochs, inherits=inherits)
    console = Console(stderr=True)
    found: list[Retrained] = []
    with Progress(console=console, transient=True, disable=quiet or not console.is_terminal) as progress:
        bar = progress.add_task("training", total=len(trials) * seeds * n_epochs)

        def told(name: str, step: int, metrics: Any) -> None:
            del metrics
            progress.update(bar, completed=len(found) * n_epochs + step, description=name)

        retraining.runs.on_report = told
        try:
            for trial in trials:
                for seed in range(seeds):
                    found.append(retraining.retrain(trial, epochs=epochs, seed=seed, inherits=inherits))
                    progress.update(bar, completed=len(found) * n_epochs)
        except KeyboardInterrupt:
            progress.stop()
            n = f"{len(found)} of {len(trials) * seeds} trainings are kept"
            print(f"Interrupted: {n}; the same command goes on", file=sys.stderr)  # noqa: T201
            raise typer.Exit(130) from None
    return found


def _show(study: Study, found: Sequence[Retrained], form: Any) -> None:
    from archloom.retraining import found_agreement

    agreement = found_agreement(study.store, study.id)
    if form != "table":
        rows = [retrained_row(each) for each in found]
        data = {"study": study.name, "retrained": rows, "agreement": agreement and agreement.metrics()}
        write(data, form, rows)
        return
    from archloom.cli._tables import facts, plain, show

    parts: list[Any] = [retrained_table(found, study.store.trials(study.id))]
    if agreement is not None:
        parts.append(facts([("ranking", plain(agreement.words()))]))
    show(*parts)
