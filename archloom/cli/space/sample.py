# SPDX-License-Identifier: Apache-2.0
"""``search space sample``: a few architectures of a space."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from archloom.cli._output import FormatOption, write
from archloom.cli._words import ordered
from archloom.cli.space._loading import OptionsArgument, SeedOption, SpaceArgument, loaded

if TYPE_CHECKING:
    from rich.console import RenderableType


def sample(
    source: SpaceArgument,
    options: OptionsArgument = None,
    *,
    n: Annotated[int, typer.Option("-n", min=1, help="How many.")] = 5,
    seed: SeedOption = 0,
    form: FormatOption = "table",
) -> None:
    """Draw architectures of a space.

    Each architecture has the same chance, and one may come twice. As JSON or YAML they are choices, which a
    study file takes as they are under 'enqueue'.
    """
    import numpy as np

    space = loaded(source, options or ()).space
    rows = space.sample(n, np.random.default_rng(seed))
    drawn = [space.architecture(rows[i]) for i in range(n)]
    if form == "table":
        from archloom.cli._tables import facts, lines, show

        told: list[tuple[str, RenderableType]] = [
            (str(i), lines(one.text.split("; "))) for i, one in enumerate(drawn)
        ]
        show(facts(told))
        return
    choices = [ordered(one.choices) for one in drawn]
    table = [
        {"architecture": one.text, "key": one.key, "choices": c}
        for one, c in zip(drawn, choices, strict=True)
    ]
    write({"enqueue": choices}, form, table)
