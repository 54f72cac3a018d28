# SPDX-License-Identifier: Apache-2.0
"""How long it takes to read a large store: the best, the Pareto front, a data frame; beside Optuna's.

*Cold* is the first call of a store just opened whose file was dropped from the system's memory, *warm* the
next call. Optuna's study is loaded anew for each of its figures: its second call answers from a copy of all
trials in its own memory. Both read files that their own public calls wrote, but for ours of a hundred
thousand and of a million trials, which are written straight into the tables (``store_million``).
"""

from __future__ import annotations

import sqlite3
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import optuna
import pandas

from archloom.store import Store
from benchmarks.store_files import Files, drop_from_memory
from benchmarks.store_words import duration, table, times, verdict

__all__ = ["beside_optuna", "large"]

N_ROUNDS = 3
STUDY = 1


def large(files: Files, n_rounds: int = 7) -> list[str]:
    """Read stores of a million and of a hundred thousand trials."""
    files.check()
    rows = []
    readings: list[tuple[str, Callable[[Store], object], float]] = [
        ("the ten best: `Store.best(study, 10)`", lambda store: store.best(STUDY, 10), 0.05),
        ("the Pareto front of two objectives: `Store.pareto`", lambda store: store.pareto(STUDY), 0.1),
    ]
    for what, read, wanted in readings:
        cold, warm = zip(*[_cold_and_warm(files.million, read) for _ in range(n_rounds)], strict=True)
        slow, quick = statistics.median(cold), statistics.median(warm)
        asked = verdict(slow < wanted, f"below {duration(wanted)}")
        rows.append((what, "1,000,000", duration(slow), duration(quick), asked))
    for what, seconds in _frames(files.hundred_thousand):
        first, second = seconds
        rows.append((what, "100,000", duration(first), duration(second), verdict(first < 3, "below 3 s")))
    told = "Before this, 10,000 trials were written both ways and compared, row by row: no difference."
    return [told, "", *table(("what", "trials", "cold", "warm", "wanted"), rows)]


def _cold_and_warm(path: Path, read: Callable[[Store], object]) -> tuple[float, float]:
    drop_from_memory(path)
    with Store(f"sqlite:///{path}") as store:
        return timed(lambda: read(store)), timed(lambda: read(store))


def _frames(path: Path) -> Iterator[tuple[str, tuple[float, float]]]:
    """Yield how long a data frame takes by our own call, and by pandas from the wide view."""
    yield "a data frame: `Store.frame`", _cold_and_warm(path, lambda store: store.frame(STUDY))
    with Store(f"sqlite:///{path}") as store:
        view = store.refresh_wide(STUDY)
    drop_from_memory(path)
    query = f"SELECT * FROM {view}"  # noqa: S608 (our own name)
    with closing(sqlite3.connect(path)) as connection:
        cold, warm = [timed(lambda: pandas.read_sql(query, connection)) for _ in range(2)]
    yield f"a data frame: `pandas.read_sql` of `{view}`", (cold, warm)


def timed(work: Callable[[], object]) -> float:
    """Return the seconds that something takes."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def beside_optuna(files: Files) -> list[str]:
    """Read the same 10,000 trials by ours and by Optuna's, in turn."""
    rows = []
    pairs: list[tuple[str, str, Callable[[Store], object], Callable[[optuna.Study], object]]] = [
        ("Store.pareto", "best_trials", lambda s: s.pareto(STUDY), lambda s: s.best_trials),
        ("Store.frame", "trials_dataframe", lambda s: s.frame(STUDY), lambda s: s.trials_dataframe()),
    ]
    for our_name, their_name, read, their_read in pairs:
        ours, theirs, again = [], [], []
        for _ in range(N_ROUNDS):
            with Store(f"sqlite:///{files.ours}") as store:
                ours.append(timed(lambda: read(store)))  # noqa: B023
            study = optuna.load_study(study_name=None, storage=f"sqlite:///{files.optunas}")
            theirs.append(timed(lambda: their_read(study)))  # noqa: B023
            again.append(timed(lambda: their_read(study)))  # noqa: B023
        figures = [duration(statistics.median(seconds)) for seconds in (ours, theirs, again)]
        rows.append((f"`{our_name}`, `{their_name}`", *figures, times(ours, theirs)))
    return table(("what", "ours", "Optuna", "Optuna, called again", "times as fast (quartiles)"), rows)
