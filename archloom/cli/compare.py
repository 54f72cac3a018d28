# SPDX-License-Identifier: Apache-2.0
"""``search compare``: studies side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any

import typer

from archloom.cli._complete import complete_study
from archloom.cli._output import FormatOption, write
from archloom.cli._studies import identity, opened
from archloom.cli._waiting import waiting
from archloom.cli._words import inert, number, shortened

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

    from archloom.cli._account import Account
    from archloom.cli._repeats import Course, Repeats

CELL = 14
MARKS = "abcdef"
N_POINTS = 60
LINES = 10


def compare(
    studies: Annotated[
        list[str],
        typer.Argument(
            metavar="STUDY...",
            help="Studies by name or by study file.",
            show_default=False,
            autocompletion=complete_study,
        ),
    ],
    *,
    store: Annotated[
        list[str] | None,
        typer.Option(
            "--store",
            metavar="URL",
            help="Database URL or file: one for all, or given again, one for each STUDY in turn. "
            "Otherwise as for 'search best'.",
            show_default=False,
        ),
    ] = None,
    form: FormatOption = "table",
) -> None:
    """Compare studies: a column each.

    The incumbent is the best of the first objective among the feasible trials that had finished after a
    share of the budget, or after as many evaluations as every study has had. Studies that differ only by
    their seed are summed up by mean and standard deviation. Studies that search different spaces or
    objectives are shown, and said to be no match.
    """
    from archloom.cli._account import account, differences
    from archloom.cli._repeats import course, repeats_of

    read = []
    for name, url in zip(studies, _stores(studies, store), strict=True):
        with opened(name, url) as (opened_store, record), waiting(f"reading {record.name}"):
            trials = opened_store.trials(identity(record))
            read.append((account(record, trials, opened_store.url), course(record, record.name, trials)))
    accounts = [one for one, _ in read]
    names = _headers(accounts)
    courses = [replace(its, name=name) for (_, its), name in zip(read, names, strict=True)]
    different, repeats = differences(accounts), repeats_of(courses)
    is_match = len({one.goals[0] for one in accounts}) == 1
    n = min(len(one.values) for one in courses) if is_match else 0
    if form == "table":
        _print(accounts, courses, different, repeats, n)
        return
    rows = [
        one.row() | {"seed": its.seed, "at_equal_budget": its.after(n), "course": its.steps()}
        for one, its in zip(accounts, courses, strict=True)
    ]
    data = {"studies": rows, "differences": different, "equal_budget": n}
    write(data | {"repeats": [some.row(n) for some in repeats]}, form, [_flat(row) for row in rows])


def _stores(studies: Sequence[str], stores: Sequence[str] | None) -> Sequence[str | None]:
    """Return the store of each study.

    Raises:
        ConfigError: neither one for all nor one for each.
    """
    from archloom.errors import ConfigError

    if not stores:
        return [None] * len(studies)
    if len(stores) == 1:
        return list(stores) * len(studies)
    if len(stores) != len(studies):
        raise ConfigError(
            f"--store is given once, or once for each STUDY: got {len(stores)} for {len(studies)} studies"
        )
    return stores


def _flat(row: dict[str, Any]) -> dict[str, Any]:
    """Describe a study in one line of CSV: the incumbents as columns of their own."""
    incumbent = {f"incumbent at {share} %": value for share, value in row["incumbent"].items()}
    plain = {key: value for key, value in row.items() if key not in ("incumbent", "course")}
    return plain | {"n_front": row["n_front"], "incumbents": incumbent}


def _print(
    accounts: Sequence[Account],
    courses: Sequence[Course],
    different: Sequence[str],
    repeats: Sequence[Repeats],
    n: int,
) -> None:
    from rich.console import Console

    from archloom.cli._tables import lines, show

    metric = accounts[0].goals[0].split(" ", 1)[1]
    cells = [one.cells() for one in accounts]
    if n and len(accounts) > 1:
        for some, its in zip(cells, courses, strict=True):
            some[f"{metric} after {n:,}"] = number(its.after(n))
    labels = list(dict.fromkeys(label for some in cells for label in some))
    n_fitting = _n_fitting(labels, Console().width)
    tables = [
        _table([its.name for its in courses[i : i + n_fitting]], cells[i : i + n_fitting], labels)
        for i in range(0, len(accounts), n_fitting)
    ]
    told = [lines(different, "yellow")] if different else []
    spread_over = (
        [_spread(repeats, metric, n)] if n and any(len(some.courses) > 1 for some in repeats) else []
    )
    picture = (
        [_picture(repeats, metric)] if n > 1 and len(accounts) > 1 and len(repeats) <= len(MARKS) else []
    )
    show(*told, *tables, *spread_over, *(part for part in picture if part is not None))


def _spread(repeats: Sequence[Repeats], metric: str, n: int) -> Table:
    """Sum up the studies that differ only by seed."""
    from archloom.cli._repeats import spread
    from archloom.cli._tables import plain, plain_table

    table = plain_table("over seeds", "seeds", "evaluated", f"best {metric}", f"after {n:,}")
    for some in repeats:
        names = ", ".join(its.name for its in some.courses)
        seeds = ", ".join(str(its.seed) for its in some.courses)
        values = spread(some.after(some.n)), spread(some.after(n))
        table.add_row(*map(plain, (shortened(names, 30), shortened(seeds, 12), f"{some.n:,}", *values)))
    return table


def _picture(repeats: Sequence[Repeats], metric: str) -> RenderableType | None:
    """Draw the incumbents over evaluations, of repeats their mean."""
    from rich.console import Console

    from archloom.cli._plot import plot
    from archloom.cli._tables import exact

    points: dict[str, list[tuple[float, float]]] = {}
    for mark, some in zip(MARKS, repeats, strict=False):
        at = sorted({max(1, round(some.n * i / N_POINTS)) for i in range(1, N_POINTS + 1)}) if some.n else []
        told = ((n, some.after(n)) for n in at)
        points[mark] = [(float(n), value[0]) for n, value in told if value is not None]
    if sum(map(len, points.values())) < 2:
        return None
    width = Console().width
    names = [", ".join(its.name for its in some.courses) for some in repeats]
    legend = [
        shortened(inert(f"{mark} {name}"), min(62, width)) for mark, name in zip(MARKS, names, strict=False)
    ]
    drawn = plot(points, "evaluations", f"best {metric}", width, LINES)
    return exact("\n".join([*drawn, "", *legend]))


def _headers(accounts: Sequence[Account]) -> list[str]:
    """Return the studies' names, with the store where two have the same."""
    from archloom.cli._studies import shown_url

    names = [one.name for one in accounts]
    return [
        one.name if names.count(one.name) == 1 else f"{one.name} ({shown_url(one.store)})" for one in accounts
    ]


def _n_fitting(labels: Sequence[str], width: int) -> int:
    """Return how many studies fit side by side, at least one."""
    room = width - max(map(len, labels)) - 2
    return max(1, room // (CELL + 2))


def _table(names: Sequence[str], cells: Sequence[dict[str, str]], labels: Sequence[str]) -> Table:
    """Put some of the studies side by side; the rows are the same for all of them."""
    from archloom.cli._tables import plain, plain_table

    table = plain_table("", *names)
    for column in table.columns[1:]:
        column.min_width = CELL
    for label in labels:
        table.add_row(plain(label, "bold"), *(plain(some.get(label, "–")) for some in cells))
    return table
