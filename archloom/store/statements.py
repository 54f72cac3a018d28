# SPDX-License-Identifier: Apache-2.0
"""The statements that run for every trial, each written once for both databases.

``Session`` compiles them once. Every parameter is named; a name that is also a column's ends in ``_``
where the statement sets that column, as SQLAlchemy demands of updates.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from sqlalchemy import (
    BindParameter,
    Integer,
    Select,
    Table,
    and_,
    bindparam,
    delete,
    func,
    insert,
    literal_column,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import insert as upsert_postgresql
from sqlalchemy.dialects.sqlite import insert as upsert_sqlite
from sqlalchemy.sql.dml import Insert

from archloom.store.schema import artifacts, decisions, events, metrics, objectives, studies, trials

__all__ = [
    "ADD_ARTIFACT",
    "ADD_DECISION",
    "ADD_EVENT",
    "ADD_METRIC",
    "ADD_TRIAL",
    "ARTIFACTS_OF_TRIAL",
    "CHOICES_OF_TRIAL",
    "CLAIM",
    "FINISH",
    "FORGET_METRICS",
    "FRONT",
    "FRONT_HEAD",
    "LAST_NUMBER",
    "LEAVE_FRONT",
    "LEAVE_FRONT_ALL",
    "LOCK_STUDY",
    "LOCK_TRIAL",
    "NEW_IDS",
    "OBJECTIVES",
    "REOPEN",
    "REPORT",
    "RUNNING",
    "TRIAL_COLUMNS",
    "TrialRow",
]


class TrialRow(NamedTuple):
    """A row of ``trials`` as the driver gives it: a flag may be 0 or 1."""

    id: int
    number: int
    state: str
    key: str
    architecture: str
    violation: float
    seed: int
    fidelity: str | None
    ask: int
    is_pareto: bool
    reused_from: int | None
    reason: str
    traceback: str
    seconds: float | None
    started_at: str | None
    finished_at: str | None


TRIAL_COLUMNS = tuple(trials.c[name] for name in TrialRow._fields)
"""What a trial is read by."""

_STUDY: BindParameter[int] = bindparam("study_id")
_TRIAL: BindParameter[int] = bindparam("trial_id")
_OPEN = and_(trials.c.study_id == _STUDY, trials.c.finished_at.is_(None))
"""What the index of the trials that have not ended is made for."""


def _add(table: Table, *names: str) -> Insert:
    # inline: the id of the new row is not asked for.
    return insert(table).values({name: bindparam(name) for name in names}).inline()


OBJECTIVES = (
    select(objectives.c.split, objectives.c.metric, objectives.c.direction)
    .where(objectives.c.study_id == _STUDY)
    .order_by(objectives.c.position)
)

# Held to the end of the transaction, and taken before any trial's: numbers stay dense and the front
# stays clean with many writers. (SQLite locks the whole database, and knows no FOR UPDATE.)
LOCK_STUDY = select(studies.c.id).where(studies.c.id == _STUDY).with_for_update(key_share=True)
LAST_NUMBER = select(func.max(trials.c.number)).where(trials.c.study_id == _STUDY)
ADD_TRIAL = _add(
    trials,
    "study_id",
    "number",
    "state",
    "key",
    "architecture",
    "ask",
    "seed",
    "fidelity",
    "created_at",
    "started_at",
)
NEW_IDS = (
    select(trials.c.id)
    .where(trials.c.study_id == _STUDY, trials.c.number >= bindparam("number"))
    .order_by(trials.c.number)
)
ADD_DECISION = _add(decisions, "trial_id", "name", "choice", "value", "is_float")

CLAIM = (
    update(trials)
    .where(
        trials.c.id.in_(
            select(trials.c.id)
            .where(_OPEN, trials.c.state == "WAITING")
            .order_by(trials.c.number)
            .limit(bindparam("n", type_=Integer))
            .with_for_update(skip_locked=True)
        )
    )
    .values(state="RUNNING", started_at=bindparam("now"))
    .returning(*TRIAL_COLUMNS)
)
CHOICES_OF_TRIAL = select(
    decisions.c.name, decisions.c.choice, decisions.c.value, decisions.c.is_float
).where(decisions.c.trial_id == _TRIAL)
ARTIFACTS_OF_TRIAL = select(artifacts.c.name, artifacts.c.path).where(artifacts.c.trial_id == _TRIAL)

LOCK_TRIAL = (
    select(*TRIAL_COLUMNS)
    .where(trials.c.study_id == _STUDY, trials.c.number == bindparam("number"))
    .with_for_update(key_share=True)
)


def _front() -> Select[Any]:
    return (
        select(trials.c.id, metrics.c.value)
        .join(objectives, objectives.c.study_id == trials.c.study_id)
        .join(
            metrics,
            (metrics.c.trial_id == trials.c.id)
            & (metrics.c.split == objectives.c.split)
            & (metrics.c.name == objectives.c.metric)
            & metrics.c.step.is_(None),
        )
        .where(trials.c.study_id == _STUDY, trials.c.is_pareto)
        # In the order of numbers first, SQLite would read every trial of the study.
        .order_by(objectives.c.position, trials.c.number)
    )


FRONT = _front()
# With one objective all members are equal, so the first stands for all.
FRONT_HEAD = _front().limit(literal_column("1"))
LEAVE_FRONT = update(trials).where(trials.c.id == _TRIAL).values(is_pareto=False)
LEAVE_FRONT_ALL = (
    update(trials).where(trials.c.study_id == _STUDY, trials.c.is_pareto).values(is_pareto=False)
)
FINISH = (
    update(trials)
    .where(trials.c.id == _TRIAL, trials.c.finished_at.is_(None))
    .values(
        {
            name: bindparam(f"{name}_")
            for name in (
                "state",
                "violation",
                "is_pareto",
                "reused_from",
                "reason",
                "traceback",
                "started_at",
                "finished_at",
                "seconds",
            )
        }
    )
)
ADD_METRIC = _add(metrics, "trial_id", "split", "name", "value")
ADD_ARTIFACT = _add(artifacts, "trial_id", "name", "path")
ADD_EVENT = _add(events, "study_id", "trial_id", "at", "kind", "detail")

RUNNING = select(trials.c.id, trials.c.number).where(_OPEN, trials.c.state == "RUNNING")
REOPEN = update(trials).where(trials.c.id == _TRIAL).values(state="WAITING", started_at=None)
FORGET_METRICS = delete(metrics).where(metrics.c.trial_id == _TRIAL)

_REPORTED = ("trial_id", "split", "name", "step", "value")
_REPORTED_KEY = ["trial_id", "split", "name", "step"]


def _report(upsert: Any) -> Insert:
    rows = upsert(metrics).values({name: bindparam(name) for name in _REPORTED}).inline()
    again: Insert = rows.on_conflict_do_update(
        index_elements=_REPORTED_KEY,
        index_where=metrics.c.step.is_not(None),
        set_={"value": rows.excluded.value},
    )
    return again


REPORT = {"sqlite": _report(upsert_sqlite), "postgresql": _report(upsert_postgresql)}
"""By the dialect's name: a step reported again replaces what was said before."""
