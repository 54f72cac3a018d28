# SPDX-License-Identifier: Apache-2.0
"""``search bench``: strategies compared on problems whose answers are known."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from archloom.cli._output import FormatOption, write
from archloom.errors import ConfigError

if TYPE_CHECKING:
    from archloom.bench import Curve, Row

CHECKPOINTS = (0.125, 0.25, 0.5, 1.0)


class Units(StrEnum):
    """What a budget may count."""

    proposals = "proposals"
    evaluations = "evaluations"
    seconds = "seconds"


def bench(
    files: Annotated[
        list[Path],
        typer.Argument(
            metavar="FILE...",
            help="Study files with a quick evaluator, such as a table: the problems.",
            show_default=False,
        ),
    ],
    *,
    strategy: Annotated[
        list[str],
        typer.Option(
            "--strategy",
            "-s",
            metavar="NAME",
            help="A strategy, '{name: ..., option: value}' with options; give it again for more.",
            show_default=False,
        ),
    ],
    seeds: Annotated[int, typer.Option("--seeds", min=1, help="Searches of each strategy.")] = 10,
    budget: Annotated[float, typer.Option("--budget", "-b", help="Of each search.")] = 256,
    unit: Annotated[
        Units,
        typer.Option("--unit", help="What the budget counts; seconds are those of the table's training."),
    ] = Units.proposals,
    at: Annotated[
        list[float] | None,
        typer.Option(
            "--at", help="Budgets to compare at; again for more.", show_default="four up to the last"
        ),
    ] = None,
    report: Annotated[
        str | None,
        typer.Option(
            "--report", help="A metric of the winner to show beside.", show_default="the first of test/"
        ),
    ] = None,
    processes: Annotated[int, typer.Option("--processes", "-p", min=1, help="Searches at a time.")] = 1,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", help="Folder for every seed's curve (CSV) and the pictures.", show_default=False
        ),
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress on stderr.")] = False,
    form: FormatOption = "table",
) -> None:
    """Compare strategies on problems whose answers are known, over many seeds.

    Each study file gives a space, an evaluator and an objective; its strategy, seed and budget do not
    matter. The table has means with standard errors, mean ranks, and a paired test against the best strategy.
    """
    from archloom.bench import Problem, compare, draw, run_all, write_csv

    strategies = [_read(words) for words in strategy]
    problems = [Problem(file, budget, unit.value, report) for file in files]
    goals = [_goal(problem, strategies[0]) for problem in problems]
    if len(set(goals)) > 1:
        raise ConfigError(f"the problems have different objectives: {sorted(set(goals))}")
    with _progress(quiet, len(problems) * len(strategies) * seeds) as on_end:
        curves = run_all(problems, strategies, range(seeds), processes=processes, on_end=on_end)
    metric, direction = goals[0]
    budgets = sorted(at or {round(share * budget) for share in CHECKPOINTS})
    rows = compare(curves, budgets, unit.value, is_maximized=direction == "maximize")
    written = []
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        write_csv(curves, out / "curves.csv")
        written = [out / "curves.csv", *draw(curves, unit.value, metric, out)]
    if form == "table":
        _print(rows, curves, metric, unit.value, written)
        return
    plain = [vars(row) for row in rows]
    write({"objective": metric, "unit": unit.value, "n_seeds": seeds, "rows": plain}, form, plain)


def _read(words: str) -> Any:
    """Read a strategy as a study file has it.

    Raises:
        ConfigError: it is no YAML, or has no name.
    """
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        found = YAML(typ="safe", pure=True).load(words)
    except YAMLError as error:
        raise ConfigError(f"--strategy {words!r} is no YAML: {error}") from None
    if not isinstance(found, str | dict):
        raise ConfigError(f"--strategy is a name or {{name: ..., option: value}}, got {words!r}")
    return found


def _goal(problem: Any, strategy: Any) -> tuple[str, str]:
    """Return a problem's objective and its direction; what is wrong with its file is found here."""
    import json

    from archloom import config

    words = strategy if isinstance(strategy, str) else json.dumps(strategy)
    objectives = config.load(problem.file, [f"strategy={words}", "store=sqlite://"]).sections.objectives
    metric, direction = next(iter(objectives.items()))
    return str(metric), str(direction)


def _print(
    rows: Sequence[Row], curves: Sequence[Curve], metric: str, unit: str, written: Sequence[Path]
) -> None:
    from archloom.cli._columns import Column, Fitted
    from archloom.cli._tables import exact, lines, plain, show
    from archloom.cli._words import number

    n_seeds = len({curve.seed for curve in curves})
    parts: list[Any] = []
    for problem, budget in dict.fromkeys((row.problem, row.budget) for row in rows):
        some = [row for row in rows if (row.problem, row.budget) == (problem, budget)]
        has_report = any(row.report == row.report for row in some)
        columns = [
            Column("strategy", [row.strategy for row in some], is_cut=True),
            Column(
                "objective", [_spread(row.objective, row.objective_error) for row in some], is_number=True
            ),
            Column("rank", [f"{row.rank:.2f}" for row in some], is_number=True, rank=2),
            Column("p", ["–" if row.p != row.p else f"{row.p:.3f}" for row in some], is_number=True, rank=1),
            Column("evaluated", [number(round(row.evaluations)) for row in some], is_number=True, rank=4),
        ]
        if has_report:
            words = [_spread(row.report, row.report_error) for row in some]
            columns.insert(2, Column("report", words, is_number=True, rank=3))
        title = f"{problem}: {metric} after {number(budget)} {unit}, {n_seeds} seeds"
        parts += [plain(title, "bold"), Fitted(columns)]
    notes = ["mean ± standard error; rank among these strategies; p of a paired test against the best"]
    show(*parts, lines(notes, "dim"), *[exact(str(path)) for path in written])


def _spread(mean: float, error: float) -> str:
    return "–" if mean != mean else f"{mean:.4g}" if error != error else f"{mean:.4g} ± {error:.2g}"


@contextlib.contextmanager
def _progress(quiet: bool, n: int) -> Iterator[Callable[[int, int], None] | None]:
    """Show how many searches have ended."""
    if quiet:
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("searches"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("", total=n)
        yield lambda n_done, total: progress.update(task, completed=n_done, total=total)
