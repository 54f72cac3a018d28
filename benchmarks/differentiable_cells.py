# SPDX-License-Identifier: Apache-2.0
"""Which cells differentiable search derives on NAS-Bench-201's space, looked up in the benchmark's table.

The search sees Fashion-MNIST images, small enough for a CPU; what a cell is worth is its test accuracy on
CIFAR-10 after 200 epochs (mean of the benchmark's seeds). A collapse to skip connections shows. Searches are
kept as a table, and not done again: delete it for that.
"""

from __future__ import annotations

import csv
import re
import statistics
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from itertools import product
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

from archloom import Study
from archloom.contracts import Trial
from archloom.evaluators import Tabular
from archloom.evaluators.relaxed import RelaxedSupernet
from archloom.relaxation import GradientStrategy
from archloom.search_spaces.nasbench201 import nasbench201
from archloom.strategies.gradient import darts, gdas, pc_darts, sharpdarts
from benchmarks.store_words import spread, table, verdict

__all__ = ["cells"]

EPOCHS, N_SEEDS, CHANNELS, N_CELLS = 25, 3, 16, 1
MARKS = [0, 4, 9, 14, 19, EPOCHS - 1]
"""Epochs, from 0, whose skip connections the table shows; the file beside it has all."""
DATA = {"n_train": 1000, "n_validation": 1000, "n_test": 1000}
REPORT = "cifar10_test_200"
FILE = Path(__file__).parent / "results" / "differentiable" / "cells.csv"
# The published learning rates are for 20,000 steps, here are 400: these go as far.
BARE = ", poolings bare"
_METHODS: dict[str, tuple[Callable[[], GradientStrategy], dict[str, object]]] = {
    "darts": (lambda: darts(lr=1e-2), {}),
    "pc_darts": (lambda: pc_darts(lr=2e-2, warmup_epochs=7), {"lr": 0.1}),
    "gdas": (lambda: gdas(lr=1e-2), {}),
    "sharpdarts": (lambda: sharpdarts(lr=1e-2), {"schedule": "cosine_power", "lr_min": 1e-4}),
}
# With poolings normalised, as in DARTS' own cells, and as the benchmark's authors have them.
METHODS = {
    **_METHODS,
    **{f"{name}{BARE}": (make, {**told, "norms_pools": False}) for name, (make, told) in _METHODS.items()},
}


class Course(NamedTuple):
    """One search, an entry an epoch.

    Args:
        cells: what was derived.
        skips: how many skip connections it has.
        entropies: of the sites, mean.
        accuracies: of the cells by inherited weights, on validation.
    """

    cells: list[str]
    skips: list[float]
    entropies: list[float]
    accuracies: list[float]


def cells() -> list[str]:
    """Return the section."""
    worth, found = _worth(), _kept()
    todo = [task for task in product(METHODS, range(N_SEEDS)) if task not in found]
    with ProcessPoolExecutor(2) as pool:
        for task, course in zip(
            todo, pool.map(_search, *zip(*todo, strict=True)) if todo else (), strict=True
        ):
            found[task] = course
            _keep(found, worth)
    median, best = statistics.median(worth.values()), max(worth.values())
    rows = [_row(name, [found[name, seed] for seed in range(N_SEEDS)], worth, median) for name in METHODS]
    head = [
        "method",
        "CIFAR-10 test of the last cell",
        "each seed",
        "better than the median cell",
        f"skips after epochs {', '.join(str(mark + 1) for mark in MARKS)}",
        "entropy",
        "operations without weights",
        "last cells",
    ]
    return [
        "## Derived cells",
        "",
        f"{EPOCHS} epochs on {DATA['n_train']:,} Fashion-MNIST images for the weights and "
        f"{DATA['n_validation']:,} for the coefficients, {CHANNELS} channels, {N_CELLS} cell a stage, "
        f"{N_SEEDS} seeds; mean ± standard deviation. Of the benchmark's 15,625 cells the median reaches "
        f"{median:.2f}, the best {best:.2f}; the median is what a random cell is as likely above as below.",
        "",
        *table(head, rows),
        "",
        f"Every epoch of every seed is in `{FILE.parent.name}/{FILE.name}`.",
        "",
        *_skips(found),
    ]


def _n_bare(course: Course) -> int:
    """Return how many operations of the last cell have no weights."""
    return len(re.findall("none|skip_connect|avg_pool", course.cells[-1]))


def _skips(found: Mapping[tuple[str, int], Course]) -> list[str]:
    """Say what the fact sheets expect of skip connections, with poolings normalised (DARTS) and bare."""

    def mean(name: str, count: Callable[[Course], float]) -> float:
        return statistics.fmean(count(found[name, seed]) for seed in range(N_SEEDS))

    told = []
    for what, ending in {"normalised": "", "bare": BARE}.items():
        names = [f"{name}{ending}" for name in ("darts", "pc_darts")]
        first = mean(names[0], lambda course: course.skips[0])
        last, partial = (mean(name, lambda course: course.skips[-1]) for name in names)
        ours, theirs = (mean(name, _n_bare) for name in reversed(names))
        told += [
            f"Poolings {what}: skip connections of DARTS go from {first:.1f} to {last:.1f} of 6 edges "
            f"({verdict(last > first, 'to rise:')}), PC-DARTS derives {partial:.1f} "
            f"({verdict(partial < last, 'fewer:')}); of operations without weights, poolings among them, "
            f"{ours:.1f} against {theirs:.1f}.",
            "",
        ]
    return told


def _kept() -> dict[tuple[str, int], Course]:
    """Return the searches of the table."""
    found: dict[tuple[str, int], Course] = {}
    if FILE.exists():
        with FILE.open(newline="", encoding="utf-8") as stream:
            for row in csv.DictReader(stream):
                course = found.setdefault((row["method"], int(row["seed"])), Course([], [], [], []))
                course.cells.append(row["cell"])
                for name in Course._fields[1:]:
                    getattr(course, name).append(float(row[name]))
    return found


def _keep(found: Mapping[tuple[str, int], Course], worth: Mapping[str, float]) -> None:
    FILE.parent.mkdir(parents=True, exist_ok=True)
    with FILE.open("w", newline="", encoding="utf-8") as out:
        rows = csv.writer(out)
        rows.writerow(["method", "seed", "epoch", "cell", REPORT, *Course._fields[1:]])
        for (name, seed), course in found.items():
            for epoch, (cell, *numbers) in enumerate(zip(*course, strict=True), 1):
                shown = [f"{number:.4g}" for number in numbers]
                rows.writerow([name, seed, epoch, cell, f"{worth[cell]:.2f}", *shown])


def _row(name: str, courses: Sequence[Course], worth: dict[str, float], median: float) -> list[str]:
    values = [worth[course.cells[-1]] for course in courses]
    skips = ", ".join(f"{np.mean([course.skips[mark] for course in courses]):.1f}" for mark in MARKS)
    entropies = ", ".join(f"{np.mean([course.entropies[mark] for course in courses]):.2f}" for mark in MARKS)
    return [
        name,
        spread(values),
        ", ".join(f"{value:.2f}" for value in values),
        verdict(statistics.fmean(values) > median, "").strip(),
        skips,
        entropies,
        f"{statistics.fmean(_n_bare(course) for course in courses):.1f} of 6",
        "; ".join(f"`{course.cells[-1].replace('|', '/')}`" for course in courses),
    ]


def _worth() -> dict[str, float]:
    truth = Tabular(path="nasbench201/nb201.parquet", key="arch", objective=[REPORT])
    space = nasbench201()
    truth.prepare(space)
    rows = space.enumerate()
    points = [space.architecture(rows[i]) for i in range(len(rows))]
    return {point.text: float(truth.evaluate(point, Trial())[REPORT]) for point in points}


def _search(name: str, seed: int) -> Course:
    torch.set_num_threads(1)
    make, options = METHODS[name]
    told = {"data": "fashion_mnist", "data_options": DATA, "epochs": EPOCHS, "recalibration_batches": 5}
    evaluator = RelaxedSupernet(**{**told, **options})  # type: ignore[arg-type]
    space = nasbench201(channels=CHANNELS, n_cells=N_CELLS)
    study = Study(space, make(), evaluator, {"accuracy": "maximize"}, seed=seed, name=f"{name}-{seed}")
    trials = study.run(trials=EPOCHS).trials
    course = Course(
        [trial.text for trial in trials],
        *([trial.metrics[key] for trial in trials] for key in ("skips", "entropy", "validation/accuracy")),
    )
    print(f"{name}, seed {seed}: {course.cells[-1]}, skips {course.skips}", flush=True)
    return course
