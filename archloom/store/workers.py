# SPDX-License-Identifier: Apache-2.0
"""Who works on a study: processes that come, give signs of life, and go; one of them proposes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, final

from archloom.errors import StoreError
from archloom.store import rows
from archloom.store import statements as sql
from archloom.store.process import Process, is_dead, this_process
from archloom.store.records import WorkerRecord
from archloom.store.session import Session

__all__ = ["Workers", "is_gone"]


@final
class Workers:
    """The workers of a store's studies; this process is at most one in each.

    Args:
        session: on the database.
    """

    def __init__(self, session: Session):
        self._session = session
        self._mine: dict[int, int] = {}
        self._is_unsure = False

    def forget(self) -> None:
        """A transaction was undone, and with it perhaps what this process entered."""
        self._is_unsure = True

    def join(self, study_id: int, n_slots: int = 1) -> int:
        """Enter this process as a worker of a study, if it is none yet; return its id.

        Args:
            study_id: the study.
            n_slots: how many trials it runs at a time.
        """
        mine = self._mine.get(study_id)
        if mine is not None and not self._is_unsure:
            return mine
        with self._session.transaction(forgives=StoreError):
            if self._is_unsure:
                self._look_again()
            if study_id not in self._mine:
                host, pid, mark = _this_process()
                ((found,),) = self._session.run(
                    sql.ADD_WORKER,
                    study_id=study_id,
                    host=host,
                    pid=pid,
                    process=mark,
                    now=rows.now(),
                    n_slots=n_slots,
                )
                self._mine[study_id] = found
            return self._mine[study_id]

    def leave(self, study_id: int) -> None:
        """Say goodbye to a study; its trials that run here are for others to retry."""
        mine = self._mine.get(study_id)
        if mine is not None:
            self.end([mine])
            self._mine.pop(study_id, None)

    def leave_all(self) -> None:
        """Say goodbye to every study."""
        for study_id in list(self._mine):
            self.leave(study_id)

    def end(self, workers: Sequence[int]) -> None:
        """Enter that workers have gone, of their own will or not."""
        with self._session.transaction():
            for worker in workers:
                self._session.run(sql.END_WORKER, worker=worker, now=rows.now())

    def records(self, study_id: int, *, is_all: bool = False) -> list[WorkerRecord]:
        """Return who is at work on a study or has left trials RUNNING there, or all there ever were."""
        with self._session.transaction("read", forgives=StoreError):
            found = self._session.run(sql.WORKERS if is_all else sql.HOLDERS, study_id=study_id)
        return [_record(row) for row in found]

    def standing(self, study_id: int) -> tuple[int, bool]:
        """Return how many others have not said goodbye, and whether this process is the one that proposes."""
        mine = self._mine.get(study_id, 0)
        with self._session.transaction("read", forgives=StoreError):
            ((n_others, is_proposer),) = self._session.run(sql.STANDING, study_id=study_id, worker=mine)
        return int(n_others), bool(is_proposer)

    def step_up(self, study_id: int) -> bool:
        """Become the one that proposes, if there is none; return whether this process is it."""
        mine = self.join(study_id)
        with self._session.transaction():
            if not self._session.is_sqlite:
                self._session.run(sql.LOCK_STUDY, study_id=study_id)
            if not self._is_proposer(study_id, mine):
                self._session.run(sql.STEP_UP, study_id=study_id, worker=mine)
            return self._is_proposer(study_id, mine)

    def step_down(self, study_id: int) -> None:
        """Propose no more."""
        mine = self._mine.get(study_id)
        if mine is not None:
            with self._session.transaction():
                self._session.run(sql.STEP_DOWN, worker=mine)

    def is_proposer(self, study_id: int) -> bool:
        """Whether this process is the one that proposes."""
        mine = self._mine.get(study_id)
        with self._session.transaction("read", forgives=StoreError):
            return mine is not None and self._is_proposer(study_id, mine)

    def beat(self, worker: int) -> None:
        """Give a sign of life; a worker that was thought gone is back."""
        with self._session.transaction():
            self._session.run(sql.BEAT, worker=worker, now=rows.now())
            self._session.run(sql.REVIVE_WORKER, worker=worker)

    def _is_proposer(self, study_id: int, worker: int) -> bool:
        living = self._session.run(sql.LIVING, study_id=study_id)
        return any(row.id == worker and row.is_proposer for row in map(_record, living))

    def _look_again(self) -> None:
        self._mine = {
            study_id: mine
            for study_id, mine in self._mine.items()
            # The number alone may have gone to another since.
            if (mine, *_this_process())
            in {tuple(row[:4]) for row in self._session.run(sql.WORKERS, study_id=study_id)}
        }
        self._is_unsure = False


def is_gone(worker: WorkerRecord) -> bool:
    """Whether a worker has said goodbye, or its process is seen to have ended."""
    return worker.ended_at is not None or is_dead(Process(worker.host, worker.pid, worker.process))


def _this_process() -> tuple[str, int, str]:
    host, pid, mark = this_process()
    return rows.clean(host), pid, mark


def _record(row: Any) -> WorkerRecord:
    record = WorkerRecord(*row)
    return record._replace(is_proposer=bool(record.is_proposer))
