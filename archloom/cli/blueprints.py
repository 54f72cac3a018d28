# SPDX-License-Identifier: Apache-2.0
"""``search blueprints``: the blueprints there are."""

from __future__ import annotations

from typing import Annotated

import typer

from archloom.cli._complete import complete_registered
from archloom.cli._output import FormatOption
from archloom.cli._registered import show_registered


def blueprints(
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="[NAME]",
            help="A registered name, or an import path package.module:attribute.",
            show_default=False,
            autocompletion=complete_registered("blueprints"),
        ),
    ] = None,
    *,
    form: FormatOption = "table",
) -> None:
    """Show the blueprints there are, or the fields of one.

    A blueprint describes a part of a network in a 'space' that is written as a tree; any of its fields may
    hold a choice, such as {oneof: [3, 5]}.
    """
    show_registered("blueprints", "space", name, form)
