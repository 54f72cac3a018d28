# SPDX-License-Identifier: Apache-2.0
"""A study as a table in memory: one row a trial, read a page of trials at a time straight into columns."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, final

from sqlalchemy import Integer, Select, Table, bindparam, select

from archloom.store.queries import read_value
from archloom.store.records import join_key, split_key
from archloom.store.schema import decisions, metrics, trials
from archloom.store.session import Session
from archloom.store.views import short_key

if TYPE_CHECKING:
    import pandas

__all__ = ["Columns", "read_columns", "read_frame"]

N_AT_ONCE = 2000

_LEADING = ("number", "state")
_TRAILING = (
    "seconds",
    "violation",
    "is_pareto",
    "excluded",
    "reused_from",
    "fidelity",
    "seed",
    "ask",
    "key",
    "text",
    "reason",
    "started_at",
    "finished_at",
    "finish_order",
)
_WHOLE_OR_NONE = ("reused_from", "finish_order")
_COLUMNS = {name: trials.c["architecture" if name == "text" else name] for name in (*_LEADING, *_TRAILING)}

_PAGE = (
    select(trials.c.id, *_COLUMNS.values())
    .where(trials.c.study_id == bindparam("study_id"), trials.c.number >= bindparam("first"))
    .order_by(trials.c.number)
    .limit(bindparam("n", type_=Integer))
)


def _children(table: Table, *columns: str) -> Select[Any]:
    return (
        select(table.c.trial_id, *[table.c[name] for name in columns])
        .join(trials, trials.c.id == table.c.trial_id)
        .where(
            trials.c.study_id == bindparam("study_id"),
            trials.c.number.between(bindparam("first"), bindparam("last")),
        )
    )


_CHOICES = _children(decisions, "name", "choice", "is_float")
_METRICS = _children(metrics, "split", "name", "value")


@final
@dataclass
class Columns:
    """The trials of a study, each column a list of one value a trial.

    Args:
        trials: columns of the trials themselves, by name.
        choices: of each decision its label or number; ``None`` where it is inactive.
        metrics: by full key; ``None`` where there is none.
    """

    trials: dict[str, list[Any]] = field(default_factory=lambda: {name: [] for name in _COLUMNS})
    choices: dict[str, list[str | float | None]] = field(default_factory=dict)
    metrics: dict[str, list[float | None]] = field(default_factory=dict)

    @property
    def n(self) -> int:
        """How many trials there are."""
        return len(self.trials["number"])


def read_frame(session: Session, study_id: int) -> pandas.DataFrame:
    """Return a data frame with columns number, state, decisions, metrics, seconds, ...

    ``validation/accuracy`` is the column ``accuracy``, as in the views.

    A decision or metric of the same name as another column is marked: ``state (decision)``.
    """
    import pandas

    read = read_columns(session, study_id)
    columns = {name: read.trials[name] for name in _LEADING}
    taken = {*_LEADING, *_TRAILING}
    for name in sorted(read.choices):
        columns[_mark(name, "decision", taken)] = read.choices[name]
    pairs = [split_key(key) for key in read.metrics]
    for key in sorted(read.metrics):
        columns[_mark(short_key(*split_key(key), pairs), "metric", taken)] = read.metrics[key]
    frame = pandas.DataFrame(columns | {name: read.trials[name] for name in _TRAILING})
    return frame.astype({name: "Int64" for name in _WHOLE_OR_NONE} | {"is_pareto": "bool"})


def _number(choice: str) -> float:
    """Return the number that a choice spells; a stranger's database may hold any text there."""
    try:
        return float(choice)
    except ValueError:
        return math.nan


def read_columns(session: Session, study_id: int) -> Columns:
    """Return the trials of a study as columns, by number."""
    columns = Columns()
    for rows in _pages(session, study_id):
        start = columns.n
        for name, values in zip(_COLUMNS, list(zip(*rows, strict=True))[1:], strict=True):
            columns.trials[name].extend(values)
        places = {row[0]: start + i for i, row in enumerate(rows)}
        span = {"study_id": study_id, "first": rows[0][1], "last": rows[-1][1]}
        choices = _Cells(columns.choices, columns.n)
        measured = _Cells(columns.metrics, columns.n)
        for trial_id, name, choice, is_float in session.run(_CHOICES, **span):
            choices[name][places[trial_id]] = _number(choice) if is_float else choice
        for trial_id, split, name, value in session.run(_METRICS, **span):
            measured[join_key(split, name) if split else name][places[trial_id]] = read_value(value)
    return columns


def _pages(session: Session, study_id: int) -> Iterator[list[Any]]:
    """Yield the rows of the trials, some at a time, so that little is held twice."""
    first = 0
    while rows := session.run(_PAGE, study_id=study_id, first=first, n=N_AT_ONCE):
        yield rows
        first = rows[-1][1] + 1


@final
class _Cells(dict[str, list[Any]]):
    """Columns brought to a length; one that is not there begins with nothing in it."""

    def __init__(self, columns: dict[str, list[Any]], n: int):
        super().__init__(columns)
        self._columns, self._n = columns, n
        for column in columns.values():
            column.extend([None] * (n - len(column)))

    def __missing__(self, name: str) -> list[Any]:
        self[name] = self._columns[name] = [None] * self._n
        return self[name]


def _mark(name: str, kind: str, taken: set[str]) -> str:
    while name in taken:
        name = f"{name} ({kind})"
    taken.add(name)
    return name
