# SPDX-License-Identifier: Apache-2.0
"""``search strategies``: the strategies there are."""

from __future__ import annotations

from typing import Annotated

from archloom.cli._complete import name_argument
from archloom.cli._output import FormatOption
from archloom.cli._registered import show_registered


def strategies(
    name: Annotated[str | None, name_argument("strategies")] = None,
    *,
    form: FormatOption = "table",
) -> None:
    """Show the strategies there are, or the options of one.

    With NAME, what it takes and a line for the 'strategy' of a study file.
    """
    show_registered("strategies", "strategy", name, form)
