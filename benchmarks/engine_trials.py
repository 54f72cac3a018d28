# SPDX-License-Identifier: Apache-2.0
"""Trials a second of the loop, against Optuna's and PyGlove's.

The problem is a table of six decisions with five candidates each (15,625 rows, numbers drawn once). Every
trial is proposed, evaluated and finished; repeats are evaluated again (``duplicates: reseed``). Ours is the
study that ``search run`` makes of a study file; Optuna's objective and PyGlove's loop look the same number
up in a dictionary. Evolution has 100 members and draws 10 on both sides.
"""

from __future__ import annotations

import csv
import itertools
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import optuna
import pyglove as pg
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend

from archloom import config
from benchmarks.measuring import Row, compared, in_turn

__all__ = ["STUDY", "measure", "prepared"]

NAMES = [f"x{i}" for i in range(6)]
CANDIDATES = [f"op{i}" for i in range(5)]

STUDY = """
study: engine
space: {x0: {oneof: [op0, op1, op2, op3, op4]}, x1: {oneof: [op0, op1, op2, op3, op4]},
        x2: {oneof: [op0, op1, op2, op3, op4]}, x3: {oneof: [op0, op1, op2, op3, op4]},
        x4: {oneof: [op0, op1, op2, op3, op4]}, x5: {oneof: [op0, op1, op2, op3, op4]}}
strategy: {name: regularized_evolution, population_size: 100, sample_size: 10}
evaluator: {name: tabular, path: table.csv, objective: [value]}
objectives: {value: maximize}
duplicates: reseed
budget: {trials: 1000}
"""

Truth = Mapping[tuple[str, ...], float]


@contextmanager
def prepared() -> Iterator[tuple[Path, Truth]]:
    """Give a folder with the study file and its table, and the table as a dictionary."""
    values = np.random.default_rng(0).random(5**6).round(6).tolist()
    truth = dict(zip(itertools.product(CANDIDATES, repeat=6), values, strict=True))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "engine.yaml").write_text(STUDY)
        with (folder / "table.csv").open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow([*NAMES, "value"])
            writer.writerows([*key, value] for key, value in truth.items())
        yield folder, truth


def ours(folder: Path, n: int, store: str, batch_size: int = 1) -> float:
    """Return the seconds a trial of our loop, the first hundred trials left out."""
    file = config.load(folder / "engine.yaml", [f"store={store}", f"evaluator.path={folder / 'table.csv'}"])
    study = file.study()
    with study.store:
        study.run(trials=100, batch_size=batch_size)
        started = time.perf_counter()
        study.run(trials=100 + n, batch_size=batch_size)
        return (time.perf_counter() - started) / n


def optunas(truth: Truth, n: int, sampler: Any, storage: Any = None) -> float:
    """Return the seconds a trial of Optuna's."""

    def objective(trial: optuna.Trial) -> float:
        return truth[tuple(trial.suggest_categorical(name, CANDIDATES) for name in NAMES)]

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        study = optuna.create_study(storage=storage, sampler=sampler, direction="maximize")
        study.optimize(objective, n_trials=5)
        started = time.perf_counter()
        study.optimize(objective, n_trials=n)
        return (time.perf_counter() - started) / n


def pygloves(truth: Truth, n: int) -> float:
    """Return the seconds a trial of ``pg.sample``, in memory."""
    space = pg.Dict({name: pg.oneof(CANDIDATES) for name in NAMES})
    evolution = pg.evolution.regularized_evolution(population_size=100, tournament_size=10)
    loop = pg.sample(space, evolution, num_examples=n + 100)
    started = 0.0
    for i, (point, feedback) in enumerate(loop):
        if i == 100:
            started = time.perf_counter()
        feedback(truth[tuple(point[name] for name in NAMES)])
    return (time.perf_counter() - started) / n


def measure(n_rounds: int = 5) -> list[Row]:
    """Compare; about two minutes."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    with prepared() as (folder, truth):
        return [*_durable(folder, truth, n_rounds), *_in_memory(folder, truth, n_rounds)]


def _fresh(folder: Path, suffix: str) -> str:
    return str(folder / f"{time.monotonic_ns()}.{suffix}")


def _durable(folder: Path, truth: Truth, n_rounds: int) -> Iterator[Row]:
    """Yield the rows of ours in a SQLite file, each with Optuna's storages in the same round."""

    def shipped() -> float:
        return optunas(truth, 60, optuna.samplers.RandomSampler(seed=0), f"sqlite:///{_fresh(folder, 'db')}")

    def journal() -> float:
        backend = JournalFileBackend(_fresh(folder, "log"))
        storage = JournalStorage(backend)
        return optunas(truth, 200, optuna.samplers.RandomSampler(seed=0), storage)

    def mine(level: str, n: int, batch_size: int) -> Callable[[], float]:
        return lambda: ours(
            folder, n, f"sqlite:///{_fresh(folder, 'db')}?synchronous={level}", batch_size=batch_size
        )

    sampled = [lambda: pygloves(truth, 100)]
    rows = [
        ("SQLite, synchronous FULL", mine("full", 1000, 1), 30),
        ("SQLite, synchronous NORMAL", mine("normal", 1000, 1), 60),
        ("SQLite, NORMAL, batches of 64", mine("normal", 6400, 64), 100),
        ("SQLite, FULL, batches of 64", mine("full", 6400, 64), None),
    ]
    for what, run, target in rows:
        my_times, (shipped_times, journal_times, pg_times) = in_turn(
            run, [shipped, journal, *sampled], n_rounds
        )
        yield compared(what, my_times, "Optuna, its SQLite storage", shipped_times, target)
        if target in (30, None):
            yield compared(what, my_times, "Optuna, its journal file", journal_times)
        yield compared(what, my_times, "pg.sample, in memory", pg_times, 15 if target == 30 else None)


def _in_memory(folder: Path, truth: Truth, n_rounds: int) -> Iterator[Row]:
    """Yield the rows of ours in a SQLite database in memory."""
    samplers: dict[str, tuple[Callable[[], Any], int]] = {
        "random": (lambda: optuna.samplers.RandomSampler(seed=0), 500),
        "NSGA-II": (lambda: optuna.samplers.NSGAIISampler(seed=0), 500),
        "TPE": (lambda: optuna.samplers.TPESampler(seed=0), 100),
    }
    peers = [partial(pygloves, truth, 100)]
    peers += [partial(_sampled, truth, n, make) for make, n in samplers.values()]
    for batch_size, target in ((1, 40), (64, None)):
        my_times, theirs = in_turn(partial(ours, folder, 2000, "sqlite://", batch_size), peers, n_rounds)
        what = "in memory" + (f", batches of {batch_size}" if batch_size > 1 else "")
        yield compared(what, my_times, "pg.sample, in memory", theirs[0], target)
        for name, times in zip(samplers, theirs[1:], strict=True):
            yield compared(what, my_times, f"Optuna in memory, {name}", times)


def _sampled(truth: Truth, n: int, make: Callable[[], Any]) -> float:
    return optunas(truth, n, make())
