# SPDX-License-Identifier: Apache-2.0
"""How many bytes a trial takes in a SQLite file, ours beside Optuna's, table by table.

The same 10,000 architectures with the same three metrics, through each side's own public calls:
``Store.start`` and ``Store.finish_many`` in batches of 64, and ``Study.add_trials``, whose rows
are those of ``ask`` and ``tell``. Optuna has two objectives and
keeps the third metric as a user attribute. No file is vacuumed; a checkpoint moves our write-ahead log in.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, IntDistribution
from optuna.storages import RDBStorage
from sqlalchemy import event

from archloom.contracts import State
from archloom.search_spaces import SearchSpace
from archloom.store import Outcome, Proposal, Store
from benchmarks.store_problem import CANDIDATES, METRICS, N_FEW, N_SMALL, Drawn, study_record
from benchmarks.store_words import table, verdict

if TYPE_CHECKING:
    from benchmarks.store_files import Files

__all__ = ["by_table", "fill_optuna", "fill_ours", "measure"]

BATCH = 64


def proposals(searched: SearchSpace, drawn: Drawn) -> Iterator[Proposal]:
    """Yield what a study would propose."""
    for choices in drawn.choices():
        yield Proposal(searched.key(choices), searched.spell(choices), choices)


def fill_ours(path: Path, searched: SearchSpace, drawn: Drawn) -> None:
    """Write the trials through the store's public calls, and move the log into the file."""
    with Store(f"sqlite:///{path}?synchronous=normal") as store:
        study = store.create_study(study_record("size", searched))
        waiting = list(proposals(searched, drawn))
        metrics = list(drawn.metrics())
        for ask, first in enumerate(range(0, len(waiting), BATCH)):
            batch = waiting[first : first + BATCH]
            records = store.start(study, ask, batch, len(batch))
            store.finish_many(study, {r.number: Outcome(State.COMPLETE, metrics[r.number]) for r in records})


def fill_optuna(path: Path, drawn: Drawn, *, as_integers: bool = False) -> optuna.Study:
    """Write the trials through Optuna's public calls; ``as_integers`` writes the choice's index only."""
    storage = RDBStorage(f"sqlite:///{path}")
    # Only how long the writing takes depends on this, no byte of the file.
    event.listen(storage.engine, "connect", lambda driver, _: driver.execute("PRAGMA synchronous = OFF"))
    storage.engine.dispose()
    study = optuna.create_study(storage=storage, directions=["maximize", "minimize"])
    study.add_trials(_frozen(drawn, as_integers=as_integers))
    return study


def _frozen(drawn: Drawn, *, as_integers: bool) -> Iterator[optuna.trial.FrozenTrial]:
    distributions: dict[str, BaseDistribution] = {
        name: IntDistribution(0, len(labels) - 1) if as_integers else CategoricalDistribution(labels)
        for name, labels in CANDIDATES.items()
    }
    names = list(CANDIDATES)
    rows = drawn.genotypes.choices.tolist()
    for row, choices, metrics in zip(rows, drawn.choices(), drawn.metrics(), strict=True):
        yield optuna.create_trial(
            params=dict(zip(names, row, strict=True)) if as_integers else dict(choices),
            distributions=distributions,
            values=[metrics[name] for name in METRICS[:2]],
            user_attrs={METRICS[2]: metrics[METRICS[2]]},
        )


def by_table(path: Path) -> dict[str, tuple[int, int]]:
    """Return the bytes of each table's rows and of its indexes, the largest first."""
    query = """
        SELECT coalesce(s.tbl_name, d.name), coalesce(s.type, 'table') = 'index', sum(d.pgsize)
        FROM dbstat AS d LEFT JOIN sqlite_schema AS s ON s.name = d.name
        GROUP BY 1, 2
    """
    sizes: dict[str, tuple[int, int]] = {}
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        for name, is_index, n_bytes in connection.execute(query):
            rows, indexes = sizes.get(name, (0, 0))
            sizes[name] = (rows, indexes + n_bytes) if is_index else (rows + n_bytes, indexes)
    return dict(sorted(sizes.items(), key=lambda item: -sum(item[1])))


def measure(files: Files) -> list[str]:
    """Compare the files of 10,000 trials, whole and by table."""
    compared = {
        "ours": (files.ours, N_SMALL),
        "Optuna": (files.optunas, N_SMALL),
        f"Optuna, choices as bare integers, {N_FEW:,} trials": (files.optunas_integers, N_FEW),
    }
    sizes = {who: path.stat().st_size / n for who, (path, n) in compared.items()}
    wanted = verdict(sizes["ours"] <= sizes["Optuna"] / 2, "at most half of Optuna's")
    rows = [
        (
            who,
            f"{size:,.0f}",
            f"{sizes['ours'] / size:.3f}",
            wanted if who == "Optuna" else "",
            _words(*compared[who]),
        )
        for who, size in sizes.items()
    ]
    return table(("file", "bytes a trial", "ours to it", "wanted", "tables: rows + indexes"), rows)


def _words(path: Path, n: int) -> str:
    large = {name: size for name, size in by_table(path).items() if sum(size) > 5 * n}
    return ", ".join(f"{name} {rows / n:.0f} + {indexes / n:.0f}" for name, (rows, indexes) in large.items())
