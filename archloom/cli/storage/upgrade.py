# SPDX-License-Identifier: Apache-2.0
"""``search storage upgrade``: an older database becomes one of this archloom."""

from __future__ import annotations

from typing import Annotated

import typer

from archloom.cli._output import FormatOption, write
from archloom.cli._studies import PlainStoreOption, shown_url
from archloom.cli._waiting import waiting


def upgrade(
    *,
    store: PlainStoreOption = None,
    backs_up: Annotated[
        bool, typer.Option("--backup/--no-backup", help="Whether a SQLite file is copied first.")
    ] = True,
    form: FormatOption = "table",
) -> None:
    """Bring a database that an older archloom made to this one's schema.

    A SQLite file is copied to FILE.bak-REVISION first; of PostgreSQL, make a dump yourself. An upgrade
    that is broken off leaves the database as it was.
    """
    from archloom import config
    from archloom.cli._tables import exact, show
    from archloom.store.integrity import bring_up_to_date

    url = store or config.default_store()
    with waiting("upgrading"):
        done = bring_up_to_date(url, backs_up=backs_up)
    row = {
        "store": shown_url(url),
        "from": done.old,
        "to": done.new,
        "backup": None if done.backup is None else str(done.backup),
    }
    if form != "table":
        write(row, form, [row])
        return
    if done.old == done.new:
        show(exact(f"{row['store']} has the schema {done.new} already: nothing to do"))
        return
    kept = f"\nas it was: {done.backup}" if done.backup else ""
    show(exact(f"{row['store']}: upgraded from schema {done.old} to {done.new}{kept}"))
