# SPDX-License-Identifier: Apache-2.0
"""Results for people: rich tables and panels that fit 80 columns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from archloom.cli._words import grouped, number, span

if TYPE_CHECKING:
    from archloom.contracts import Objective
    from archloom.store import TrialRecord

COSTS = ("params", "macs", "size_mb")
SHOWN_METRICS = 4


def console() -> Console:
    """Return the console that results are written on."""
    return Console(highlight=False)


def plain_table(*headers: str, numbers: Sequence[str] = ()) -> Table:
    """Make an empty table; columns named in ``numbers`` are set flush right."""
    table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 2, 0, 0))
    for header in headers:
        is_number = header in numbers
        table.add_column(
            Text(header), justify="right" if is_number else "left", no_wrap=is_number, overflow="fold"
        )
    return table


def trials_table(trials: Sequence[TrialRecord], objectives: Sequence[Objective]) -> Table:
    """Show trials a line each: objectives, the metrics that matter beside them, the architecture."""
    metrics = [o.metric for o in objectives]
    others = beside(trials, metrics)
    headers = [_stacked(metric) for metric in (*metrics, *others)]
    table = plain_table("trial", *headers, "architecture", numbers=("trial", *headers))
    for trial in trials:
        values = [number(trial.metrics.get(metric)) for metric in (*metrics, *others)]
        table.add_row(str(trial.number), *values, words(trial))
    return table


def words(trial: TrialRecord) -> Text:
    """Return an architecture in words, a part a line."""
    return Text(trial.text.replace("; ", "\n"))


def beside(trials: Sequence[TrialRecord], objectives: Sequence[str]) -> list[str]:
    """Return the metrics worth a column next to the objectives: costs, and the same ones on test."""
    there = {metric for trial in trials for metric in trial.metrics}
    tests = ["test/" + metric.removeprefix("validation/") for metric in objectives]
    wanted = [*tests, *(metric for metric in COSTS if metric not in objectives)]
    reported = sorted(metric for metric in there if metric.startswith("test/") and metric not in tests)
    if not there & set(tests):  # a table's own column names: every reported column, as it is
        wanted = [*reported, *wanted]
    return [metric for metric in wanted if metric in there][:SHOWN_METRICS]


def architecture(trial: TrialRecord) -> RenderableType:
    """Show an architecture one decision a line, grouped."""
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(overflow="fold")
    table.add_column(overflow="fold")
    for part, own, inside in grouped(trial.choices):
        table.add_row(Text(part, style="bold" if inside else ""), Text(own, style="cyan"))
        for name, choice in inside:
            table.add_row(Text(f"  {name}"), Text(choice, style="cyan"))
    return table


def facts(rows: Sequence[tuple[str, RenderableType]]) -> Table:
    """Show named facts a line each."""
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in rows:
        table.add_row(name, value)
    return table


def trial_facts(trial: TrialRecord, objectives: Sequence[Objective]) -> list[tuple[str, RenderableType]]:
    """Return what a trial scored: its objectives first, then what was only reported."""
    rows: list[tuple[str, RenderableType]] = []
    for objective in objectives:
        value = Text(number(trial.metrics.get(objective.metric)), style="bold green")
        rows.append(
            (objective.metric, value.append(f"  objective, {objective.direction}d", style="not bold dim"))
        )
    metrics = [o.metric for o in objectives]
    for metric in beside([trial], metrics):
        note = "  report only, never searched on" if metric.startswith("test/") else ""
        rows.append((metric, Text(number(trial.metrics[metric])).append(note, style="dim")))
    if trial.seconds is not None:
        rows.append(("time", Text(span(trial.seconds))))
    rows.append(("architecture", words(trial)))
    return rows


def stacked(*parts: RenderableType) -> Group:
    """Put parts under one another with an empty line between."""
    return Group(*(Padding(part, (0, 0, 1 if i < len(parts) - 1 else 0, 0)) for i, part in enumerate(parts)))


def _stacked(metric: str) -> str:
    """Write ``validation/accuracy`` on two lines, so that the column stays narrow."""
    split, slash, name = metric.partition("/")
    return f"{split}\n{name}" if slash else metric
