# SPDX-License-Identifier: Apache-2.0
"""``search storage check``: whether a database is sound."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from archloom.cli._output import FormatOption, write
from archloom.cli._studies import PlainStoreOption
from archloom.cli._waiting import waiting

if TYPE_CHECKING:
    from archloom.store.integrity import Finding


def check(
    study: Annotated[
        str | None,
        typer.Argument(metavar="[STUDY]", help="A study's name; every study without.", show_default=False),
    ] = None,
    *,
    store: PlainStoreOption = None,
    form: FormatOption = "table",
) -> None:
    """Check that a database is sound: the file, the tables, and what must hold between them.

    What is wrong is told a line each, and the exit code is 1; nothing is mended.
    """
    from archloom import config
    from archloom.store import integrity

    url = store or config.default_store()
    with waiting("checking"):
        found = integrity.check(url, study)
    if form == "table":
        _print(found, study)
    else:
        rows = [finding._asdict() for finding in found]
        write({"is_sound": not rows, "findings": rows}, form, rows, header=("law", "study", "text"))
    if found:
        raise typer.Exit(1)


def _print(found: list[Finding], study: str | None) -> None:
    from rich.text import Text

    from archloom.cli._tables import exact, plain, show

    if not found:
        show(
            plain(
                "the database is sound"
                if study is None
                else f"the database and its study {study!r} are sound"
            )
        )
        return
    told = Text("\n", no_wrap=True, overflow="ignore").join(
        exact(
            f"{finding.study + ': ' if finding.study else ''}{finding.text} [{finding.law}]".replace(
                "\n", " "
            )
        )
        for finding in found
    )
    n = len(found)
    show(plain(f"{n} thing{'' if n == 1 else 's'} wrong", "bold red"), told)
