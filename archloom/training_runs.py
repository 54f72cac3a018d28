# SPDX-License-Identifier: Apache-2.0
"""Trainings that are no trials: each a run of the study, with one worker, a seed and a folder of its own."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, final

import numpy as np

from archloom.contracts import Metrics, SharedRun, Strategy
from archloom.errors import ArchloomError, OtherRunError
from archloom.sharing import Sharing
from archloom.store import Store
from archloom.store.runs import RunRecord

__all__ = ["OnRun", "TrainingRuns"]

OnRun = Callable[[str, int, Metrics], object]
"""Called with a run's name, an epoch and its metrics."""


@final
class TrainingRuns:
    """Opens the runs of a study, and has one done by the worker that comes first.

    Args:
        store: holds the study.
        study_id: the study.
        sharing: who else works on the study.
        seed: the study's.
        device: where to compute.
        artifacts: the study's folder; ``None`` keeps nothing.
    """

    def __init__(
        self,
        store: Store,
        study_id: int,
        sharing: Sharing,
        seed: int,
        device: str,
        artifacts: Path | None,
    ):
        self.store, self.study_id, self._sharing = store, study_id, sharing
        self._seed, self._device, self._artifacts = seed, device, artifacts
        self.strategy: Strategy | None = None
        """The study's, of which a training that asks one gets a copy."""
        self.on_report: OnRun = lambda name, step, metrics: None

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """Be among the workers of the study, which takes no trials, so that others know who is at a run."""
        self._sharing.enter(0)
        try:
            yield
        finally:
            self._sharing.leave()

    def open(self, name: str) -> tuple[RunRecord, SharedRun]:
        """Return a run as the store has it, entered if it is new, and what a training is told of it."""
        record = self.store.runs.open(self.study_id, name, _seed(self._seed, name))
        folder = self._artifacts / record.name if self._artifacts else None
        report = partial(self._report, record)
        return record, SharedRun(
            record.name, record.seed, self._device, folder, report, copy.deepcopy(self.strategy)
        )

    def is_elsewhere(self, record: RunRecord) -> bool:
        """Whether another worker is at it, and is alive."""
        if record.state != "RUNNING" or record.worker is None:
            return False
        return self._sharing.is_alive(record.worker)

    @contextmanager
    def underway(self, name: str) -> Iterator[SharedRun]:
        """Be at a run that is done in pieces, of which this is one; in between it waits.

        Raises:
            ArchloomError: another process is at it.
        """
        record, run = self.open(name)
        if not self.store.runs.begin(self.study_id, record):
            raise ArchloomError(f"the run {name!r} is complete, or another process has just begun with it")
        end: Any = partial(self.store.runs.end, self.study_id, record.id)
        try:
            yield run
        except BaseException as error:
            state = "FAIL" if isinstance(error, Exception) else "WAITING"
            end(state, reason=f"{type(error).__name__}: {error}")
            raise
        end("WAITING", checkpoint=str(run.folder or ""))

    def do(self, record: RunRecord, run: SharedRun, work: Callable[[SharedRun], object], what: str) -> bool:
        """Do a run and enter how it ended; return whether it was this process's to do.

        Args:
            record: as it was seen.
            run: what the work is told.
            work: the work.
            what: it makes, in words.

        Raises:
            ArchloomError: it failed.
            OtherRunError: what the run has left is of other terms.
        """
        if not self.store.runs.begin(self.study_id, record):
            return False
        end: Any = partial(self.store.runs.end, self.study_id, record.id)
        began = time.monotonic()
        try:
            work(run)
        except Exception as error:
            end("FAIL", reason=f"{type(error).__name__}: {error}")
            if isinstance(error, OtherRunError):
                raise
            raise ArchloomError(f"the {what} could not be trained: {error}") from error
        except BaseException as error:
            end("WAITING", reason=f"{type(error).__name__} ended the run")
            raise
        end("COMPLETE", checkpoint=str(run.folder or ""), seconds=time.monotonic() - began)
        return True

    def _report(self, record: RunRecord, step: int, metrics: Metrics) -> None:
        self.store.runs.report(record.id, step, metrics)
        self.on_report(record.name, step, metrics)


def _seed(seed: int, name: str) -> int:
    """Return the seed of a run: another one than any trial's."""
    words = np.frombuffer(name.encode(), dtype=np.uint8).tolist()
    return int(np.random.SeedSequence((seed, *words)).generate_state(1, np.uint64)[0] >> 1)
