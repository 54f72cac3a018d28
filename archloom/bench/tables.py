# SPDX-License-Identifier: Apache-2.0
"""What curves amount to: means with their spread, ranks and paired tests, and every seed's curve as CSV.

Seeds are paired: the same seed of two strategies meets the same problem, and the difference is tested by
flipping signs (a permutation test; exact up to 14 seeds, else by 10,000 draws). Ranks are among the
strategies of one problem, seed by seed, the best 1, equals sharing the mean of their places.
"""

from __future__ import annotations

import csv
import itertools
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import final

import numpy as np

from archloom.bench.runs import Curve, Unit
from archloom.contracts import FloatArray
from archloom.errors import DataError

__all__ = ["Row", "compare", "read_csv", "write_csv"]

N_EXACT = 14
N_DRAWS = 10_000
_HEADER = (
    "problem",
    "strategy",
    "seed",
    "proposals",
    "evaluations",
    "seconds",
    "objective",
    "report",
    "wall",
)


@final
@dataclass(frozen=True)
class Row:
    """A strategy on a problem when a budget was spent, over all seeds.

    Args:
        problem: the study's name.
        strategy: in words.
        budget: that was spent.
        n_seeds: searches that had a trial by then.
        objective: mean of the incumbents' objective.
        objective_error: its standard error.
        report: mean of their report metric; NaN without.
        report_error: its standard error.
        evaluations: mean number of different architectures evaluated.
        rank: mean rank by the objective among the strategies.
        p: of a paired test that this strategy and the best one do not differ; NaN for the best.
    """

    problem: str
    strategy: str
    budget: float
    n_seeds: int
    objective: float
    objective_error: float
    report: float
    report_error: float
    evaluations: float
    rank: float
    p: float


def compare(
    curves: Sequence[Curve], budgets: Sequence[float], unit: Unit, *, is_maximized: bool = True
) -> list[Row]:
    """Return a row for each problem, budget and strategy, in that order, the best strategy first.

    Args:
        curves: of searches.
        budgets: at which they are looked at.
        unit: what a budget counts.
        is_maximized: whether a higher objective is better.
    """
    rows: list[Row] = []
    for problem in dict.fromkeys(curve.problem for curve in curves):
        own = [curve for curve in curves if curve.problem == problem]
        for budget in budgets:
            rows += _compared(own, budget, unit, is_maximized)
    return rows


def _compared(curves: Sequence[Curve], budget: float, unit: Unit, is_maximized: bool) -> list[Row]:
    strategies = list(dict.fromkeys(curve.strategy for curve in curves))
    seeds = sorted({curve.seed for curve in curves})
    objective = np.full((len(strategies), len(seeds)), np.nan)
    report, evaluations = objective.copy(), objective.copy()
    for curve in curves:
        place = strategies.index(curve.strategy), seeds.index(curve.seed)
        objective[place], report[place] = curve.at(budget, unit)
        spent = curve.spent(unit) <= budget
        evaluations[place] = curve.evaluations[spent][-1] if spent.any() else np.nan
    costs = -objective if is_maximized else objective
    ranks = np.array([_ranks(column) for column in costs.T]).T
    means = np.array([_mean(each) for each in costs])
    means[np.isnan(means)] = np.inf
    best = int(np.argmin(means))
    rows = [
        Row(
            problem=curves[0].problem,
            strategy=strategy,
            budget=budget,
            n_seeds=int(np.isfinite(objective[i]).sum()),
            objective=_mean(objective[i]),
            objective_error=_error(objective[i]),
            report=_mean(report[i]),
            report_error=_error(report[i]),
            evaluations=_mean(evaluations[i]),
            rank=_mean(ranks[i]),
            p=math.nan if i == best else sign_flip_test(objective[i] - objective[best]),
        )
        for i, strategy in enumerate(strategies)
    ]
    return [rows[i] for i in np.argsort(means, kind="stable")]


def _ranks(costs: FloatArray) -> FloatArray:
    """Return ranks from 1, equals sharing the mean of their places; NaN where there is no cost."""
    lower = (costs[None, :] < costs[:, None]).sum(axis=1)
    equal = (costs[None, :] == costs[:, None]).sum(axis=1)
    return np.where(np.isnan(costs), np.nan, lower + (equal + 1) / 2)


def sign_flip_test(differences: FloatArray) -> float:
    """Return the two-sided p-value that paired differences have mean zero, by flipping their signs.

    >>> sign_flip_test(np.array([1.0, 1.0, 1.0, 1.0, 1.0])), sign_flip_test(np.zeros(4))
    (0.0625, 1.0)
    """
    given = differences[np.isfinite(differences)]
    given = given[given != 0.0]
    n = len(given)
    if not n:
        return 1.0
    if n <= N_EXACT:
        signs = np.array(list(itertools.product((1.0, -1.0), repeat=n)))
    else:
        signs = np.random.default_rng(0).choice([1.0, -1.0], size=(N_DRAWS, n))
    extreme = np.abs(signs @ given) >= abs(given.sum()) * (1 - 1e-12)
    # Of drawn signs the observed ones are one more draw, so that p is never 0.
    return float(extreme.mean() if n <= N_EXACT else (extreme.sum() + 1) / (N_DRAWS + 1))


def _mean(values: FloatArray) -> float:
    known = values[np.isfinite(values)]
    return float(known.mean()) if len(known) else math.nan


def _error(values: FloatArray) -> float:
    known = values[np.isfinite(values)]
    return float(known.std(ddof=1) / math.sqrt(len(known))) if len(known) > 1 else math.nan


def write_csv(curves: Iterable[Curve], path: Path) -> None:
    """Write every seed's curve, a row for each proposal that changed its incumbent, and its last."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(_HEADER)
        for curve in curves:
            for i in _turns(curve):
                writer.writerow(
                    [
                        *(curve.problem, curve.strategy, curve.seed, i + 1, int(curve.evaluations[i])),
                        *(repr(float(each[i])) for each in (curve.seconds, curve.objective, curve.report)),
                        f"{curve.wall:.3f}",
                    ]
                )


def _turns(curve: Curve) -> list[int]:
    """Return the places at which the incumbent changed, and the last."""
    n = len(curve.objective)
    if not n:
        return []
    known = np.nan_to_num(curve.objective, nan=-np.inf)
    turns = np.flatnonzero(np.r_[True, known[1:] != known[:-1]])
    return sorted({*turns.tolist(), n - 1})


def read_csv(path: Path) -> list[dict[str, str]]:
    """Read rows that ``write_csv`` wrote.

    Raises:
        DataError: the file has other columns.
    """
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        if tuple(reader.fieldnames or ()) != _HEADER:
            raise DataError(f"{path} is no table of curves: its columns are {reader.fieldnames}")
        return list(reader)
