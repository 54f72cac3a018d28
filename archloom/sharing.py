# SPDX-License-Identifier: Apache-2.0
"""What a process minds because others may work on its study too: who leads, who is gone, what they need."""

from __future__ import annotations

import json
import time
from shlex import quote
from typing import final

from archloom.contracts import State
from archloom.errors import StudyBusyError
from archloom.store import Lease, Store, TrialRecord, WorkerRecord
from archloom.store.process import Process, is_here
from archloom.store.revisions import Revisions

__all__ = ["Sharing"]

_MOST_AHEAD = 8
_BEGAN = "run"


@final
class Sharing:
    """A process among the workers of a study.

    One worker leads: it alone asks the strategy, and writes down what it proposes; all of them evaluate.

    Args:
        store: holds the study.
        study_id: the study.
        name: the study's, for messages.
        lease: seconds without a sign of life after which a worker counts as gone.
        retries: how often a trial is tried again whose worker was gone.
    """

    def __init__(self, store: Store, study_id: int, name: str, lease: float, retries: int):
        self._store, self.study_id, self._name = store, study_id, name
        self._seconds, self.retries = lease, retries
        self._lease = Lease(store, study_id, lease)
        self._revisions = Revisions(store, study_id)
        self._ahead = 1.0
        self.leads = False

    def enter(self, n_slots: int = 1) -> None:
        """Enter this process among the workers."""
        self._lease.take(n_slots)

    def begin(self, n_finished: int) -> None:
        """Note that a run begins here, for whoever may take this process's place."""
        self._store.add_event(self.study_id, _BEGAN, json.dumps({"finished": n_finished}))

    def n_at_begin(self) -> int:
        """Return how many trials had finished when the last run began: their failures are forgiven."""
        began = self._store.events(self.study_id, _BEGAN)
        return int(json.loads(began[-1].detail)["finished"]) if began else 0

    def leave(self) -> None:
        """Say goodbye."""
        self.leads = False
        self._lease.let_go()

    def lead(self) -> None:
        """Become the one that asks the strategy; wait for the lease of one that seems gone.

        Raises:
            StudyBusyError: another process leads, and is alive.
            StudyRevisedError: the study goes on under other terms than those that this process knows.
        """
        if self.leads and not self._store.is_shared:
            return
        first: WorkerRecord | None = None
        while not self._store.workers.step_up(self.study_id):
            alive, gone = self._lease.others(at_once=True)
            self._retry(gone)
            leader = next((worker for worker in alive if worker.is_proposer), None)
            if leader is None:
                self._lease.take()  # others may have thought this process gone
                continue
            is_alive = first is not None and first.id == leader.id and first.n_beats != leader.n_beats
            if is_alive or is_here(Process(leader.host, leader.pid, leader.process)):
                self.leads = False
                raise StudyBusyError(self._words_for_busy(leader))
            first = first if first is not None and first.id == leader.id else leader
            time.sleep(min(0.5, self._seconds / 20))
        if not self._revisions.is_current():
            self.follow()
        self.check_terms()
        self.leads = True
        # Trials of processes that have ended, or that no worker is known of, are seen to before any other.
        gone = self._lease.others(at_once=True)[1]
        self._store.rescue.retry_lost(self.study_id, gone, self.retries)

    @property
    def knows_terms(self) -> bool:
        """Whether the terms of the study are those that this process knows; quick."""
        return self._revisions.is_current()

    def check_terms(self) -> None:
        """Refuse to go on where another process has changed the terms of the study; quick.

        Raises:
            StudyRevisedError: so it has.
        """
        self._revisions.check()

    def try_to_lead(self) -> bool:
        """Become the one that asks where there is none; return whether that is so."""
        self.leads = self._store.workers.step_up(self.study_id)
        return self.leads

    def still_leads(self) -> bool:
        """Whether this process is the one that asks: where it was silent too long, another may be."""
        return not self._store.is_shared or self._store.workers.is_proposer(self.study_id)

    def follow(self) -> None:
        """Ask no more, but go on working."""
        if self._store.is_shared:
            self.leads = False
            self._store.workers.step_down(self.study_id)

    def watch(self) -> tuple[list[WorkerRecord], list[TrialRecord]]:
        """Look now and then who is gone, and see to their trials; return who, and what was failed."""
        gone = self._lease.others()[1]
        return gone, self._retry(gone)

    def is_alive(self, worker: int) -> bool:
        """Whether another worker still gives signs of life."""
        alive, gone = self._lease.others(at_once=True)
        self._retry(gone)
        return any(other.id == worker for other in alive)

    @property
    def n_slots_elsewhere(self) -> int:
        """How many trials the other workers run at a time."""
        return sum(worker.n_slots for worker in self._lease.others()[0])

    @property
    def leads_alone(self) -> bool:
        """Whether this process proposes and no other is at work, as the database has it at this moment."""
        if not self.leads or not self._store.is_shared:
            return self.leads
        n_others, self.leads = self._store.workers.standing(self.study_id)
        return self.leads and not n_others

    def n_elsewhere(self, n_here: int) -> int:
        """Return how many trials are RUNNING that are not among the ``n_here`` of this process."""
        return max(0, self._store.n_open(self.study_id)[State.RUNNING] - n_here)

    def n_short(self) -> int:
        """Return how many more proposals should wait for the other workers.

        As many as they run at a time; where they had used those up since, twice as many the next time.
        """
        n_slots = self.n_slots_elsewhere
        n_waiting = self._store.n_open(self.study_id)[State.WAITING]
        if n_waiting == 0:
            self._ahead = min(2 * self._ahead, _MOST_AHEAD)
        elif n_waiting > n_slots * self._ahead / 2:
            self._ahead = max(1.0, 0.9 * self._ahead)
            return 0
        return max(0, round(n_slots * self._ahead) - n_waiting)

    def _retry(self, gone: list[WorkerRecord]) -> list[TrialRecord]:
        return self._store.rescue.retry_lost(self.study_id, gone, self.retries) if gone else []

    def _words_for_busy(self, leader: WorkerRecord) -> str:
        return (
            f"study {self._name!r} is being run by process {leader.pid} on {leader.host} since "
            f"{leader.started_at}: join it with `search worker {quote(self._name)} --store "
            f"{quote(self._store.label)}`, or stop that process first"
        )
