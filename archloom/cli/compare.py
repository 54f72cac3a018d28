# SPDX-License-Identifier: Apache-2.0
"""``search compare``: studies side by side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from archloom.cli._complete import complete_study
from archloom.cli._output import FormatOption, write
from archloom.cli._studies import identity, opened
from archloom.cli._waiting import waiting

if TYPE_CHECKING:
    from rich.table import Table

    from archloom.cli._account import Account

CELL = 14


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

    The incumbent is the best of the first objective among the feasible trials that had finished after a share
    of the budget. Studies that search different spaces or objectives are shown, and said to be no match.
    """
    from archloom.cli._account import account, differences

    accounts = []
    for name, url in zip(studies, _stores(studies, store), strict=True):
        with opened(name, url) as (opened_store, record), waiting(f"reading {record.name}"):
            accounts.append(account(record, opened_store.trials(identity(record)), opened_store.url))
    different = differences(accounts)
    if form == "table":
        _print(accounts, different)
        return
    rows = [one.row() for one in accounts]
    write({"studies": rows, "differences": different}, form, [_flat(row) for row in rows])


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
    plain = {key: value for key, value in row.items() if key not in ("incumbent", "front")}
    return plain | {"n_front": row["n_front"], "incumbents": incumbent}


def _print(accounts: Sequence[Account], different: Sequence[str]) -> None:
    from rich.console import Console

    from archloom.cli._tables import lines, show

    tables = []
    left = list(accounts)
    names = _headers(accounts)
    while left:
        n = _n_fitting([one.cells() for one in left], Console().width)
        start = len(accounts) - len(left)
        tables.append(_table(left[:n], names[start : start + n], accounts))
        left = left[n:]
    told = [lines(different, "yellow")] if different else []
    show(*told, *tables)


def _headers(accounts: Sequence[Account]) -> list[str]:
    """Return the studies' names, with the store where two have the same."""
    from archloom.cli._studies import shown_url

    names = [one.name for one in accounts]
    return [
        one.name if names.count(one.name) == 1 else f"{one.name} ({shown_url(one.store)})" for one in accounts
    ]


def _label_width(cells: Sequence[dict[str, str]]) -> int:
    return max(len(label) for some in cells for label in some)


def _n_fitting(cells: Sequence[dict[str, str]], width: int) -> int:
    """Return how many studies fit side by side, at least one."""
    room = width - _label_width(cells) - 2
    return max(1, room // (CELL + 2))


def _table(shown: Sequence[Account], names: Sequence[str], accounts: Sequence[Account]) -> Table:
    """Put some of the studies side by side; the rows are the same for all of them."""
    from archloom.cli._tables import plain, plain_table

    labels = list(dict.fromkeys(label for one in accounts for label in one.cells()))
    table = plain_table("", *names)
    for column in table.columns[1:]:
        column.min_width = CELL
    for label in labels:
        table.add_row(plain(label, "bold"), *(plain(one.cells().get(label, "–")) for one in shown))
    return table
