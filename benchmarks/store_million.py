# SPDX-License-Identifier: Apache-2.0
"""A store of a million trials, written straight into the tables.

The rows are those that ``Store.start`` and ``Store.finish_many`` write: ``differences`` makes a smaller
store in both ways and compares them, table by table, all but the times of day.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from sqlalchemy import Table
from sqlalchemy.dialects import sqlite

from archloom.contracts import FloatArray
from archloom.search_spaces import SearchSpace
from archloom.store import Store, schema
from archloom.store.rows import decision_rows, metric_rows, trial_row
from benchmarks.store_problem import METRICS, SEED, Drawn, study_record
from benchmarks.store_size import BATCH, proposals

__all__ = ["differences", "fill_straight", "front_of"]

STARTED = datetime(2026, 1, 1, tzinfo=UTC)
N_TOGETHER = 5_000
TIMES = {"created_at", "started_at", "renewed_at", "finished_at", "ended_at", "at", "seconds"}
"""What two stores of the same trials may differ by."""


def front_of(values: FloatArray) -> npt.NDArray[np.bool_]:
    """Return which of ``n x 2`` points no other dominates: the first goes up, the second down.

    Equal points are all members, or none is.

    >>> front_of(np.array([[0.9, 5.0], [0.9, 5.0], [0.8, 5.0], [0.8, 4.0], [0.7, 4.5]])).tolist()
    [True, True, False, True, False]
    """
    order = np.lexsort((values[:, 1], -values[:, 0]))
    gain, cost = values[order, 0], values[order, 1]
    # The least cost among those that gain more, and the least among those that gain the same.
    is_first = np.concatenate([[True], gain[1:] != gain[:-1]])
    first = np.flatnonzero(is_first)[np.cumsum(is_first) - 1]
    least = np.minimum.accumulate(cost)
    before = np.where(first == 0, np.inf, least[first - 1])
    is_member = np.empty(len(values), dtype=bool)
    is_member[order] = (cost == cost[first]) & (cost < before)
    return is_member


def fill_straight(path: Path, searched: SearchSpace, drawn: Drawn) -> None:
    """Write finished trials into a new store's tables."""
    with Store(f"sqlite:///{path}") as store:
        study = store.create_study(study_record("size", searched))
        worker = store.workers.join(study)
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode = OFF")
    connection.execute("PRAGMA synchronous = OFF")
    connection.execute("PRAGMA cache_size = -400000")
    rows = trial_rows(study, worker, searched, drawn)
    while batch := list(islice(rows, N_TOGETHER)):
        connection.execute("BEGIN")
        for table, nth in ((schema.trials, 0), (schema.decisions, 1), (schema.metrics, 2)):
            _insert(connection, table, [row for made in batch for row in made[nth]])
        connection.execute("COMMIT")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.close()


def _insert(connection: sqlite3.Connection, table: Table, rows: list[dict[str, Any]]) -> None:
    statement = table.insert().compile(dialect=sqlite.dialect(paramstyle="named"), column_keys=list(rows[0]))
    connection.executemany(str(statement), rows)


Rows = tuple[list[dict[str, Any]], list[dict[str, Any]], list[dict[str, Any]]]


def trial_rows(study: int, worker: int, searched: SearchSpace, drawn: Drawn) -> Iterator[Rows]:
    """Yield each trial's row, its decisions' and its metrics', all in the order of their keys."""
    on_front = front_of(drawn.values[:, :2]).tolist()
    waiting = proposals(searched, drawn)
    for number, (proposal, metrics) in enumerate(zip(waiting, drawn.metrics(), strict=True)):
        at = _time(number)
        row = trial_row(study, number, number // BATCH, proposal, at, SEED, worker) | {
            "id": number + 1,
            "state": "COMPLETE",
            "value": metrics[METRICS[0]],
            "violation": 0.0,
            "is_pareto": on_front[number],
            "excluded": "",
            "finish_order": number,
            "n_lost": 0,
            "reason": "",
            "traceback": "",
            "finished_at": _time(number + 1),
            "seconds": 0.001,
        }
        chosen = sorted(decision_rows(proposal.choices), key=lambda made: made["name"])
        measured = sorted(metric_rows(number + 1, metrics), key=lambda made: (made["split"], made["name"]))
        yield [row], [made | {"trial_id": number + 1} for made in chosen], measured


def _time(number: int) -> str:
    return (STARTED + timedelta(milliseconds=number)).isoformat(timespec="microseconds")


def differences(one: Path, other: Path) -> list[str]:
    """Say in which tables two stores differ; the times of day are left out."""
    connection = sqlite3.connect(one)
    connection.execute("ATTACH ? AS other", (str(other),))
    found = []
    for table in schema.metadata.sorted_tables:
        names = [column.name for column in table.c if column.name not in TIMES]
        columns = ", ".join(f'"{name}"' for name in names)
        for a, b in (("main", "other"), ("other", "main")):
            # The names are our schema's own.
            query = f"SELECT {columns} FROM {a}.{table} EXCEPT SELECT {columns} FROM {b}.{table}"  # noqa: S608
            n_rows = len(connection.execute(query).fetchall())
            if n_rows:
                found.append(f"{n_rows} rows of {table.name} are in {a} only")
    connection.close()
    return found
