# SPDX-License-Identifier: Apache-2.0
"""``search space check``: whether the networks of a space can be built and fit their data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from archloom.cli._output import FormatOption, write
from archloom.cli._waiting import counted
from archloom.cli.space._loading import OptionsArgument, SeedOption, SpaceArgument, loaded, shape_of

if TYPE_CHECKING:
    from archloom.cli.space._misfits import Group as Misfits
    from archloom.config import StudyFile
    from archloom.evaluators.networks import Shaped

SHOWN = 10
HEADER = ("place", "path", "stage", "reason", "n", "architecture")


def check(
    source: SpaceArgument,
    options: OptionsArgument = None,
    *,
    n: Annotated[int, typer.Option("-n", min=1, help="How many architectures at most.")] = 100,
    input_shape: Annotated[
        str | None,
        typer.Option(
            "--input-shape",
            metavar="C,H,W",
            help="One sample's shape, such as 1,8,8 or 64; otherwise that of the study's data.",
            show_default=False,
        ),
    ] = None,
    n_outputs: Annotated[
        int, typer.Option("--n-outputs", min=1, help="With --input-shape: how wide the output is.")
    ] = 10,
    seed: SeedOption = 0,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress on stderr.")] = False,
    form: FormatOption = "table",
) -> None:
    """Build sampled architectures without weights and report those that do not fit.

    All of a small space; of a large one first a few that together hold every candidate of every decision,
    then random ones. Nothing is trained. Exit code 1 where one does not fit.
    """
    import numpy as np

    from archloom.cli.space._misfits import gathered
    from archloom.evaluators.checking import checked, describes_network

    study_file = loaded(source, options or ())
    space = study_file.space
    with study_file.importing():
        rng = np.random.default_rng(seed)
        if not describes_network(space.architecture(space.sample(1, rng)).value):
            _say_nothing_to_check(study_file, form)
            return
        shape = shape_of(study_file, input_shape, n_outputs)
        found = list(counted(checked(space, shape, n=n, rng=rng), n, "checking", quiet=quiet))
        groups = gathered(found, study_file)
    n_wrong = sum(group.n for group in groups)
    if form == "table":
        _print(study_file, shape, len(found), n_wrong, groups)
    else:
        rows = [group.row() for group in groups]
        data = {
            "source": study_file.source,
            "size": space.size,
            "n_checked": len(found),
            "n_misfits": n_wrong,
        }
        write(data | {"input_shape": list(shape.input_shape), "misfits": rows}, form, rows, header=HEADER)
    if n_wrong:
        raise typer.Exit(1)


def _say_nothing_to_check(study_file: StudyFile, form: Any) -> None:
    from archloom.cli._tables import plain, show

    if form == "table":
        show(plain(f"{study_file.source}: the space describes no network, so there is nothing to build"))
        return
    data = {"source": study_file.source, "size": study_file.space.size, "n_checked": 0, "n_misfits": 0}
    write(data | {"input_shape": None, "misfits": []}, form, [], header=HEADER)


def _print(study_file: StudyFile, shape: Shaped, n: int, n_wrong: int, groups: list[Misfits]) -> None:
    from rich.console import Group

    from archloom.cli._tables import facts, lines, plain, show
    from archloom.cli._words import number

    size = study_file.space.size
    among = "all" if size == n else f"of {number(size)}" if size is not None else "of infinitely many"
    inputs = " x ".join(map(str, shape.input_shape))
    verdict = f"{n_wrong} do not fit" if n_wrong else "every one fits"
    head = f"{n} architectures checked, {among}; inputs {inputs}, {shape.n_outputs} outputs: {verdict}"
    parts = []
    for group in groups[:SHOWN]:
        rows: list[tuple[str, Any]] = [
            ("  what", plain(f"{group.misfit.reason} ({group.misfit.stage})")),
            ("  part", plain(group.misfit.path or "the whole network")),
            ("  how often", plain(f"{group.n} of {n}{group.condition}")),
            ("  chosen", lines(f"{name} = {choice}" for name, choice in group.decisions.items())),
            ("  such as", plain(group.architecture.text)),
        ]
        shown = [row for row in rows if row[1].plain]
        parts.append(Group(plain(group.place, "bold red"), facts(shown)))
    more = [plain(f"and {len(groups) - SHOWN} more kinds", "dim")] if len(groups) > SHOWN else []
    show(plain(head, "bold"), *parts, *more)
