# SPDX-License-Identifier: Apache-2.0
"""``search storage``: look after a database."""

from __future__ import annotations

import typer

from archloom.cli._verbs import OPTIONS, STORAGE_VERBS, group_class

__all__ = ["app"]

app = typer.Typer(
    name="storage",
    cls=group_class(STORAGE_VERBS, "archloom.cli.storage"),
    add_completion=False,
    help="Look after a database: what it is, whether it is sound, and bring it up to date.",
    **OPTIONS,
)


@app.callback()
def _group() -> None:
    """Make this a group, whatever the number of its verbs."""
