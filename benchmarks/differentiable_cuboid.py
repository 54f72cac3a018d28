# SPDX-License-Identifier: Apache-2.0
"""The toy hypercuboid: two layers of three widths and two operations on 8x8 digits, all 36 paths trained.

A path that differentiable search extracts is trained from scratch as the others are (Hundt, Jain and Hager,
"sharpDARTS", 2019, arXiv:1903.09900, propose Max-W for such grids).
"""

from __future__ import annotations

import statistics
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from itertools import product

import numpy as np
import torch

from archloom import Study
from archloom.contracts import Trial
from archloom.evaluators import Training
from archloom.evaluators.relaxed import RelaxedSupernet
from archloom.relaxation import GradientStrategy
from archloom.search_spaces import SearchSpace
from archloom.search_spaces.hypercuboid import hypercuboid
from archloom.strategies.gradient import darts, sharpdarts
from benchmarks.store_words import spread, table, verdict

__all__ = ["cuboid"]

WIDTHS, STRIDES, STEM = (8, 16, 32), (1, 2), 8
EPOCHS, N_SEEDS, N_RANDOM = 30, 3, 20
METHODS: dict[str, Callable[[], GradientStrategy]] = {
    "sharpdarts (Max-W)": lambda: sharpdarts(lr=1e-2),
    "darts (softmax)": lambda: darts(lr=1e-2),
}


def cuboid() -> list[str]:
    """Return the section."""
    space = _space()
    n = space.size or 0
    searches, trainings = list(product(METHODS, range(N_SEEDS))), list(product(range(n), range(N_SEEDS)))
    with ProcessPoolExecutor(2) as pool:
        found = dict(zip(searches, pool.map(_searched, *zip(*searches, strict=True)), strict=True))
        reached = dict(zip(trainings, pool.map(_trained, *zip(*trainings, strict=True)), strict=True))
    texts = [space.architecture(space.at([path])).text for path in range(n)]
    worth = {
        texts[path]: statistics.fmean(reached[path, seed] for seed in range(N_SEEDS)) for path in range(n)
    }
    drawn = np.random.default_rng(0).choice(n, N_RANDOM, replace=False)
    median = statistics.median(worth[texts[path]] for path in drawn)
    order = sorted(worth.values(), reverse=True)
    rows = []
    for name in METHODS:
        texts_found = [found[name, seed] for seed in range(N_SEEDS)]
        values = [worth[text] for text in texts_found]
        ranks = [1 + order.index(value) for value in values]
        rows.append(
            [
                name,
                spread([100 * value for value in values]),
                ", ".join(map(str, ranks)),
                verdict(statistics.fmean(values) >= median, "").strip(),
                "; ".join(texts_found),
            ]
        )
    return [
        "## Hypercuboid",
        "",
        f"Two layers (strides {STRIDES}) of widths {WIDTHS} and two operations on digits: {n} paths, each "
        f"trained {EPOCHS} epochs from scratch under {N_SEEDS} seeds; test accuracy in %. The median of "
        f"{N_RANDOM} random paths is {100 * median:.2f}, the best of all {100 * order[0]:.2f}, the worst "
        f"{100 * order[-1]:.2f}. Mean ± standard deviation over {N_SEEDS} searches.",
        "",
        *table(["method", "path found", f"its rank of {n}", "no worse than the median", "paths"], rows),
        "",
    ]


def _space() -> SearchSpace:
    return hypercuboid(widths=WIDTHS, strides=STRIDES, stem=STEM)


def _searched(name: str, seed: int) -> str:
    torch.set_num_threads(1)
    evaluator = RelaxedSupernet(data="digits", epochs=EPOCHS)
    study = Study(_space(), METHODS[name](), evaluator, {"accuracy": "maximize"}, seed=seed, name=f"{seed}")
    text = study.run(trials=EPOCHS).trials[-1].text
    print(f"{name}, seed {seed}: {text}", flush=True)
    return text


@cache
def _training() -> Training:
    torch.set_num_threads(1)
    evaluator = Training(data="digits", epochs=EPOCHS, optimizer="sgd", lr=0.05)
    evaluator.prepare(_space())
    return evaluator


def _trained(path: int, seed: int) -> float:
    space = _space()
    found = _training().evaluate(space.architecture(space.at([path])), Trial(seed=seed))
    return float(found["test/accuracy"])
