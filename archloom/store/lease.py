# SPDX-License-Identifier: Apache-2.0
"""Signs of life: a worker gives its own, and tells by them which others are gone.

Clocks differ between machines and are set back, so that no time of expiry is written down. A worker
counts its beats in the database; whoever looks remembers, by a clock of its own that only runs forward,
when it last saw the count rise. On one machine a process that has ended is seen at once.
"""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from typing import final

from archloom.errors import StoreError
from archloom.store import connect
from archloom.store.records import WorkerRecord
from archloom.store.store import Store
from archloom.store.workers import Workers, is_gone

__all__ = ["Lease"]


@final
class Lease:
    """What a process holds while it works on a study, renewed by a thread.

    Args:
        store: holds the study.
        study_id: the study.
        seconds: without a sign of life for this long, a worker counts as gone; renewed four times as often.
    """

    def __init__(self, store: Store, study_id: int, seconds: float):
        self._store, self._study_id, self._seconds = store, study_id, seconds
        self._seen: dict[int, tuple[int, float]] = {}
        self._looked_at = float("-inf")
        self._others: list[WorkerRecord] = []
        self._heart: _Heart | None = None

    @property
    def worker(self) -> int:
        """The id of this process among the workers."""
        return self._store.workers.join(self._study_id)

    def take(self, n_slots: int = 1) -> None:
        """Enter this process among the workers, and give signs of life from now on.

        Args:
            n_slots: how many trials it runs at a time.
        """
        worker = self._store.workers.join(self._study_id, n_slots)
        self._store.workers.beat(worker)
        if self._heart is None and self._store.is_shared:
            self._heart = _Heart(self._store.url, worker, self._seconds / 4)
            self._heart.start()
            self._store.on_close.append(self._stop)

    def let_go(self) -> None:
        """Say goodbye."""
        self._stop()
        self._store.workers.leave(self._study_id)
        self._seen.clear()

    def _stop(self) -> None:
        if self._heart is not None:
            self._heart.stop()
            self._heart = None

    def others(self, *, at_once: bool = False) -> tuple[list[WorkerRecord], list[WorkerRecord]]:
        """Return the other workers: who is alive, and who is gone and has left something undone.

        Looks in the database four times in a lease at most, unless ``at_once``; who is gone is told once.
        """
        now = time.monotonic()
        if not self._store.is_shared or (not at_once and now - self._looked_at < min(1.0, self._seconds / 4)):
            return self._others, []
        self._looked_at = now
        mine = self.worker
        alive: list[WorkerRecord] = []
        gone: list[WorkerRecord] = []
        for record in self._store.workers.records(self._study_id):
            if record.id != mine:
                (gone if is_gone(record) or self._is_expired(record, now) else alive).append(record)
        self._others = alive
        return alive, gone

    def _is_expired(self, worker: WorkerRecord, now: float) -> bool:
        beats, at = self._seen.get(worker.id, (-1, now))
        if beats != worker.n_beats:
            self._seen[worker.id] = (worker.n_beats, now)
            return False
        if self._heart is not None:
            # While this process could not beat, the others could not either, or were not seen to.
            at = max(at, self._heart.seeing_since)
            if self._heart.is_late(now):
                return False
        return now - at > self._seconds


@final
class _Heart(threading.Thread):
    """Beats on a connection of its own, since the worker's may be in the midst of a transaction."""

    def __init__(self, url: str, worker: int, seconds: float):
        super().__init__(name=f"archloom-lease-{worker}", daemon=True)
        self._url, self._worker, self._interval = url, worker, seconds
        self._is_over = threading.Event()
        self._beat_at = self.seeing_since = time.monotonic()

    def is_late(self, now: float) -> bool:
        """Whether the last beat was so long ago that the database was out of reach, or the process asleep."""
        return now - self._beat_at > 2.5 * self._interval

    def stop(self) -> None:
        self._is_over.set()
        self.join()

    def run(self) -> None:
        session = None
        while not self._is_over.wait(self._interval):
            # A beat that fails is made up for by the next; where none succeeds, the lease runs out.
            with suppress(StoreError):
                session = session or connect.again(self._url)
                Workers(session).beat(self._worker)
                now = time.monotonic()
                if self.is_late(now):
                    self.seeing_since = now
                self._beat_at = now
        if session is not None:
            session.close()
