# SPDX-License-Identifier: Apache-2.0
"""What is under way in a process: the batches it evaluates, and those that have not reached the store."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from archloom.callbacks import Callback
from archloom.contracts import Architecture, Done, Executor, Job
from archloom.ledger import Budget
from archloom.store import Outcome, TrialRecord

__all__ = ["Batch", "Run", "job"]


@dataclass
class Batch:
    """Trials that are evaluated together, and the outcomes of those that are served from the store."""

    records: list[TrialRecord]
    served: dict[int, Outcome]


@dataclass
class Run:
    """A call of ``run`` or ``work``: where it stands."""

    budget: Budget
    executor: Executor
    batch_size: int
    callbacks: Sequence[Callback]
    running: dict[tuple[int, ...], Batch] = field(default_factory=dict)
    ready: list[TrialRecord] = field(default_factory=list)
    is_alone: bool = False
    ended: deque[tuple[Batch, dict[int, Outcome], float]] = field(default_factory=deque)
    """Evaluated, and not yet in the store."""
    lost: deque[Done] = field(default_factory=deque)
    """Their process is gone, and the store does not know it yet."""

    @property
    def n_running(self) -> int:
        """How many trials are being evaluated here."""
        batches = [*self.running.values(), *(batch for batch, _, _ in self.ended)]
        return sum(len(batch.records) for batch in batches)

    @property
    def numbers(self) -> set[int]:
        """The numbers of these trials."""
        batches = [*self.running.values(), *(batch for batch, _, _ in self.ended)]
        return {record.number for batch in batches for record in batch.records}

    @property
    def keys(self) -> set[str]:
        """What they are to be known by."""
        batches = [*self.running.values(), *(batch for batch, _, _ in self.ended)]
        return {record.key for batch in batches for record in batch.records}

    def end(self, done: Done) -> None:
        """Take what has been evaluated or lost; the trials end in the order in which they were claimed."""
        if done.lost:
            self.lost.append(done)
        batch = self.running.pop(done.numbers)
        outcomes = batch.served | dict(zip(done.numbers, done.outcomes, strict=False))
        ordered = {r.number: outcomes[r.number] for r in batch.records if r.number in outcomes}
        self.ended.append((batch, ordered, done.seconds))


def job(record: TrialRecord, artifacts: Path | None, architecture: Callable[[], Architecture]) -> Job:
    """Return what an executor needs of a trial.

    Args:
        record: the trial.
        artifacts: the study's folder for them.
        architecture: makes its architecture, for an evaluation in this process.
    """
    return Job(
        number=record.number,
        choices=record.choices,
        seed=record.seed,
        fidelity=record.fidelity,
        folder=artifacts / str(record.number) if artifacts else None,
        architecture=architecture,
    )
