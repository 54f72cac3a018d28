# SPDX-License-Identifier: Apache-2.0
"""``search importance``: which decisions matter."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

import typer

from archloom.cli._output import FormatOption, write
from archloom.cli._studies import StoreOption, StudyArgument, identity, opened
from archloom.cli._waiting import waiting

WIDEST = 30
FEW = 50


def importance(
    study: StudyArgument,
    *,
    metric: Annotated[
        str | None,
        typer.Option(
            "--metric", "-m", metavar="METRIC", help="Of which metric.", show_default="first objective"
        ),
    ] = None,
    store: StoreOption = None,
    form: FormatOption = "table",
) -> None:
    """Show how much each decision matters: the share of a metric's variance that its choice explains.

    A decision that is not always active is compared among the trials in which it is. What the decisions do
    only together is nobody's share.
    """
    from archloom.contracts import State

    with opened(study, store) as (opened_store, record):
        with waiting("reading the trials"):
            found = opened_store.importances(identity(record), metric)
            n_complete = opened_store.counts(identity(record))[State.COMPLETE]
        named = metric or record.objectives[0].metric
        if form != "table":
            rows = [{"decision": name, "importance": share} for name, share in found.items()]
            data = {"study": record.name, "metric": named, "n_complete": n_complete, "importances": rows}
            write(data, form, rows, header=("decision", "importance"))
            return
    _print(found, named, n_complete)


def _print(found: Mapping[str, float], metric: str, n_complete: int) -> None:
    from archloom.cli._columns import Column, Fitted
    from archloom.cli._tables import lines, plain, show
    from archloom.cli._words import n_of, percent

    bars = ["█" * round(WIDEST * share) for share in found.values()]
    columns = [
        Column("decision", list(found)),
        Column("importance", [percent(share) for share in found.values()], is_number=True),
        Column("", bars, rank=1, is_cut=True),
    ]
    notes = [f"share of the variance of {metric} over {n_of(n_complete, 'COMPLETE trial')}"]
    if n_complete < FEW:
        notes.append(f"rough: fewer than {FEW} trials")
    show(plain(notes[0]), Fitted(columns), *([lines(notes[1:], "dim")] if notes[1:] else []))
