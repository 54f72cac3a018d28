# SPDX-License-Identifier: Apache-2.0
"""``search blueprints``: the blueprints there are."""

from __future__ import annotations

from typing import Annotated

from archloom.cli._complete import name_argument
from archloom.cli._output import FormatOption
from archloom.cli._registered import show_registered


def blueprints(
    name: Annotated[str | None, name_argument("blueprints")] = None,
    *,
    form: FormatOption = "table",
) -> None:
    """Show the blueprints there are, or the fields of one.

    A blueprint describes a part of a network in a 'space' that is written as a tree; any of its fields may
    hold a choice, such as {oneof: [3, 5]}.
    """
    show_registered("blueprints", "space", name, form)
