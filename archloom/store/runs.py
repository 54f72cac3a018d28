# SPDX-License-Identifier: Apache-2.0
"""Trainings of what all trials of a study share: who trains, how far it is, what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple, final

from sqlalchemy import bindparam, insert, select, update

from archloom.errors import StoreError
from archloom.store import rows
from archloom.store.records import join_key, split_key
from archloom.store.schema import run_metrics, runs
from archloom.store.session import Session
from archloom.store.workers import Workers

__all__ = ["RunRecord", "Runs"]

_FIELDS = ("id", "name", "state", "seed", "worker_id", "n_lost", "checkpoint", "reason", "seconds")
_OF_STUDY = select(*(runs.c[field] for field in _FIELDS)).where(
    runs.c.study_id == bindparam("study_id", required=True)
)
_ALL = _OF_STUDY.order_by(runs.c.id)
_BY_NAME = _OF_STUDY.where(runs.c.name == bindparam("name", required=True))
_ADD = insert(runs).values(
    {name: bindparam(name) for name in ("study_id", "name", "state", "seed", "created_at")}
)
_BEGIN = (
    update(runs)
    .where(runs.c.id == bindparam("run"), runs.c.state != "COMPLETE")
    .values(
        {
            "state": "RUNNING",
            "worker_id": bindparam("worker"),
            "started_at": bindparam("now"),
            "finished_at": None,
            "reason": "",
            "n_lost": runs.c.n_lost + bindparam("lost"),
        }
    )
)
_END = (
    update(runs)
    .where(runs.c.id == bindparam("run"), runs.c.worker_id == bindparam("worker"))
    .values(
        {
            "state": bindparam("state_"),
            "worker_id": None,
            "finished_at": bindparam("finished"),
            "reason": bindparam("reason_"),
            "checkpoint": bindparam("checkpoint_"),
            "seconds": bindparam("seconds_"),
        }
    )
)
_CURVE = select(run_metrics.c.split, run_metrics.c.name, run_metrics.c.step, run_metrics.c.value).where(
    run_metrics.c.run_id == bindparam("run", required=True)
)


class RunRecord(NamedTuple):
    """A training that trials share.

    Args:
        id: the database's.
        name: within the study.
        state: WAITING, RUNNING, COMPLETE or FAIL.
        seed: its own.
        worker: who trains, ``None`` where nobody does.
        n_lost: how often its worker was gone.
        checkpoint: the folder that holds its weights; empty where they are in memory only.
        reason: why it failed or waits.
        seconds: that it took, ``None`` while it has not ended.
    """

    id: int
    name: str
    state: str
    seed: int
    worker: int | None
    n_lost: int
    checkpoint: str
    reason: str
    seconds: float | None


@final
class Runs:
    """The runs of a store's studies.

    Args:
        session: on the database.
        workers: who trains.
    """

    def __init__(self, session: Session, workers: Workers):
        self._session, self._workers = session, workers

    def records(self, study_id: int) -> list[RunRecord]:
        """Return the runs of a study, oldest first."""
        with self._session.transaction("read", forgives=StoreError):
            return [RunRecord(*row) for row in self._session.run(_ALL, study_id=study_id)]

    def open(self, study_id: int, name: str, seed: int) -> RunRecord:
        """Return the run of a name, having entered it if there is none."""
        with self._session.transaction(forgives=StoreError):
            found = self._find(study_id, name)
            if found is None:
                row = {"study_id": study_id, "name": rows.clean(name), "state": "WAITING", "seed": seed}
                self._session.run(_ADD, **row, created_at=rows.now())
                found = self._find(study_id, name)
            assert found is not None  # it was entered in this very transaction
            return found

    def begin(self, study_id: int, seen: RunRecord) -> bool:
        """Become the worker of a run that is as it was ``seen``; return whether that is so."""
        mine = self._workers.join(study_id)
        with self._session.transaction(forgives=StoreError):
            if self._find(study_id, seen.name) != seen:
                return False
            lost = int(seen.state == "RUNNING" and seen.worker != mine)
            self._session.run(_BEGIN, run=seen.id, worker=mine, now=rows.now(), lost=lost)
            return self._session.n_changed == 1

    def report(self, run: int, step: int, metrics: Mapping[str, float]) -> None:
        """Keep metrics of a step of a run; a step that is told again replaces what was told of it."""
        from sqlalchemy import delete

        told = []
        for key, value in metrics.items():
            split, name = split_key(key)
            told.append({"run_id": run, "split": split, "name": name, "step": step, "value": float(value)})
        with self._session.transaction(forgives=StoreError):
            at_step = (run_metrics.c.run_id == run) & (run_metrics.c.step == step)
            self._session.connection.execute(delete(run_metrics).where(at_step))
            if told:
                self._session.connection.execute(insert(run_metrics), told)

    def end(
        self,
        study_id: int,
        run: int,
        state: str,
        *,
        reason: str = "",
        checkpoint: str = "",
        seconds: float | None = None,
    ) -> bool:
        """End a run of this process, or have it wait; return whether it was still this process's."""
        mine = self._workers.join(study_id)
        finished = rows.now() if state in ("COMPLETE", "FAIL") else None
        with self._session.transaction(forgives=StoreError):
            self._session.run(
                _END,
                run=run,
                worker=mine,
                state_=state,
                finished=finished,
                reason_=rows.clean(reason),
                checkpoint_=rows.clean(checkpoint),
                seconds_=seconds,
            )
            return self._session.n_changed == 1

    def curve(self, run: int) -> dict[int, dict[str, float | None]]:
        """Return what a run reported: step to metrics."""
        found: dict[int, dict[str, float | None]] = {}
        with self._session.transaction("read", forgives=StoreError):
            for split, name, step, value in self._session.run(_CURVE, run=run):
                found.setdefault(step, {})[join_key(split, name)] = value
        return dict(sorted(found.items()))

    def _find(self, study_id: int, name: str) -> RunRecord | None:
        found = self._session.run(_BY_NAME, study_id=study_id, name=rows.clean(name))
        return RunRecord(*found[0]) if found else None
