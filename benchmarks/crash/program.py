# SPDX-License-Identifier: Apache-2.0
"""What each process of the matrix does: run a study, or work for one, and write down what it was told.

Beside the store, every process appends to two files that are on disk before the next step is taken:
``evaluated`` (an evaluation has begun) and ``ended`` (the study has said that a trial is finished).
"""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pyglove as pg

from archloom import SearchSpace, Study
from archloom.contracts import Architecture, Evaluator, Executor, Metrics, Strategy, Trial
from archloom.errors import StudyBusyError
from archloom.executors import ProcessExecutor
from archloom.store import TrialRecord
from archloom.strategies import STRATEGIES
from archloom.testing.quick import quick_options
from benchmarks.crash.killing import Kill, arm, strike

__all__ = ["Plan", "Scored", "ScoredMany", "play", "study_of"]

SPACES = {n: SearchSpace(pg.List([pg.oneof(list(range(4))) for _ in range(n)])) for n in (5, 8)}
"""By the number of decisions: 1,024 and 65,536 architectures."""


@dataclass(frozen=True)
class Plan:
    """What a process is to do.

    Args:
        url: the store.
        side: folder of the files beside it.
        role: ``run``, ``work``, or ``any``: run, and where another process does, work for it.
        trials: the budget.
        batch: how many proposals the strategy makes at a time.
        is_vectorised: whether the evaluator takes a batch at once.
        strategy: its registered name.
        seconds: that an evaluation takes.
        n_reports: how often it reports.
        lease: as the study's.
        retries: as the study's.
        processes: how many processes of its own evaluate; 0 for none.
        kill: where it is to die, if anywhere.
        deadly: the number of a trial that kills whatever evaluates it, each time.
        patience: as ``archloom.study.PATIENCE``.
        clock: seconds by which the clock is moved, back and forth, at every reading.
        n_decisions: of the space.
    """

    url: str
    side: Path
    role: str = "run"
    trials: int = 12
    batch: int = 1
    is_vectorised: bool = False
    strategy: str = "regularized_evolution"
    seconds: float = 0.0
    n_reports: int = 0
    lease: float = 60.0
    retries: int = 1000
    processes: int = 0
    kill: Kill | None = None
    deadly: int = -1
    patience: float = 600.0
    clock: float = 0.0
    n_decisions: int = 5


class Scored(Evaluator):
    """A score that is a function of the architecture.

    Args:
        plan: how long it takes, how often it reports, and whom it kills.
    """

    gives = ("score",)

    def __init__(self, plan: Plan):
        self.plan = plan

    def evaluate(self, architecture: Architecture, trial: Trial) -> Metrics:
        """Write down that it has begun, and take some time."""
        plan = self.plan
        note(plan.side / "evaluated", f"{trial.number} {architecture.key} {os.getpid()}")
        if trial.number == plan.deadly:
            os.kill(os.getpid(), 9)
        for step in range(plan.n_reports):
            time.sleep(plan.seconds / plan.n_reports)
            trial.report(step, {"score": float(step)})
        if not plan.n_reports and plan.seconds:
            time.sleep(plan.seconds)
        strike(plan.kill, plan.side, "evaluating")
        digits = [int(str(choice)) for choice in architecture.choices.values()]
        return {"score": sum(digit * (i + 1) for i, digit in enumerate(digits)) + digits[0] / 10}


class ScoredMany(Scored):
    """The same, several at a time."""

    def evaluate_many(self, architectures: Sequence[Architecture], trials: Sequence[Trial]) -> list[Metrics]:
        """Evaluate one after the other."""
        return [self.evaluate(a, t) for a, t in zip(architectures, trials, strict=True)]


def note(file: Path, line: str) -> None:
    """Append a line to a file that several processes write, and see it to the disk."""
    number = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
    try:
        os.write(number, f"{line}\n".encode())
        os.fsync(number)
    finally:
        os.close(number)


def study_of(plan: Plan, *, resume: bool = True) -> Study:
    """Open the study."""
    strategy: Strategy = STRATEGIES.get(plan.strategy)(**quick_options(plan.strategy))
    evaluator = (ScoredMany if plan.is_vectorised else Scored)(plan)
    return Study(
        SPACES[plan.n_decisions],
        strategy,
        evaluator,
        {"score": "maximize"},
        store=plan.url,
        resume=resume,
        lease=plan.lease,
        retries=plan.retries,
        artifacts=False,
    )


def play(plan: Plan) -> None:
    """Do what is planned, to the end or to the death."""
    import archloom.study

    archloom.study.PATIENCE = plan.patience
    if plan.clock:
        _bend_clock(plan.clock)
    if plan.kill is not None:
        arm(plan.kill, plan.side)

    def ended(study: Study, record: TrialRecord) -> None:
        if record.state.is_finished:
            value = record.values[0]
            note(plan.side / "ended", f"{record.number} {record.state} {value!r} {record.reused_from!r}")
            strike(plan.kill, plan.side, "told")

    study = study_of(plan)
    executor: Executor | None = ProcessExecutor(plan.processes) if plan.processes else None
    with study.store:
        try:
            if plan.role == "work":
                _await_run(study)
                study.work(callbacks=[ended], executor=executor)
            else:
                study.run(plan.trials, batch_size=plan.batch, callbacks=[ended], executor=executor)
        except StudyBusyError:
            if plan.role != "any":
                raise
            study.work(callbacks=[ended], executor=executor)


def _await_run(study: Study) -> None:
    """Wait until another process runs the study, as `search worker --wait` does."""
    while study.store.standing(study.id).status == "stopped":
        time.sleep(0.002)


def _bend_clock(seconds: float) -> None:
    """Move the clock of the store back and forth, a little further each time."""
    from datetime import UTC, datetime, timedelta

    from archloom.store import rows

    n_readings = 0

    def bent() -> str:
        nonlocal n_readings
        n_readings += 1
        shift = timedelta(seconds=seconds * (-1) ** n_readings * (1 + n_readings % 7))
        return (datetime.now(UTC) + shift).isoformat(timespec="microseconds").replace("+00:00", "Z")

    rows.now = bent
