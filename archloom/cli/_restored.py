# SPDX-License-Identifier: Apache-2.0
"""A study made ready to run again, from its file or from what the store kept of it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from archloom.cli._studies import named, opened, shown_url
from archloom.errors import StoreError

if TYPE_CHECKING:
    from archloom.config import StudyFile

TrustOption = Annotated[
    bool,
    typer.Option(
        "--trust",
        help="Import and run the code that the database names; what a study file given as STUDY names "
        "is trusted.",
    ),
]


def restored(
    study: str, store: str | None, overrides: Sequence[str], *, trust: bool
) -> tuple[StudyFile, str]:
    """Return the study file of a study that is in a store, and the store's URL as it may be shown.

    Args:
        study: its name, or its study file, which then is what counts.
        store: the database, where it is named.
        overrides: ``KEY=VALUE`` each.
        trust: import and run the code that the database names.

    Raises:
        StoreError: no such study, or one that was not made from a study file.
        ConfigError: the database names code that is not trusted.
    """
    from archloom import config

    if Path(study).is_file():
        made = config.load(study, [*([f"store={store}"] if store else []), *overrides])
        with opened(made.name, made.store):  # else a misspelled name would begin another study
            return made, shown_url(made.store)
    name, url = named(study, store)
    with opened(study, store) as (_, record):
        if not record.config:
            raise StoreError(
                f"study {name!r} was not made from a study file, so that only the program that made it can "
                "go on with it: Study(..., name=..., store=..., resume=True)"
            )
        trusted = ["*"] if trust else []
        source = f"study {name!r}"
        found = config.restore(record.config, source=source, trusted=trusted, overrides=overrides, store=url)
        return found, shown_url(url)
