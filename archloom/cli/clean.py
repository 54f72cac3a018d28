# SPDX-License-Identifier: Apache-2.0
"""``search clean``: what nothing needs any more is removed, after a look at it."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from archloom.cli._complete import complete_study
from archloom.cli._output import FormatOption, write
from archloom.cli._studies import StoreOption, named
from archloom.cli._waiting import waiting

if TYPE_CHECKING:
    from archloom.cli._cleaning import Item
    from archloom.store import Store


def clean(
    study: Annotated[
        str | None,
        typer.Argument(
            metavar="STUDY",
            help="The study's name, or its study file; all studies, where none is given.",
            show_default=False,
            autocompletion=complete_study,
        ),
    ] = None,
    *,
    keep: Annotated[
        str,
        typer.Option(
            "--keep",
            metavar="all|pareto|best",
            help="Whose files stay: those of all trials, of the Pareto front and the best, or of the best; "
            "those of trials with the tag 'keep' always do.",
            autocompletion=lambda: ["all", "pareto", "best"],
        ),
    ] = "all",
    waiting_trials: Annotated[
        bool,
        typer.Option("--waiting", help="Also end the trials that wait in studies that are done, as PRUNED."),
    ] = False,
    workers: Annotated[bool, typer.Option("--workers", help="Also forget workers that have ended.")] = False,
    vacuum: Annotated[
        bool, typer.Option("--vacuum", help="Also give back room that a SQLite file does not need.")
    ] = False,
    delete_study: Annotated[
        bool, typer.Option("--delete-study", help="Delete STUDY, all of it, with its files.")
    ] = False,
    artifacts: Annotated[
        Path | None,
        typer.Option(
            "--artifacts",
            metavar="FOLDER",
            help="Where the files are, a folder in it for each study; where none is given, as the study "
            "file says, or beside the database.",
            show_default=False,
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only list what would go, and change nothing.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    store: StoreOption = None,
    form: FormatOption = "table",
) -> None:
    """Remove what nothing needs any more: files of no trial and, if asked, more.

    Files are looked for only where archloom writes them, FOLDER/STUDY/NUMBER; links are not followed, and no
    path that stands in the database is ever removed. No single trial is ever deleted: numbers stay dense.
    """
    from archloom.cli._clean_wishes import Wishes

    wishes = Wishes(keep, waiting_trials, workers, vacuum, delete_study, artifacts)
    wishes.check(study)
    name, url = named(study, store) if study else (None, store or _default_store())
    with _opened(url) as opened_store:
        with waiting("looking for what may go"):
            tasks = wishes.tasks(opened_store, name, study)
            found = [(task, items) for task in tasks if (items := task.items())]
        items = [item for _, some in found for item in some]
        if form == "table":
            _print(items, wishes.notes)
        goes_on = bool(items) and not dry_run and (yes or _is_agreed(len(items)))
        if goes_on:
            with waiting("removing"):
                for task, _ in found:
                    task.run()
    if form != "table":
        rows = [item._asdict() for item in items]
        total = sum(item.n_bytes for item in items)
        data = {"is_removed": goes_on, "n_bytes": total, "items": rows, "notes": wishes.notes}
        write(data, form, rows, header=("kind", "study", "what", "why", "n_bytes"))
    elif items:
        _say("removed" if goes_on else "nothing was removed" + (" (--dry-run)" if dry_run else ""))


def _default_store() -> str:
    from archloom import config

    return config.default_store()


def _opened(url: str) -> Store:
    from archloom.store import Store

    return Store(url, must_exist=True)


def _is_agreed(n: int) -> bool:
    """Ask whether to go on; without somebody to answer, that has to be said beforehand."""
    from archloom.errors import ConfigError

    if not sys.stdin.isatty():
        raise ConfigError(
            "nothing was removed, since nobody can be asked: --yes removes it, --dry-run only lists it"
        )
    return typer.confirm(f"Remove {'this' if n == 1 else f'these {n:,}'}?", err=True)


def _print(items: Sequence[Item], notes: Sequence[str]) -> None:
    from rich.console import RenderableType

    from archloom.cli._columns import Column, Fitted
    from archloom.cli._tables import lines, plain, show
    from archloom.cli.storage.info import size

    parts: list[RenderableType] = [plain("there is nothing to remove")]
    if items:
        columns = [
            Column("what", [item.what for item in items], has_lines=True),
            Column("study", [item.study or "–" for item in items], rank=2),
            Column("why", [item.why for item in items], rank=1),
            Column("size", [size(item.n_bytes) if item.n_bytes else "–" for item in items], is_number=True),
        ]
        total = sum(item.n_bytes for item in items)
        parts = [Fitted(columns), plain(f"{len(items):,} in all, {size(total)}")]
    if notes:
        parts.append(lines(notes, "dim"))
    show(*parts)


def _say(words: str) -> None:
    from archloom.cli._tables import plain, show

    show(plain(words))
