# SPDX-License-Identifier: Apache-2.0
"""One search of a problem by a strategy, and how its incumbent improved."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal, final

import numpy as np

from archloom import config
from archloom.contracts import Evaluator, FloatArray, State
from archloom.errors import ConfigError
from archloom.store import TrialRecord
from archloom.study import Study

__all__ = ["Curve", "Problem", "Unit", "search_once", "shown"]

Unit = Literal["proposals", "evaluations", "seconds"]
"""What a budget counts: proposals, repeats included; evaluations of different architectures; or the seconds
of training that a table has for these."""
SECONDS = "train_seconds"
CHUNK = 50
MOST = 1_000_000


@final
@dataclass(frozen=True)
class Problem:
    """What strategies are compared on: a study file, whose own strategy, seed and budget do not matter.

    Args:
        file: the study file. Its evaluator should be a table, or as quick as one.
        budget: of each search.
        unit: what the budget counts.
        report: the metric of the incumbent that is shown beside the objective, and never searched on; by
            default the first of the ``test`` split, if any.
    """

    file: Path
    budget: float
    unit: Unit = "proposals"
    report: str | None = None

    def __post_init__(self) -> None:
        if not 0 < self.budget <= MOST:
            raise ConfigError(f"a budget is above 0 and at most {MOST:,}, got {self.budget:g}")


@final
@dataclass(frozen=True, eq=False)
class Curve:
    """How the incumbent of one search improved, at each of ``n`` finished proposals.

    Args:
        strategy: its words, as they were given.
        problem: the study's name.
        seed: of the search.
        evaluations: ``n``, different architectures evaluated until then.
        seconds: ``n``, of training that these would have taken; NaN where the table does not say.
        objective: ``n``, the best value until then, NaN before the first.
        report: ``n``, the report metric of that architecture; NaN where there is none.
        wall: seconds that the search really took.
    """

    strategy: str
    problem: str
    seed: int
    evaluations: FloatArray
    seconds: FloatArray
    objective: FloatArray
    report: FloatArray
    wall: float

    def spent(self, unit: Unit) -> FloatArray:
        """Return the budget spent at each proposal, ``n``."""
        if unit == "proposals":
            return np.arange(1, len(self.objective) + 1, dtype=float)
        return self.evaluations if unit == "evaluations" else self.seconds

    def at(self, budget: float, unit: Unit) -> tuple[float, float]:
        """Return the incumbent's objective and report when a budget was spent; NaN before the first trial."""
        place = int(np.searchsorted(self.spent(unit), budget, side="right")) - 1
        if place < 0:
            return float("nan"), float("nan")
        return float(self.objective[place]), float(self.report[place])


def search_once(problem: Problem, strategy: Mapping[str, Any] | str, seed: int) -> Curve:
    """Search a problem once.

    Args:
        problem: what is searched.
        strategy: as in a study file, a name or ``{name: ..., option: value}``.
        seed: of the search.

    Raises:
        ConfigError: the study file or the strategy is unsound, the budget counts seconds that the table
            does not have, or there are several objectives.
    """
    words = strategy if isinstance(strategy, str) else json.dumps(dict(strategy))
    study_file, evaluators = _loaded(problem.file, words)
    sections = study_file.sections
    if len(sections.objectives) != 1:
        raise ConfigError(
            f"{study_file.source}: a benchmark has one objective, not {len(sections.objectives)}"
        )
    began = time.perf_counter()
    with study_file.importing():
        study = Study(
            study_file.space,
            study_file.strategy(),
            list(evaluators),
            sections.objectives,
            constraints=sections.constraints,
            duplicates=sections.duplicates,
            seed=seed,
            artifacts=False,
            n_stall=MOST,
        )
    with study.store:
        _spend(study, problem)
        return _curve(study, problem, shown(strategy), study_file.name, seed, began)


def _spend(study: Study, problem: Problem) -> None:
    """Run a study until its budget is spent, or it ends by itself."""
    if problem.unit != "seconds":
        study.run(trials=int(problem.budget), count=problem.unit)
        return
    n = 0
    while sum(trial.metrics.get(SECONDS, 0.0) for trial in study.trials) < problem.budget and n < MOST:
        n += CHUNK
        study.run(trials=n)
        if SECONDS not in {name for trial in study.trials for name in trial.metrics}:
            raise ConfigError(
                f"a budget in seconds needs the metric {SECONDS!r}: name the table's column with `seconds:`"
            )
        if study.n_evaluations < n:
            return


@lru_cache(maxsize=32)
def _loaded(file: Path, strategy: str) -> tuple[config.StudyFile, tuple[Evaluator, ...]]:
    """Read a study file once a process: its tables too."""
    study_file = config.load(file, [f"strategy={strategy}", "store=sqlite://"])
    return study_file, tuple(study_file.evaluators())


def shown(strategy: Mapping[str, Any] | str) -> str:
    """Return a strategy in a line of words.

    >>> shown({"name": "random"}), shown({"name": "regularized_evolution", "sample_size": 3})
    ('random', 'regularized_evolution(sample_size=3)')
    """
    if isinstance(strategy, str):
        return strategy
    options = ", ".join(f"{key}={value}" for key, value in strategy.items() if key != "name")
    return f"{strategy.get('name')}({options})" if options else str(strategy.get("name"))


def _curve(study: Study, problem: Problem, strategy: str, name: str, seed: int, began: float) -> Curve:
    goal = study.objectives[0]
    ended = sorted(
        (trial for trial in study.trials if trial.finish_order is not None),
        key=lambda trial: trial.finish_order or 0,
    )
    report = problem.report or _first_report(ended)
    costs = np.array([_cost(trial, goal.sign) for trial in ended])
    best = np.minimum.accumulate(costs) if len(costs) else costs
    is_better = np.r_[True, best[1:] < best[:-1]] if len(costs) else np.empty(0, dtype=bool)
    leader = np.maximum.accumulate(np.where(is_better, np.arange(len(costs)), 0))
    reported = np.array([trial.metrics.get(report, np.nan) if report else np.nan for trial in ended])
    is_new = np.array([trial.reused_from is None for trial in ended], dtype=float)
    seconds = np.array([trial.metrics.get(SECONDS, np.nan) for trial in ended]) * is_new
    is_known = np.isfinite(best)
    return Curve(
        strategy=strategy,
        problem=name,
        seed=seed,
        evaluations=np.cumsum(is_new),
        seconds=np.cumsum(seconds),
        objective=np.where(is_known, best * goal.sign, np.nan),
        report=np.where(is_known, reported[leader], np.nan) if len(costs) else reported,
        wall=time.perf_counter() - began,
    )


def _first_report(trials: list[TrialRecord]) -> str | None:
    names = sorted({name for trial in trials for name in trial.metrics if name.startswith("test/")})
    return names[0] if names else None


def _cost(trial: TrialRecord, sign: float) -> float:
    is_good = trial.state == State.COMPLETE and not trial.violation and trial.values[0] is not None
    return sign * float(trial.values[0] or 0.0) if is_good else np.inf
