# SPDX-License-Identifier: Apache-2.0
"""``search evaluators``: the evaluators there are."""

from __future__ import annotations

from typing import Annotated

from archloom.cli._complete import name_argument
from archloom.cli._output import FormatOption
from archloom.cli._registered import show_registered


def evaluators(
    name: Annotated[str | None, name_argument("evaluators")] = None,
    *,
    form: FormatOption = "table",
) -> None:
    """Show the evaluators there are, or the options of one.

    With NAME, what it takes and a line for the 'evaluator' of a study file.
    """
    show_registered("evaluators", "evaluator", name, form)
