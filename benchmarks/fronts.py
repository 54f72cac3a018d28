# SPDX-License-Identifier: Apache-2.0
"""Strategies that look for a front, on two objectives whose front is known: hypervolume by evaluations.

NAS-Bench-201 with HW-NAS-Bench: accuracy on CIFAR-100 (validation, after 12 epochs) is to be high, measured
latency on an FPGA low. Both are scaled to ``[0, 1]`` over all 15,625 cells, the reference point is the worst
of each, and a hypervolume is shown as a share of that of the exact front. A budget counts different cells;
what a strategy proposes again is served from the store. Every search is a whole ``Study``.

Run ``python -m benchmarks.fronts``. Needs ARCHLOOM_DATA (NAS-Bench-201 and HW-NAS-Bench) and
``archloom[bench,optuna]``.
"""

from __future__ import annotations

import argparse
import csv
import json
import multiprocessing
import os
import platform
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal, final

import numpy as np
import pandas

import archloom
from archloom import Study
from archloom.bench.runs import shown
from archloom.bench.tables import sign_flip_test
from archloom.contracts import FloatArray, State
from archloom.evaluators import Tabular
from archloom.search_spaces.nasbench201 import nasbench201
from archloom.strategies import STRATEGIES
from archloom.strategies.gflownet.fronts import hypervolume
from benchmarks.store_words import table

RESULTS = Path(__file__).parent / "results"
OBJECTIVES: dict[str, Literal["maximize", "minimize"]] = {"accuracy": "maximize", "latency_ms": "minimize"}
BUDGETS = (100, 200, 500)
RIVAL = "optuna:NSGAIISampler"
QUICK: tuple[Any, ...] = ("random", "regularized_evolution", "nsga2", RIVAL)
LEARNED: tuple[Any, ...] = ("op_gfn", "mogfn_pc", "mogfn_al")
N_STALL = 250
"""Proposals in a row, all of known cells, after which a search is over: a flow that is sure of its front."""


@final
@dataclass(frozen=True, eq=False)
class Search:
    """One search.

    Args:
        strategy: in words.
        seed: of the search.
        share: of the exact front's hypervolume, after each evaluation of another cell, ``n``.
        n_proposals: with those that were served from the store.
        seconds: that it took.
    """

    strategy: str
    seed: int
    share: FloatArray
    n_proposals: int
    seconds: float

    def at(self, budget: int) -> float:
        """Return the share when a budget was spent, or the last where the search ended before."""
        return float(self.share[min(budget, len(self.share)) - 1])


def joined(path: Path) -> Path:
    """Write the two tables as one."""
    data = Path(os.environ["ARCHLOOM_DATA"])
    cells = pandas.read_parquet(data / "nasbench201/nb201.parquet", columns=["arch", "cifar100_valid_12"])
    latency = pandas.read_parquet(data / "nasbench201_hw/nb201_latency_ms.parquet", columns=["fpga"])
    cells.assign(latency_ms=latency["fpga"]).to_parquet(path)
    return path


@lru_cache(maxsize=1)
def _truth(path: Path) -> tuple[FloatArray, FloatArray, float]:
    """Return the worst and the best of the two objectives, and the exact hypervolume between them."""
    cells = pandas.read_parquet(path, columns=["cifar100_valid_12", "latency_ms"]).to_numpy(dtype=float)
    worst = np.array([cells[:, 0].min(), cells[:, 1].max()])
    best = np.array([cells[:, 0].max(), cells[:, 1].min()])
    return worst, best, hypervolume((cells - worst) / (best - worst))


def search(path: Path, strategy: Mapping[str, Any] | str, seed: int, budget: int) -> Search:
    """Search once."""
    options = {} if isinstance(strategy, str) else dict(strategy)
    name = strategy if isinstance(strategy, str) else options.pop("name")
    columns = {"accuracy": "cifar100_valid_12", "latency_ms": "latency_ms"}
    study = Study(
        nasbench201(),
        STRATEGIES.get(name)(**options),
        Tabular(path=path, key="arch", objective=columns),
        OBJECTIVES,
        seed=seed,
        artifacts=False,
        n_stall=N_STALL,
    )
    began = time.perf_counter()
    study.run(trials=budget)
    seconds = time.perf_counter() - began
    ended = sorted(
        (trial for trial in study.trials if trial.state == State.COMPLETE and trial.reused_from is None),
        key=lambda trial: trial.finish_order or 0,
    )
    worst, best, exact = _truth(path)
    values = np.array([trial.values for trial in ended], dtype=float)
    rewards = (values - worst) / (best - worst)
    share = np.array([hypervolume(rewards[: i + 1]) for i in range(len(rewards))]) / exact
    n_proposals = study.n_proposals
    study.store.close()
    return Search(shown(strategy), seed, share, n_proposals, seconds)


def search_all(jobs: Sequence[tuple[Any, int]], path: Path, budget: int, processes: int) -> list[Search]:
    """Search with every strategy and seed, in fresh processes; return them in the order of the jobs."""
    found: dict[int, Search] = {}
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, mp_context=context) as pool:
        waiting = {pool.submit(search, path, *job, budget): i for i, job in enumerate(jobs)}
        for future in as_completed(waiting):
            found[waiting[future]] = future.result()
            print(f"\r{len(found)} of {len(jobs)} searches", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    return [found[i] for i in range(len(jobs))]


def main() -> None:
    """Search, compare, and write the table, the curves and the picture."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fronts", description=__doc__)
    parser.add_argument("--seeds", type=int, default=20, help="of strategies that take seconds")
    parser.add_argument("--learned", type=int, default=10, help="seeds of those that train networks")
    parser.add_argument("--budget", type=int, default=BUDGETS[-1], help="different cells in a search")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--only", nargs="*", help="strategies, as names or JSON objects with options")
    parser.add_argument("--out", type=Path, default=RESULTS / "fronts.md")
    args = parser.parse_args()
    jobs = [(strategy, seed) for strategy in QUICK for seed in range(args.seeds)]
    jobs += [(strategy, seed) for strategy in LEARNED for seed in range(args.learned)]
    if args.only:
        given = [json.loads(one) if one.startswith("{") else one for one in args.only]
        jobs = [(strategy, seed) for strategy in given for seed in range(args.seeds)]
    with tempfile.TemporaryDirectory() as folder:
        path = joined(Path(folder) / "cells.parquet")
        searches = search_all(jobs, path, args.budget, args.processes)
    text = "\n".join(_report(searches, args.budget)) + "\n"
    args.out.write_text(text, encoding="utf-8")
    _write_csv(searches, args.out.with_suffix(".csv"))
    _draw(searches, args.budget, args.out.with_suffix(".png"))
    print(text)


def _report(searches: Sequence[Search], budget: int) -> list[str]:
    budgets = [each for each in BUDGETS if each <= budget] or [budget]
    head = ["strategy", "seeds", "evaluated", *[f"at {each}" for each in budgets]]
    head += [f"p against {RIVAL} at {budgets[-1]}", "proposals", "seconds a search"]
    groups = _grouped(searches)
    order = sorted(groups, key=lambda name: -_mean_at(groups[name], budgets[-1]))
    return [
        "# Fronts of accuracy and latency",
        "",
        f"{date.today()}, archloom {archloom.__version__}, Python {platform.python_version()}; "
        f"{os.cpu_count()} cores. `python -m benchmarks.fronts`.",
        "",
        "NAS-Bench-201, CIFAR-100: validation accuracy after 12 epochs up, FPGA latency down, each scaled to "
        "[0, 1] over all cells; hypervolume above the worst of both, as a share of the exact front's, after "
        "so many evaluations of different cells; mean ± standard error. *p*: paired by seed, by flipping "
        f"signs, over the seeds that both have. A search that proposes nothing new {N_STALL} times in a row "
        "ends, and keeps its last value.",
        "",
        *table(head, [_row(name, groups, budgets) for name in order]),
    ]


def _row(name: str, groups: Mapping[str, Sequence[Search]], budgets: Sequence[int]) -> list[str]:
    own = groups[name]
    rival = {each.seed: each.at(budgets[-1]) for each in groups.get(RIVAL, [])}
    apart = np.array([each.at(budgets[-1]) - rival[each.seed] for each in own if each.seed in rival])
    is_other = name != RIVAL and len(apart) > 0
    return [
        name,
        str(len(own)),
        f"{np.mean([len(each.share) for each in own]):.0f}",
        *[_spread(np.array([each.at(budget) for each in own])) for budget in budgets],
        f"{apart.mean():+.4f}, {sign_flip_test(apart):.3f}" if is_other else "",
        f"{np.mean([each.n_proposals for each in own]):.0f}",
        f"{np.mean([each.seconds for each in own]):.1f}",
    ]


def _grouped(searches: Sequence[Search]) -> dict[str, list[Search]]:
    groups: dict[str, list[Search]] = {}
    for each in searches:
        groups.setdefault(each.strategy, []).append(each)
    return groups


def _mean_at(searches: Sequence[Search], budget: int) -> float:
    return float(np.mean([each.at(budget) for each in searches]))


def _spread(values: FloatArray) -> str:
    error = values.std(ddof=1) / np.sqrt(len(values)) if len(values) > 1 else float("nan")
    return f"{values.mean():.4f} ± {error:.4f}"


def _write_csv(searches: Sequence[Search], path: Path) -> None:
    """Write a row for each evaluation that raised the hypervolume, and the last of each search."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["strategy", "seed", "evaluations", "share", "proposals", "seconds"])
        for each in searches:
            rises = np.flatnonzero(np.diff(each.share, prepend=0.0) > 0).tolist()
            for i in sorted({*rises, len(each.share) - 1}):
                end = [each.n_proposals, f"{each.seconds:.2f}"]
                writer.writerow([each.strategy, each.seed, i + 1, f"{each.share[i]:.6f}", *end])


def _draw(searches: Sequence[Search], budget: int, path: Path) -> None:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    from archloom.bench.plots import COLOURS

    figure = Figure(figsize=(8, 5), dpi=120, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    x = np.arange(1, budget + 1)
    for colour, (name, own) in zip(COLOURS * 3, _grouped(searches).items(), strict=False):
        missing = 1.0 - np.array([[each.at(n) for n in x.tolist()] for each in own])
        mean, error = missing.mean(axis=0), missing.std(axis=0) / np.sqrt(max(len(own) - 1, 1))
        axes.plot(x, mean, color=colour, label=name)
        axes.fill_between(x, mean - error, mean + error, color=colour, alpha=0.18, linewidth=0)
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlabel("evaluations of different cells")
    axes.set_ylabel("share of the exact hypervolume that is missing")
    axes.set_title("NAS-Bench-201, CIFAR-100 accuracy and FPGA latency")
    axes.grid(alpha=0.25, which="both")
    axes.legend(frameon=False, fontsize=8)
    figure.savefig(path)


if __name__ == "__main__":
    main()
