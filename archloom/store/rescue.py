# SPDX-License-Identifier: Apache-2.0
"""Trials that nobody works for any more: they wait again, or have failed too often."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import final

from archloom.contracts import State
from archloom.errors import StoreError
from archloom.store.life import Life, Running
from archloom.store.records import Outcome, TrialRecord, WorkerRecord
from archloom.store.session import Session
from archloom.store.workers import Workers

__all__ = ["Rescue"]


@final
class Rescue:
    """Takes RUNNING trials back.

    Args:
        session: on the database.
        life: of its trials.
        workers: who works on them.
        finish: ends trials of a study.
    """

    def __init__(
        self,
        session: Session,
        life: Life,
        workers: Workers,
        finish: Callable[[int, Mapping[int, Outcome]], list[TrialRecord]],
    ):
        self._session, self._life, self._workers, self._finish = session, life, workers, finish

    def let_go(self, study_id: int, *, keep: Collection[int] = (), reason: str) -> list[int]:
        """Make the trials that this process has claimed WAITING again, but for those in ``keep``."""
        with self._session.transaction(forgives=StoreError):
            mine = self._workers.join(study_id)
            self._life.lock(study_id)
            running = {each.number for each in self._life.running(study_id) if each.worker == mine}
            return self._life.reopen(study_id, running - set(keep), reason, is_lost=False)

    def retry_lost(self, study_id: int, gone: Sequence[WorkerRecord], max_lost: int) -> list[TrialRecord]:
        """Enter that workers are gone: their trials are WAITING again, or FAIL for good.

        Args:
            study_id: the study.
            gone: the workers; trials that no worker is known of are retried too.
            max_lost: a trial whose worker was gone more often than this is failed, since it may be the cause.

        Returns:
            The trials that were failed.
        """
        ids = {worker.id: worker for worker in gone}
        failed: list[TrialRecord] = []
        with self._session.transaction(forgives=StoreError):
            self._life.lock(study_id)
            for each in self._life.running(study_id):
                if each.worker is None or each.worker in ids:
                    reason = _words(ids.get(each.worker or 0))
                    failed += self._lose(study_id, [each], reason, max_lost)
            self._workers.end(list(ids))
        return failed

    def lose(self, study_id: int, numbers: Sequence[int], reason: str, max_lost: int) -> list[TrialRecord]:
        """Have RUNNING trials of this worker wait again whose process is gone; return those that were failed.

        Args:
            study_id: the study.
            numbers: which.
            reason: what has happened, in words.
            max_lost: as in ``retry_lost``.
        """
        with self._session.transaction(forgives=StoreError):
            mine = self._workers.join(study_id)
            self._life.lock(study_id)
            running = self._life.running(study_id)
            lost = [each for each in running if each.number in numbers and each.worker == mine]
            return self._lose(study_id, lost, reason, max_lost)

    def _lose(self, study_id: int, lost: Sequence[Running], reason: str, max_lost: int) -> list[TrialRecord]:
        failed = {
            each.number: Outcome(State.FAIL, {}, reason=f"{reason}, for the {each.n_lost + 1}. time")
            for each in lost
            if each.n_lost >= max_lost
        }
        again = [each.number for each in lost if each.number not in failed]
        if again:
            self._life.reopen(study_id, again, reason, is_lost=True)
        return self._finish(study_id, failed)


def _words(worker: WorkerRecord | None) -> str:
    return "its worker was gone" + (f" (process {worker.pid} on {worker.host})" if worker else "")
