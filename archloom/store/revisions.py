# SPDX-License-Identifier: Apache-2.0
"""The revisions of a study: under which terms it has gone on, since when, and which trials still count."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, final

from sqlalchemy import BindParameter, bindparam, false, func, insert, select, update

from archloom.contracts import State
from archloom.errors import StoreError
from archloom.store import rows
from archloom.store import statements as sql
from archloom.store.corrections import refresh_front
from archloom.store.records import StudyRecord
from archloom.store.schema import revisions, studies, trials
from archloom.store.session import Session
from archloom.store.store import Store

__all__ = [
    "OUTSIDE",
    "RevisionRecord",
    "Revisions",
    "StudyRevisedError",
    "Verdict",
]

OUTSIDE = "outside the space since revision"
"""What the reason of a trial begins with that had not ended when the space ceased to hold it."""


class StudyRevisedError(StoreError):
    """A study goes on under other terms than those that this process knows."""


class RevisionRecord(NamedTuple):
    """Terms under which a study went on.

    Args:
        number: 0 for those that it began with, then dense.
        at: ISO-8601 in UTC.
        first_trial: the number of the first trial that was proposed under them, or would have been.
        space: the search space as JSON.
        fingerprint: of the search space.
        config: the resolved study file as JSON.
        detail: what had changed, in words.
    """

    number: int
    at: str
    first_trial: int
    space: Mapping[str, Any]
    fingerprint: str
    config: Mapping[str, Any]
    detail: str


class Verdict(NamedTuple):
    """What new terms make of a trial.

    Args:
        number: the trial's.
        excluded: why it does not count; empty where it does.
        key: its canonical hash in the space as it is now.
        violation: total by which the constraints, as they are now, are broken.
    """

    number: int
    excluded: str
    key: str
    violation: float


_STUDY: BindParameter[int] = bindparam("study_id")
_NEWEST = select(func.max(revisions.c.number)).where(revisions.c.study_id == _STUDY)
_JUDGE = (
    update(trials)
    .where(trials.c.study_id == _STUDY, trials.c.number == bindparam("number_"))
    .values({name: bindparam(f"{name}_") for name in ("excluded", "key", "violation")})
    # The front is made anew afterwards, and what does not count may not be marked meanwhile.
    .values(is_pareto=false())
)
_OPEN_OUTSIDE = (
    select(trials.c.id, trials.c.started_at)
    .where(trials.c.study_id == _STUDY, trials.c.finished_at.is_(None), trials.c.excluded == "outside")
    .order_by(trials.c.number)
)


@final
class Revisions:
    """The revisions of a study, and whether there are more of them than when this was made.

    >>> from archloom.contracts import Objective
    >>> store = Store()
    >>> study = store.create_study(StudyRecord("demo", 0, (Objective("accuracy"),)))
    >>> known = Revisions(store, study)
    >>> Revisions(store, study).add(store.study("demo"), "another strategy", [])
    1
    >>> [revision.detail for revision in known.records()]
    ['created', 'another strategy']
    >>> known.is_current()
    False
    >>> store.close()

    Args:
        store: holds the study.
        study_id: the study.
    """

    def __init__(self, store: Store, study_id: int):
        self._store, self._study_id = store, study_id
        self._session = store._session
        self._known = self._newest()

    def records(self) -> list[RevisionRecord]:
        """Return them, oldest first."""
        query = select(revisions).where(revisions.c.study_id == self._study_id).order_by(revisions.c.number)
        with self._session.transaction("read", forgives=StoreError):
            found = self._session.connection.execute(query).all()
        return [_record(row) for row in found]

    def is_current(self) -> bool:
        """Whether the study has not been revised since; quick, for those that ask with every trial."""
        return self._newest() == self._known

    def check(self) -> None:
        """Refuse to go on under terms that are not the study's any more.

        Raises:
            StudyRevisedError: it has been revised since.
        """
        if self.is_current():
            return
        last, mine = self.records()[-1], studies.c.id == self._study_id
        with self._session.transaction("read", forgives=StoreError):
            name = self._session.connection.scalar(select(studies.c.name).where(mine))
        raise StudyRevisedError(
            f"study {name!r} goes on under other terms since {last.at} (revision {last.number}: "
            f"{last.detail}), and this process knows those of revision {self._known}: "
            "start it again with the new ones"
        )

    def add(self, study: StudyRecord, detail: str, verdicts: Sequence[Verdict]) -> int:
        """Record new terms, and enter what they make of the trials; return the revision's number.

        A trial that has not ended and is outside ends as FAIL. The Pareto front is made anew.

        Args:
            study: as it is now.
            detail: what has changed, in words.
            verdicts: on the trials that are not judged as they were.
        """
        with self._session.transaction(forgives=StoreError):
            self._store.lock(self._study_id)
            number = self._newest() + 1
            self._write(number, rows.study_row(study, rows.now()), detail)
            if verdicts:
                judged = [{f"{name}_": value for name, value in each._asdict().items()} for each in verdicts]
                self._session.run_many(_JUDGE, [each | {"study_id": self._study_id} for each in judged])
                _end_outside(self._session, self._study_id, number)
                refresh_front(self._session, self._study_id)
        return number

    def _write(self, number: int, row: Mapping[str, Any], detail: str) -> None:
        ((last,),) = self._session.run(sql.LAST_NUMBER, study_id=self._study_id)
        first_trial = 0 if last is None else last + 1
        made = rows.revision_row(self._study_id, number, row, first_trial, detail)
        changed = {name: row[name] for name in ("space", "fingerprint", "config", "constraints")}
        mine = studies.c.id == self._study_id
        self._session.connection.execute(insert(revisions).values(made))
        self._session.connection.execute(update(studies).where(mine).values(changed))
        self._store.add_event(self._study_id, "revision", f"revision {number}: {detail}")

    def _newest(self) -> int:
        with self._session.transaction("read", forgives=StoreError):
            ((number,),) = self._session.run(_NEWEST, study_id=self._study_id)
        return int(number or 0)


def _end_outside(session: Session, study_id: int, number: int) -> None:
    """End what can no longer be evaluated."""
    found = session.run(_OPEN_OUTSIDE, study_id=study_id)
    ((last,),) = session.run(sql.LAST_FINISH, study_id=study_id)
    first, at = 0 if last is None else last + 1, rows.now()
    ended = [
        {
            "trial_id": trial_id,
            "state_": State.FAIL.value,
            "violation_": 0.0,
            "is_pareto_": False,
            "reused_from_": None,
            "reason_": f"{OUTSIDE} {number}",
            "traceback_": "",
            "started_at_": started_at or at,
            "finished_at_": at,
            "seconds_": rows.seconds_between(started_at or at, at),
            "finish_order_": first + i,
            "worker_id_": None,
            "value_": None,
        }
        for i, (trial_id, started_at) in enumerate(found)
    ]
    session.run_many(sql.FINISH, ended)


def _record(row: Any) -> RevisionRecord:
    return RevisionRecord(
        number=row.number,
        at=row.at,
        first_trial=row.first_trial,
        space=json.loads(row.space),
        fingerprint=row.fingerprint,
        config=json.loads(row.config),
        detail=row.detail,
    )
