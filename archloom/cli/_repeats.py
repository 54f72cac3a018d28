# SPDX-License-Identifier: Apache-2.0
"""Incumbents over evaluations, and the spread over studies that differ only by their seed."""

from __future__ import annotations

import json
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, final

from archloom.cli._words import number

if TYPE_CHECKING:
    from archloom.store import StudyRecord, TrialRecord

TERMS = ("space", "strategy", "evaluator", "pruner", "duplicates", "batch_size", "budget")
"""What of a study file decides what a search comes to, beside its seed."""


@final
@dataclass(frozen=True)
class Course:
    """How a study's best value came to be.

    Args:
        name: the study's, with its store where two have the same.
        seed: the study's.
        terms: equal for studies that differ only by name and seed.
        values: after each evaluation the best feasible value of the first objective by then, if any.
    """

    name: str
    seed: int
    terms: str
    values: tuple[float | None, ...]

    def after(self, n: int) -> float | None:
        """Return the best value after ``n`` evaluations, or after all where there were fewer."""
        return self.values[: max(n, 0)][-1] if self.values[: max(n, 0)] else None

    def steps(self) -> list[tuple[int, float]]:
        """Return the number of evaluations and the value of each improvement, and of the end."""
        found = [
            (i + 1, value)
            for i, value in enumerate(self.values)
            if value is not None and (i == 0 or value != self.values[i - 1])
        ]
        last = self.values[-1] if self.values else None
        return (
            found if last is None or found[-1][0] == len(self.values) else [*found, (len(self.values), last)]
        )


@final
@dataclass(frozen=True)
class Repeats:
    """Studies that differ only by seed; often one alone."""

    courses: tuple[Course, ...]

    @property
    def n(self) -> int:
        """How many evaluations every one of them has had."""
        return min(len(course.values) for course in self.courses)

    def after(self, n: int) -> tuple[float, float | None] | None:
        """Return mean and standard deviation of the best values after ``n`` evaluations.

        ``None`` while one of the studies has no value; no deviation of one study alone.
        """
        values = [course.after(n) for course in self.courses]
        there = [value for value in values if value is not None]
        if len(there) < len(values):
            return None
        return statistics.fmean(there), statistics.stdev(there) if len(there) > 1 else None

    def row(self, n: int) -> dict[str, Any]:
        """Describe them as plain JSON."""
        mean, std = self.after(n) or (None, None)
        last_mean, last_std = self.after(self.n) or (None, None)
        return {
            "studies": [course.name for course in self.courses],
            "seeds": [course.seed for course in self.courses],
            "n_evaluations": self.n,
            "mean": last_mean,
            "std": last_std,
            "mean_at_equal_budget": mean,
            "std_at_equal_budget": std,
        }


def course(study: StudyRecord, name: str, trials: Sequence[TrialRecord]) -> Course:
    """Return how a study's best value came to be.

    Args:
        study: the study.
        name: as it is shown.
        trials: all of its trials.
    """
    evaluated = [trial for trial in trials if trial.finish_order is not None and trial.reused_from is None]
    evaluated.sort(key=lambda trial: trial.finish_order or 0)
    sign = study.objectives[0].sign
    best: float | None = None
    values: list[float | None] = []
    for trial in evaluated:
        value = trial.values[0]
        counts = str(trial.state) == "COMPLETE" and not trial.violation and not trial.excluded
        if counts and value is not None and (best is None or sign * value < sign * best):
            best = value
        values.append(best)
    return Course(name, study.seed, _terms(study), tuple(values))


def repeats_of(courses: Sequence[Course]) -> list[Repeats]:
    """Put together the studies that differ only by seed; one of the same seed stays apart."""
    found: list[list[Course]] = []
    for one in courses:
        fit = (some for some in found if some[0].terms == one.terms and one.seed not in _seeds(some))
        group = next(fit, None)
        if group is None:
            found.append([one])
        else:
            group.append(one)
    return [Repeats(tuple(some)) for some in found]


def spread(told: tuple[float, float | None] | None) -> str:
    """Write mean and standard deviation.

    >>> spread((0.9312, 0.00421)), spread((0.5, None)), spread(None)
    ('0.9312 ± 0.0042', '0.5000', '–')
    """
    if told is None:
        return "–"
    mean, std = told
    return number(mean) if std is None else f"{number(mean)} ± {std:.2g}"


def _seeds(courses: Sequence[Course]) -> set[int]:
    return {one.seed for one in courses}


def _terms(study: StudyRecord) -> str:
    goals = [(goal.metric, goal.direction) for goal in study.objectives]
    config = {key: study.config.get(key) for key in TERMS}
    return json.dumps([study.fingerprint, goals, sorted(study.constraints), config], sort_keys=True)
