# SPDX-License-Identifier: Apache-2.0
"""``search space``: look into a search space."""

from __future__ import annotations

import typer

from archloom.cli._verbs import OPTIONS, SPACE_VERBS, group_class

__all__ = ["app"]

app = typer.Typer(
    name="space",
    cls=group_class(SPACE_VERBS, "archloom.cli.space"),
    add_completion=False,
    help="Look into a search space: show, count, sample or check it.",
    **OPTIONS,
)


@app.callback()
def _group() -> None:
    """Make this a group, whatever the number of its verbs."""
