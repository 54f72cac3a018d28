# SPDX-License-Identifier: Apache-2.0
"""Which strategy is best after few evaluations, over several problems: the evidence for the default."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from archloom.bench import Curve, compare
from archloom.bench.tables import sign_flip_test
from benchmarks.store_words import table

__all__ = ["DEFAULT_ON", "Found", "after_few"]

DEFAULT = "smbo"
DEFAULT_ON = (
    "nasbench201-cifar10-valid",
    "nasbench201-cifar100-valid",
    "nasbenchgraph-arxiv",
    "nasbenchgraph-computers",
)
FEW = (64, 164)


class Found(NamedTuple):
    """What searches of a problem found.

    Args:
        study: the problem's name.
        optimum: of its objective.
        digits: to show.
        curves: one for each strategy and seed.
    """

    study: str
    optimum: float
    digits: int
    curves: list[Curve]


def after_few(problems: Iterable[Found]) -> Iterator[str]:
    """Yield the lines of a section: regret and mean rank after few evaluations of different architectures."""
    found = list(problems)
    if not found:
        return
    yield from ["", "## After few evaluations: the default", ""]
    yield (
        "Regret after so many evaluations of *different* architectures, ± standard error, with the p-value "
        f"of the paired test against `{DEFAULT}`. A search whose whole budget evaluates fewer counts with "
        "what it has found. Mean rank: over all problems and the seeds that all strategies have."
    )
    for budget in FEW:
        yield from ["", f"After {budget} evaluations:", ""]
        cells: dict[str, list[str]] = {}
        ranks: dict[str, list[float]] = {}
        for problem in found:
            values = {name: _values(problem, name, budget) for name in _names(problem)}
            for name, rank in _ranks(problem, budget).items():
                ranks.setdefault(name, []).append(rank)
                cells.setdefault(name, []).append(_cell(problem, name, values))
        order = sorted(cells, key=lambda name: float(np.mean(ranks[name])))
        rows = [[name, f"{np.mean(ranks[name]):.2f}", *cells[name]] for name in order]
        yield from table(["strategy", "mean rank", *(problem.study for problem in found)], rows)


def _named(curve: Curve) -> str:
    return curve.strategy.partition("(")[0]


def _names(problem: Found) -> list[str]:
    return list(dict.fromkeys(map(_named, problem.curves)))


def _values(problem: Found, name: str, budget: float) -> dict[int, float]:
    """Return the incumbent's objective by seed."""
    own = (curve for curve in problem.curves if _named(curve) == name)
    return {curve.seed: curve.at(budget, "evaluations")[0] for curve in own}


def _ranks(problem: Found, budget: float) -> dict[str, float]:
    seeds = set.intersection(*(set(_values(problem, name, budget)) for name in _names(problem)))
    rows = compare([curve for curve in problem.curves if curve.seed in seeds], (budget,), "evaluations")
    return {row.strategy.partition("(")[0]: row.rank for row in rows}


def _cell(problem: Found, name: str, values: dict[str, dict[int, float]]) -> str:
    own = np.array(list(values[name].values()))
    error = own.std(ddof=1) / len(own) ** 0.5
    words = f"{problem.optimum - own.mean():.{problem.digits}f} ± {error:.{problem.digits}f}"
    if name == DEFAULT or DEFAULT not in values:
        return words
    return f"{words} (p {sign_flip_test(_gaps(values[DEFAULT], values[name])):.3f})"


def _gaps(ours: dict[int, float], theirs: dict[int, float]) -> npt.NDArray[np.float64]:
    return np.array([ours[seed] - theirs[seed] for seed in sorted(ours.keys() & theirs.keys())])
