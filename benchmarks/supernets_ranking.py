# SPDX-License-Identifier: Apache-2.0
"""Whether a supernet ranks 256 networks as they rank when each is trained by itself."""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from archloom import Study
from archloom.agreement import kendall_tau
from archloom.contracts import SharedRun, Trial
from archloom.evaluators import Costs, SupernetEvaluator
from archloom.search_spaces import SearchSpace
from archloom.strategies import RegularizedEvolution
from benchmarks.store_words import spread, table, verdict
from benchmarks.supernets_truth import PROBLEMS, Truth, paths, split_half, truth

__all__ = ["ranking"]

EPOCHS = {"digits": 100, "fashion_mnist": 60}
OPTIONS: dict[str, Any] = {"optimizer": "sgd", "lr": 0.05, "gradient_clip": 5.0, "n_checked": 0}
SAMPLERS = ("uniform", "cost_bins")
N_SEARCHED = 64
WANTED, LEAST_TAU = 0.6, 0.5


class Found(NamedTuple):
    """What one supernet gave.

    Args:
        loss: tau of its validation losses with the truth, batch norms measured anew.
        loss_shared: the same by the statistics that training left.
        accuracy: tau of its validation accuracies with the truth, batch norms measured anew.
        accuracy_shared: the same by the statistics that training left.
        rank: of the network that evolution found, among those under the cap, by the truth; 1 is the best.
    """

    loss: float
    loss_shared: float
    accuracy: float
    accuracy_shared: float
    rank: int


def ranking(name: str, n_seeds: int = 5) -> list[str]:
    """Return the section on one data set."""
    problem, known = PROBLEMS[name], truth(name)
    mean = known.validation.mean(axis=1)
    cap = float(np.median(known.macs))
    n_under = int((known.macs <= cap).sum())
    half = split_half(known.validation)
    lines = [
        f"## Ranking: {name}",
        "",
        f"256 networks, {problem.options['epochs']} epochs each, {known.validation.shape[1]} seeds a network "
        f"([the table](supernets/truth-{name}.csv)). The truth is the mean validation accuracy over seeds: "
        f"from {mean.min():.3f} to {mean.max():.3f}, median {np.median(mean):.3f}.",
        "",
        f"**Split-half tau of the truth: {half:.3f}** (two seeds against three, mean of all ten splits).",
        "",
    ]
    rows = []
    for sampler in SAMPLERS:
        found = [_one(name, sampler, seed, mean, known, cap) for seed in range(n_seeds)]
        rows.append(_row(sampler, found, half, n_under))
    head = [
        "sampler",
        "tau by loss",
        "without recalibration",
        "tau by accuracy",
        "without recalibration",
        "of the split-half",
        "true rank of what was found under the cap",
    ]
    return [
        *lines,
        *table(head, rows),
        "",
        f"{n_seeds} supernets a sampler, {EPOCHS[name]} epochs, mean ± standard deviation; wanted: {WANTED} "
        f"of the split-half tau, at least {LEAST_TAU} (Guo et al.), and lower without recalibration. The "
        f"search is regularized evolution over {N_SEARCHED} networks by inherited validation loss, under a "
        f"cap of {cap:,.0f} multiply-accumulates, which {n_under} networks keep; wanted: one of the best "
        f"{n_under // 10}.",
        "",
    ]


def _one(
    name: str, sampler: str, seed: int, mean: npt.NDArray[np.float64], known: Truth, cap: float
) -> Found:
    problem = PROBLEMS[name]
    space = paths(problem.n_pools)
    options = {**OPTIONS, "epochs": EPOCHS[name], "sampler": sampler}
    data: dict[str, Any] = {"data": problem.data, "data_options": problem.data_options}
    evaluator = SupernetEvaluator(**data, **options)
    with tempfile.TemporaryDirectory() as folder:
        study = Study(
            space,
            RegularizedEvolution(population_size=16, sample_size=4),
            [Costs(metrics=["macs"], **data), evaluator],
            {"loss": "minimize"},
            constraints=[f"macs <= {cap}"],
            store=f"sqlite:///{folder}/study.db",
            seed=seed,
        ).run(trials=N_SEARCHED)
        index = {key: i for i, key in enumerate(space.enumerate().keys())}
        best = index[study.rebuild(study.best).genotype.keys()[0]]
        record = study.store.runs.records(study.id)[0]
        shared = SupernetEvaluator(**data, **options, recalibration_batches=0)
        shared.prepare(space)
        shared.load(SharedRun(record.name, record.seed, folder=Path(record.checkpoint)))
        study.store.close()
    rank = 1 + int((mean[known.macs <= cap] > mean[best]).sum())
    measured, left = (_taus(each, space, mean) for each in (evaluator, shared))
    result = Found(measured[0], left[0], measured[1], left[1], rank)
    print(name, sampler, seed, result, flush=True)
    return result


def _taus(
    evaluator: SupernetEvaluator, space: SearchSpace, mean: npt.NDArray[np.float64]
) -> tuple[float, float]:
    """Return how losses and accuracies by inherited weights agree with the truth."""
    rows = space.enumerate()
    scores = [evaluator.evaluate(space.architecture(rows[i]), Trial()) for i in range(len(rows))]
    loss = kendall_tau(mean, [-score["validation/loss"] for score in scores])
    return loss, kendall_tau(mean, [score["validation/accuracy"] for score in scores])


def _row(sampler: str, found: Sequence[Found], half: float, n_under: int) -> list[str]:
    taus = [statistics.fmean(each[i] for each in found) for i in range(4)]
    n_good = sum(each.rank <= n_under // 10 for each in found)
    is_met = taus[0] >= max(WANTED * half, LEAST_TAU)
    is_lower = taus[1] < taus[0] and taus[3] < taus[2]
    return [
        sampler,
        *(spread([each[i] for each in found]) for i in range(4)),
        f"{taus[0] / half:.2f}, {taus[2] / half:.2f}: {verdict(is_met and is_lower, '').strip()}",
        f"{', '.join(str(each.rank) for each in found)} of {n_under}: top 10 % in {n_good} of {len(found)}",
    ]
