# SPDX-License-Identifier: Apache-2.0
"""Which cells differentiable search derives on NAS-Bench-201's space, looked up in the benchmark's table.

The search sees Fashion-MNIST images, small enough for a CPU; what a cell is worth is its test accuracy on
CIFAR-10 after 200 epochs (mean of the benchmark's seeds). A collapse to skip connections shows.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from itertools import product
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

EPOCHS, N_SEEDS, CHANNELS, N_CELLS = 30, 3, 16, 1
DATA = {"n_train": 2500, "n_validation": 2500, "n_test": 1000}
REPORT = "cifar10_test_200"
METHODS: dict[str, tuple[Callable[[], GradientStrategy], dict[str, object]]] = {
    "darts": (lambda: darts(lr=3e-3), {}),
    "pc_darts": (lambda: pc_darts(lr=6e-3, warmup_epochs=8), {"lr": 0.1}),
    "gdas": (lambda: gdas(lr=3e-3), {}),
    "sharpdarts": (lambda: sharpdarts(lr=3e-3), {"schedule": "cosine_power", "lr_min": 1e-4}),
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
    worth = _worth()
    tasks = list(product(METHODS, range(N_SEEDS)))
    with ProcessPoolExecutor(2) as pool:
        found = dict(zip(tasks, pool.map(_search, *zip(*tasks, strict=True)), strict=True))
    median, best = statistics.median(worth.values()), max(worth.values())
    rows = [_row(name, [found[name, seed] for seed in range(N_SEEDS)], worth, median) for name in METHODS]
    head = [
        "method",
        "CIFAR-10 test of the last cell",
        "each seed",
        "better than the median cell",
        "skips after epochs 1, 10, 20, 30",
        "entropy",
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
    ]


def _row(name: str, courses: Sequence[Course], worth: dict[str, float], median: float) -> list[str]:
    values = [worth[course.cells[-1]] for course in courses]
    marks = [0, 9, 19, EPOCHS - 1]
    skips = ", ".join(f"{np.mean([course.skips[mark] for course in courses]):.1f}" for mark in marks)
    entropies = ", ".join(f"{np.mean([course.entropies[mark] for course in courses]):.2f}" for mark in marks)
    return [
        name,
        spread(values),
        ", ".join(f"{value:.2f}" for value in values),
        verdict(statistics.fmean(values) > median, ""),
        skips,
        entropies,
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
