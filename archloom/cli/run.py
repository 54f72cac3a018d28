# SPDX-License-Identifier: Apache-2.0
"""``search run``: run a study file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from archloom.cli._complete import complete_file
from archloom.cli._conduct import ChangesOption, conduct, say
from archloom.cli._named import named
from archloom.cli._output import FormatOption
from archloom.cli._studies import shown_url

if TYPE_CHECKING:
    from archloom.config import StudyFile
    from archloom.study import Changes


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
    allow_changes: ChangesOption = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress on stderr.")] = False,
    form: FormatOption = "table",
) -> None:
    """Run a study file and show its winner.

    A finished trial is durable at once. Ctrl-C stops; --resume goes on where it stopped, with the
    same proposals as if it had never been stopped.
    """
    from rich.console import Console

    from archloom import config

    study_file = config.load(file, overrides or ())
    changes: Changes = "record" if allow_changes else "refuse"
    with study_file.importing():
        is_new = resume and not quiet and _is_new(study_file)
        study = study_file.study(resume=resume, changes=changes)
        with study.store:
            if is_new:
                store = shown_url(study.store.url)
                errors = Console(stderr=True, highlight=False)
                say(errors, f"no study {study.name!r} in {store} yet: starting it")
            command = ["search", "run", str(file)]
            kept = [text for text in overrides or () if not text.startswith("budget.trials=")]
            more = [f"budget.trials={2 * (study_file.run_options['trials'] or 0)}"]
            conduct(
                study_file,
                study,
                by=named(file, overrides or (), study_file),
                again=[*command, *(overrides or ()), "--resume"],
                more=[*command, *kept, *more, "--resume"],
                quiet=quiet,
                form=form,
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
