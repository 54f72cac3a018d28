# SPDX-License-Identifier: Apache-2.0
"""One trial's evaluation: evaluators one after the other, and what their metrics amount to."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import final

from archloom.contracts import Architecture, Evaluator, Job, Metrics, Objective, OnReport, State, Trial
from archloom.errors import ArchloomError, ConfigError, did_you_mean
from archloom.objectives import Constraint, checked_metrics, missing_metric
from archloom.search_spaces import SearchSpace
from archloom.store import Outcome

__all__ = ["Evaluation", "judge", "told"]


@final
@dataclass(frozen=True)
class Evaluation:
    """How every trial of a study is evaluated.

    Args:
        space: what the architectures are points of.
        evaluators: in this order; a trial that breaks a constraint on what is known goes no further.
        objectives: the metrics that a complete trial must have.
        constraints: bounds on metrics.
    """

    space: SearchSpace
    evaluators: tuple[Evaluator, ...]
    objectives: tuple[Objective, ...]
    constraints: tuple[Constraint, ...]

    @property
    def is_vectorised(self) -> bool:
        """Whether every evaluator measures several architectures in one call."""
        return all(evaluator.is_vectorised for evaluator in self.evaluators)

    def __call__(self, jobs: Sequence[Job], device: str, on_report: OnReport) -> list[Outcome]:
        """Evaluate several at once; where that fails, one by one, so that each failure is its own."""
        points = [job.architecture or partial(self.space.from_choices, job.choices) for job in jobs]
        trials = [_trial(job, device, on_report) for job in jobs]
        if len(jobs) > 1 and self.is_vectorised:
            with suppress(Exception, SystemExit):  # met again below, by the trial that it belongs to
                return self._at_once([point() for point in points], trials)
        return [self.one(point, trial) for point, trial in zip(points, trials, strict=True)]

    def _at_once(self, points: Sequence[Architecture], trials: Sequence[Trial]) -> list[Outcome]:
        metrics: list[dict[str, float]] = [{} for _ in trials]
        for evaluator in self.evaluators:
            left = [i for i, trial in enumerate(trials) if not self._is_over(metrics[i], trial)]
            measured = evaluator.evaluate_many([points[i] for i in left], [trials[i] for i in left])
            for i, result in zip(left, measured, strict=True):
                metrics[i] = _joined(metrics[i], evaluator, result)
        return [
            judge(found, self.objectives, self.constraints, trial)
            for found, trial in zip(metrics, trials, strict=True)
        ]

    def _is_over(self, metrics: Metrics, trial: Trial) -> bool:
        """Whether a trial goes no further: it was stopped, or breaks a constraint on what is known."""
        return trial.is_stopped or any(c.violation(metrics) for c in self.constraints)

    def one(self, architecture: Callable[[], Architecture], trial: Trial) -> Outcome:
        """Evaluate; whatever goes wrong is the outcome, not an exception."""
        metrics: dict[str, float] = {}
        try:
            point = architecture()
            for evaluator in self.evaluators:
                metrics = _joined(metrics, evaluator, evaluator.evaluate(point, trial))
                if self._is_over(metrics, trial):
                    break
        except (Exception, SystemExit) as error:  # code that ends the program ends its trial
            return Outcome(
                State.FAIL,
                metrics,
                reason=f"{type(error).__name__}: {error}",
                traceback=traceback.format_exc(),
                artifacts=_artifacts(trial),
            )
        return judge(metrics, self.objectives, self.constraints, trial)


def _trial(job: Job, device: str, on_report: OnReport) -> Trial:
    return Trial(
        number=job.number,
        seed=job.seed,
        fidelity=job.fidelity,
        device=device,
        folder=job.folder,
        on_report=partial(on_report, job.number),
    )


def told(
    result: Metrics | float | None,
    reason: str,
    objectives: Sequence[Objective],
    constraints: Sequence[Constraint],
) -> Outcome:
    """Turn what ``Study.tell`` was given into an outcome: metrics, the only objective's value, or a failure.

    Raises:
        ArchloomError: an objective is missing, or a metric is not a number.
    """
    if result is None:
        return Outcome(State.FAIL, {}, reason=reason or "told to fail")
    if not isinstance(result, Mapping):
        if len(objectives) > 1:
            raise ConfigError(f"there are {len(objectives)} objectives: tell a mapping, got {result!r}")
        result = {objectives[0].metric: result}
    metrics = checked_metrics(result, "tell")
    for objective in objectives:
        if objective.metric not in metrics:
            near = did_you_mean(objective.metric, metrics)
            raise ArchloomError(f"tell: the objective {objective.metric!r} is not there{near}")
    return judge(metrics, objectives, constraints)


def _joined(metrics: dict[str, float], evaluator: Evaluator, measured: Metrics) -> dict[str, float]:
    """Return what is known with what an evaluator gave, having checked the latter."""
    name = type(evaluator).__name__
    checked = checked_metrics(measured, name)
    for metric in checked.keys() & metrics.keys():
        raise ArchloomError(f"{name}: another evaluator has given {metric!r} already")
    return metrics | checked


def judge(
    metrics: Metrics,
    objectives: Sequence[Objective],
    constraints: Sequence[Constraint],
    trial: Trial | None = None,
) -> Outcome:
    """Turn metrics into an outcome.

    PRUNED where the pruner stopped the trial, or where a broken constraint left an objective
    unmeasured; FAIL where an objective is missing or not finite, or nothing says whether a constraint
    is kept; COMPLETE otherwise, with the sum by which constraints are broken.
    """
    artifacts = _artifacts(trial)
    broken = [(c, c.violation(metrics)) for c in constraints if c.violation(metrics) > 0]
    violation = float(sum(amount for _, amount in broken))
    missing = missing_metric(metrics, [objective.metric for objective in objectives])
    if trial is not None and trial.is_stopped:
        return Outcome(State.PRUNED, metrics, violation, "stopped early by the pruner", artifacts=artifacts)
    if missing and broken:
        reason = "; ".join(f"{c.metric} = {metrics[c.metric]:g} breaks {c}" for c, _ in broken)
        return Outcome(State.PRUNED, metrics, violation, reason, artifacts=artifacts)
    if not missing and not broken:
        missing = missing_metric(metrics, [constraint.metric for constraint in constraints])
    if missing:
        return Outcome(State.FAIL, metrics, violation, missing, artifacts=artifacts)
    return Outcome(State.COMPLETE, metrics, violation, artifacts=artifacts)


def _artifacts(trial: Trial | None) -> dict[str, str]:
    return {name: str(path) for name, path in trial.artifacts.items()} if trial else {}
