# SPDX-License-Identifier: Apache-2.0
"""``search spaces``: the search spaces there are."""

from __future__ import annotations

from typing import Annotated

from archloom.cli._complete import name_argument
from archloom.cli._output import FormatOption
from archloom.cli._registered import show_registered


def spaces(
    name: Annotated[str | None, name_argument("search_spaces")] = None,
    *,
    form: FormatOption = "table",
) -> None:
    """Show the search spaces there are, or the options of one.

    With NAME, what it takes and a line for the 'space' of a study file.
    """
    show_registered("search_spaces", "space", name, form)
