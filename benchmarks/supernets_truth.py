# SPDX-License-Identifier: Apache-2.0
"""What every network of a small space reaches by itself: the truth that a supernet's scores are held to.

256 networks: four places with one of four operations each, two before and two after a pooling, every
operation inside a residual connection. Large images are halved twice before the stem. Each is trained from
scratch under several seeds, and kept as a row of a table, which later runs read.
"""

from __future__ import annotations

import csv
import statistics
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from itertools import combinations, product
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyglove as pg

from archloom.agreement import kendall_tau
from archloom.contracts import Trial
from archloom.evaluators import Costs, Training
from archloom.search_spaces import SearchSpace
from archloom.search_spaces import blueprints as b

__all__ = ["OPERATIONS", "PROBLEMS", "Problem", "Truth", "paths", "split_half", "truth"]

FOLDER = Path(__file__).parent / "results" / "supernets"
OPERATIONS = ("skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3")
N_SEEDS = 5


class Problem(NamedTuple):
    """Data, the space's width, and how a network is trained.

    Args:
        data: a registered data set.
        data_options: its options.
        n_pools: how often images are halved before the stem.
        options: of ``training``.
    """

    data: str
    data_options: dict[str, Any]
    n_pools: int
    options: dict[str, Any]


PROBLEMS = {
    "digits": Problem("digits", {}, 0, {"epochs": 10, "optimizer": "sgd", "lr": 0.05}),
    "fashion_mnist": Problem(
        "fashion_mnist",
        {"n_train": 2000, "n_validation": 1000, "n_test": 2000},
        2,
        {"epochs": 8, "optimizer": "sgd", "lr": 0.05},
    ),
}


class Truth(NamedTuple):
    """What 256 networks reach under ``n`` seeds.

    Args:
        validation: accuracies, ``256 x n``.
        test: accuracies, ``256 x n``.
        macs: multiply-accumulates, ``256``.
    """

    validation: npt.NDArray[np.float64]
    test: npt.NDArray[np.float64]
    macs: npt.NDArray[np.float64]


def paths(n_pools: int = 0, width: int = 8) -> SearchSpace:
    """Return the space of 256 networks.

    >>> paths().size
    256
    """

    def place() -> b.Residual:
        return b.Residual(pg.oneof(list(OPERATIONS)))

    stem = [*(b.Pool() for _ in range(n_pools)), b.Conv(width=width), b.Norm("batch")]
    return SearchSpace(b.Sequence([*stem, place(), place(), b.Pool(), place(), place()]))


def truth(name: str, n_seeds: int = N_SEEDS, processes: int = 2) -> Truth:
    """Return the truth of a problem, training what the kept table does not have yet."""
    file = FOLDER / f"truth-{name}.csv"
    file.parent.mkdir(parents=True, exist_ok=True)
    known = {(int(row["path"]), int(row["seed"])): row for row in _read(file)}
    missing = [task for task in product(range(n_seeds), range(256)) if task[::-1] not in known]
    if missing:
        with ProcessPoolExecutor(processes) as pool, file.open("a", newline="", encoding="utf-8") as out:
            writer = csv.DictWriter(out, ["path", "seed", "macs", "validation", "test", "operations"])
            if not known:
                writer.writeheader()
            todo = pool.map(_measured, ((name, path, seed) for seed, path in missing), chunksize=8)
            for n, row in enumerate(todo, 1):
                writer.writerow(row)
                out.flush()
                known[row["path"], row["seed"]] = row
                print(f"\r{name}: {n} of {len(missing)} trainings", end="", file=sys.stderr, flush=True)
        print(file=sys.stderr)
    column = {
        key: np.array([[float(known[path, seed][key]) for seed in range(n_seeds)] for path in range(256)])
        for key in ("validation", "test", "macs")
    }
    return Truth(column["validation"], column["test"], column["macs"][:, 0])


def split_half(scores: npt.NDArray[np.float64]) -> float:
    """Return how the means over half of the seeds rank against those over the others, over all such halves.

    Args:
        scores: ``networks x seeds``.
    """
    seeds = range(scores.shape[1])
    halves = [
        (list(some), [s for s in seeds if s not in some]) for some in combinations(seeds, len(seeds) // 2)
    ]
    return statistics.fmean(
        kendall_tau(scores[:, a].mean(axis=1), scores[:, b].mean(axis=1)) for a, b in halves
    )


def _read(file: Path) -> Iterator[dict[str, Any]]:
    if file.exists():
        with file.open(newline="", encoding="utf-8") as stream:
            yield from csv.DictReader(stream)


@cache
def _prepared(name: str) -> tuple[SearchSpace, Training, Costs]:
    problem = PROBLEMS[name]
    space = paths(problem.n_pools)
    training = Training(
        data=problem.data, data_options=problem.data_options, save_weights=False, **problem.options
    )
    costs = Costs(metrics=["macs"], data=problem.data, data_options=problem.data_options)
    for evaluator in (training, costs):
        evaluator.prepare(space)
    return space, training, costs


def _measured(task: tuple[str, int, int]) -> dict[str, Any]:
    name, path, seed = task
    space, training, costs = _prepared(name)
    architecture = space.architecture(space.at([path]))
    metrics = training.evaluate(architecture, Trial(seed=1000 * seed + path))
    return {
        "path": path,
        "seed": seed,
        "macs": int(costs.evaluate(architecture, Trial())["macs"]),
        "validation": f"{metrics['validation/accuracy']:.5f}",
        "test": f"{metrics['test/accuracy']:.5f}",
        "operations": " ".join(map(str, architecture.choices.values())),
    }
