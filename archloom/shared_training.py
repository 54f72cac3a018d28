# SPDX-License-Identifier: Apache-2.0
"""What all trials share is trained once: by one worker of the study, while the others wait for it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from itertools import count
from typing import final

from archloom.contracts import Evaluator
from archloom.errors import OtherRunError
from archloom.relaxation import RelaxedEvaluator
from archloom.training_runs import TrainingRuns

__all__ = ["SharedTraining"]

_PAUSE = 0.5


@final
class SharedTraining:
    """Has the evaluators of a study trained that share something.

    Args:
        runs: the study's.
        evaluators: the study's.
    """

    def __init__(self, runs: TrainingRuns, evaluators: Sequence[Evaluator]):
        self._runs = runs
        self._waiting = [evaluator for evaluator in evaluators if evaluator.shares]

    def __call__(self) -> None:
        """Train what is not trained, wait for what others train, load what has been; once.

        Raises:
            ArchloomError: it failed.
        """
        while self._waiting:
            self._settle(self._waiting[0])
            del self._waiting[0]

    def _settle(self, evaluator: Evaluator) -> None:
        """Train or load; where what there is was made under other terms, beside it, as ``supernet-2``."""
        name = evaluator.shares
        for n in count(2):
            try:
                self._train_or_load(evaluator, name)
                return
            except OtherRunError:
                name = f"{evaluator.shares}-{n}"

    def _train_or_load(self, evaluator: Evaluator, name: str) -> None:
        while True:
            record, run = self._runs.open(name)
            if isinstance(evaluator, RelaxedEvaluator):  # whose search has trained it, as far as it went
                evaluator.load(run)
                return
            if record.state == "COMPLETE" and run.folder is not None:
                evaluator.load(run)
                return
            if self._runs.is_elsewhere(record):
                time.sleep(_PAUSE)
            elif record.state == "COMPLETE":  # in memory, and that of another process
                evaluator.train(run)
                return
            elif self._runs.do(record, run, evaluator.train, name):
                return
