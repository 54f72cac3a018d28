# SPDX-License-Identifier: Apache-2.0
"""One trial's evaluation: evaluators one after the other, and what their metrics amount to."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import final

from archloom.contracts import Architecture, Evaluator, Metrics, Objective, State, Trial
from archloom.errors import ArchloomError
from archloom.objectives import Constraint, checked_metrics, missing_metric
from archloom.store import Outcome

__all__ = ["Evaluation", "judge"]


@final
@dataclass(frozen=True)
class Evaluation:
    """How every trial of a study is evaluated.

    Args:
        evaluators: in this order; a trial that breaks a constraint on what is known goes no further.
        objectives: the metrics that a complete trial must have.
        constraints: bounds on metrics.
    """

    evaluators: tuple[Evaluator, ...]
    objectives: tuple[Objective, ...]
    constraints: tuple[Constraint, ...]

    @property
    def is_vectorised(self) -> bool:
        """Whether every evaluator measures several architectures in one call."""
        return all(evaluator.is_vectorised for evaluator in self.evaluators)

    def many(
        self, architectures: Sequence[Callable[[], Architecture]], trials: Sequence[Trial]
    ) -> list[Outcome]:
        """Evaluate several at once; where that fails, one by one, so that each failure is its own."""
        if len(trials) > 1 and self.is_vectorised:
            with suppress(Exception, SystemExit):  # met again below, by the trial that it belongs to
                return self._at_once([architecture() for architecture in architectures], trials)
        return [self(a, trial) for a, trial in zip(architectures, trials, strict=True)]

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

    def __call__(self, architecture: Callable[[], Architecture], trial: Trial) -> Outcome:
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
