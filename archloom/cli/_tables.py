# SPDX-License-Identifier: Apache-2.0
"""Results for people: rich tables and panels that fit 80 columns."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import typer
from rich.cells import cell_len
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from archloom.cli._columns import Column, Fitted
from archloom.cli._words import bounds, grouped, inert, number, span

if TYPE_CHECKING:
    from archloom.contracts import Objective
    from archloom.store import TrialRecord

COSTS = ("params", "macs", "size_mb", "latency_ms", "memory_mb")
SHOWN_REPORTS = 3
MOST_NAME = 32
NAME_SHARE = 0.4


def show(*parts: RenderableType) -> None:
    """Write a result to stdout, its parts with an empty line between.

    What is ``exact`` is never cut. Lines have no trailing blanks where stdout is no terminal.
    """
    console = Console(highlight=False)
    if console.is_terminal:
        console.print(stacked(*parts), crop=False)
        return
    with console.capture() as captured:
        console.print(stacked(*parts), crop=False)
    typer.echo("\n".join(line.rstrip() for line in captured.get().splitlines()))


def exact(text: str, style: str = "") -> Text:
    """Return a text that is never wrapped or cut, so that it can be copied: a path, a command."""
    return Text(inert(text, keep="\n"), style=style, no_wrap=True, overflow="ignore")


def plain(text: str, style: str = "") -> Text:
    """Return a text as it is, in one line: no markup, no escapes."""
    return Text(inert(text), style=style)


def lines(texts: Iterable[str], style: str = "") -> Text:
    """Return texts as they are, a line each."""
    return Text("\n".join(map(inert, texts)), style=style)


def plain_table(*headers: str, numbers: Sequence[str] = ()) -> Table:
    """Make an empty table; columns named in ``numbers`` are set flush right."""
    table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 2, 0, 0))
    for header in headers:
        is_number = header in numbers
        table.add_column(
            plain(header), justify="right" if is_number else "left", no_wrap=is_number, overflow="fold"
        )
    return table


def trials_table(
    trials: Sequence[TrialRecord], objectives: Sequence[Objective], constraints: Sequence[str] = ()
) -> RenderableType:
    """Show trials a line each: objectives, the metrics that matter beside them, the architecture."""
    columns = [Column("trial", [str(trial.number) for trial in trials], is_number=True)]
    columns += metric_columns(trials, objectives, constraints)
    columns.append(Column("architecture", [words(trial).plain for trial in trials], rank=1, has_lines=True))
    return Fitted(columns)


def metric_columns(
    trials: Sequence[TrialRecord],
    objectives: Sequence[Objective],
    constraints: Sequence[str] = (),
    *,
    first: str = "",
) -> list[Column]:
    """Return a column for each objective and constraint, and for each metric worth one beside them.

    Args:
        trials: a row each.
        objectives: what is searched for; the first is always shown.
        constraints: as written.
        first: one more metric that is always shown.
    """
    metrics = list(dict.fromkeys([*(o.metric for o in objectives), *bounds(constraints)]))
    there = {metric for trial in trials for metric in trial.metrics}
    if first in there and first not in metrics:
        metrics.insert(1, first)
    others = beside(trials, metrics)
    return [
        Column(
            metric,
            [number(trial.metrics.get(metric)) for trial in trials],
            is_number=True,
            rank=0 if i == 0 or metric == first else 1 + i,
        )
        for i, metric in enumerate((*metrics, *others))
    ]


def words(trial: TrialRecord) -> Text:
    """Return an architecture in words, a part a line."""
    return lines(trial.text.split("; "))


def beside(trials: Sequence[TrialRecord], metrics: Sequence[str]) -> list[str]:
    """Return the metrics worth a column next to those shown: the same ones on test, and costs."""
    there = {metric for trial in trials for metric in trial.metrics}
    tests = ["test/" + metric.removeprefix("validation/") for metric in metrics]
    wanted = [metric for metric in (*tests, *COSTS) if metric not in metrics]
    reported = sorted(metric for metric in there if metric.startswith("test/") and metric not in metrics)
    if not there & set(tests):  # a table's own column names: reported columns, as they are
        wanted = [*reported[:SHOWN_REPORTS], *wanted]
    return [metric for metric in wanted if metric in there]


def architecture(trial: TrialRecord) -> RenderableType:
    """Show an architecture one decision a line, grouped."""
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(overflow="fold")
    table.add_column(overflow="fold")
    for part, own, inside in grouped(trial.choices):
        table.add_row(plain(part, "bold" if inside else ""), plain(own, "cyan"))
        for name, choice in inside:
            table.add_row(plain(f"  {name}"), plain(choice, "cyan"))
    return table


def facts(rows: Sequence[tuple[str, RenderableType]]) -> RenderableType:
    """Show named facts a line each; the ``exact`` ones outside the table, which would cut them."""
    width = min(max((cell_len(inert(name)) for name, _ in rows), default=0), MOST_NAME)
    width = min(width, int(NAME_SHARE * Console().width))
    parts: list[RenderableType] = []
    for is_exact, some in itertools.groupby(rows, key=lambda row: _is_exact(row[1])):
        if is_exact:
            parts += [
                exact("").append(f"{inert(name):{width}}  ", "bold").append(value)  # type: ignore[arg-type]
                for name, value in some
            ]
            continue
        table = Table.grid(padding=(0, 2, 0, 0))
        table.add_column(style="bold", overflow="fold", min_width=width, max_width=width)
        table.add_column(overflow="fold")
        for name, value in some:
            table.add_row(plain(name), plain(value) if isinstance(value, str) else value)
        parts.append(table)
    return Group(*parts)


def _is_exact(value: RenderableType) -> bool:
    return isinstance(value, Text) and value.overflow == "ignore"


def trial_facts(
    trial: TrialRecord, objectives: Sequence[Objective], constraints: Sequence[str] = ()
) -> list[tuple[str, RenderableType]]:
    """Return what a trial scored: objectives, what is under a constraint, and what was only reported."""
    notes = {o.metric: [f"objective, {o.direction}d"] for o in objectives}
    for metric, rules in bounds(constraints).items():
        notes.setdefault(metric, []).append(f"constraint, {' and '.join(rules)}")
    searched = {o.metric for o in objectives}
    rows: list[tuple[str, RenderableType]] = []
    for metric, told in notes.items():
        value = Text(number(trial.metrics.get(metric)), style="bold green" if metric in searched else "bold")
        rows.append((metric, value.append(f"  {'; '.join(told)}", style="not bold dim")))
    for metric in beside([trial], list(notes)):
        note = "  report only, never searched on" if metric.startswith("test/") else ""
        rows.append((metric, Text(number(trial.metrics[metric])).append(note, style="dim")))
    if trial.seconds is not None:
        rows.append(("time", Text(span(trial.seconds))))
    if not _is_spelled_out(trial):
        rows.append(("architecture", words(trial)))
    return rows


def _is_spelled_out(trial: TrialRecord) -> bool:
    """Whether the architecture's text only lists its decisions, which are shown anyway."""
    return all(f"{name}=" in trial.text for name in trial.choices)


def stacked(*parts: RenderableType) -> Group:
    """Put parts under one another with an empty line between."""
    return Group(*[item for part in parts for item in (Text(), part)][1:])
