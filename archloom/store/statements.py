# SPDX-License-Identifier: Apache-2.0
"""The statements that run for every trial, each written once for both databases.

``Session`` compiles them once. Every parameter is named; a name that is also a column's ends in ``_``
where the statement sets that column, as SQLAlchemy demands of updates.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Integer,
    Select,
    Table,
    and_,
    bindparam,
    case,
    delete,
    exists,
    func,
    insert,
    literal_column,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import insert as upsert_postgresql
from sqlalchemy.dialects.sqlite import insert as upsert_sqlite
from sqlalchemy.sql.dml import Insert, ReturningUpdate

from archloom.store.schema import (
    artifacts,
    curves,
    decisions,
    events,
    metrics,
    objectives,
    studies,
    trials,
    workers,
)

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
    "FORGET_CURVES",
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
    finish_order: int | None
    worker_id: int | None
    n_lost: int
    excluded: str


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
STUDY_SEED = select(studies.c.seed).where(studies.c.id == _STUDY)
LAST_FINISH = select(func.max(trials.c.finish_order)).where(
    trials.c.study_id == _STUDY, trials.c.finish_order.is_not(None)
)
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
    "worker_id",
)
NEW_IDS = (
    select(trials.c.id)
    .where(trials.c.study_id == _STUDY, trials.c.number >= bindparam("number"))
    .order_by(trials.c.number)
)
ADD_DECISION = _add(decisions, "trial_id", "name", "choice", "value", "is_float")

_SAME = trials.alias("same")
_IS_NEWS = ~exists().where(
    _SAME.c.study_id == trials.c.study_id, _SAME.c.key == trials.c.key, _SAME.c.state == "RUNNING"
)


def _claim(*conditions: ColumnElement[bool]) -> ReturningUpdate[Any]:
    lowest = (
        select(trials.c.id)
        .where(_OPEN, trials.c.state == "WAITING", *conditions)
        .order_by(trials.c.number)
        .limit(bindparam("n", type_=Integer))
        .with_for_update(skip_locked=True, of=trials)
        .cte("lowest")
    )
    return (
        update(trials)
        .where(trials.c.id.in_(select(lowest.c.id)))
        .values(state="RUNNING", started_at=bindparam("now"), worker_id=bindparam("worker"))
        .returning(*TRIAL_COLUMNS)
    )


CLAIM = _claim()
CLAIM_NEWS = _claim(_IS_NEWS)
"""Leaves out what is being evaluated already, under another number."""
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
            & (metrics.c.name == objectives.c.metric),
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
                "finish_order",
                "worker_id",
                "value",
            )
        }
    )
)
ADD_METRIC = _add(metrics, "trial_id", "split", "name", "value")
ADD_ARTIFACT = _add(artifacts, "trial_id", "name", "path")
ADD_EVENT = _add(events, "study_id", "trial_id", "at", "kind", "detail")

RUNNING = select(trials.c.id, trials.c.number, trials.c.worker_id, trials.c.n_lost).where(
    _OPEN, trials.c.state == "RUNNING"
)
N_OPEN = select(trials.c.state, func.count()).where(_OPEN).group_by(trials.c.state)
COUNTS = select(trials.c.id).where(trials.c.id == _TRIAL, trials.c.excluded == "", trials.c.violation == 0)
"""Of a trial that has ended: whether its result has not been taken back since."""
EXCLUDE = update(trials).where(trials.c.id == _TRIAL).values(excluded=bindparam("excluded_"), is_pareto=False)
HELD_BY = select(trials.c.state, trials.c.worker_id).where(trials.c.id == _TRIAL)
REOPEN = (
    update(trials)
    .where(trials.c.id == _TRIAL, trials.c.state == "RUNNING")
    .values(
        state="WAITING",
        started_at=None,
        worker_id=None,
        n_lost=trials.c.n_lost + bindparam("n", type_=Integer),
    )
)
FORGET_CURVES = delete(curves).where(curves.c.trial_id == _TRIAL)

_REPORTED = ("trial_id", "split", "name", "step", "value")
_REPORTED_KEY = ["trial_id", "split", "name", "step"]


def _report(upsert: Any) -> Insert:
    rows = upsert(curves).values({name: bindparam(name) for name in _REPORTED}).inline()
    again: Insert = rows.on_conflict_do_update(
        index_elements=_REPORTED_KEY, set_={"value": rows.excluded.value}
    )
    return again


REPORT = {"sqlite": _report(upsert_sqlite), "postgresql": _report(upsert_postgresql)}
"""By the dialect's name: a step reported again replaces what was said before."""

_WORKER: BindParameter[int] = bindparam("worker")
ADD_WORKER = (
    insert(workers)
    .values({name: bindparam(name) for name in ("study_id", "host", "pid", "process", "n_slots")})
    .values(started_at=bindparam("now"), renewed_at=bindparam("now"))
    .returning(workers.c.id)
)
BEAT = (
    update(workers)
    .where(workers.c.id == _WORKER)
    .values(n_beats=workers.c.n_beats + 1, renewed_at=bindparam("now"))
)
END_WORKER = (
    update(workers)
    .where(workers.c.id == _WORKER, workers.c.ended_at.is_(None))
    .values(ended_at=bindparam("now"), is_proposer=False)
)
REVIVE_WORKER = update(workers).where(workers.c.id == _WORKER).values(ended_at=None)
STEP_DOWN = update(workers).where(workers.c.id == _WORKER).values(is_proposer=False)
STEP_UP = (
    update(workers)
    .where(
        workers.c.id == _WORKER,
        workers.c.ended_at.is_(None),
        ~exists(
            select(1)
            .select_from(_PEER := workers.alias("peer"))
            .where(_PEER.c.study_id == _STUDY, _PEER.c.is_proposer)
        ),
    )
    .values(is_proposer=True)
)
WORKERS = (
    select(
        workers.c.id,
        workers.c.host,
        workers.c.pid,
        workers.c.process,
        workers.c.is_proposer,
        workers.c.n_slots,
        workers.c.n_beats,
        workers.c.started_at,
        workers.c.renewed_at,
        workers.c.ended_at,
    )
    .where(workers.c.study_id == _STUDY)
    .order_by(workers.c.id)
)
LIVING = WORKERS.where(workers.c.ended_at.is_(None))
HOLDERS = WORKERS.where(
    workers.c.ended_at.is_(None)
    | workers.c.id.in_(select(trials.c.worker_id).where(_OPEN, trials.c.state == "RUNNING"))
)
"""Who is at work, or has gone and left trials RUNNING."""
STATUS = select(studies.c.status, studies.c.reason, studies.c.max_trials, studies.c.budget).where(
    studies.c.id == _STUDY
)
N_COUNTING = select(func.count()).where(
    trials.c.study_id == _STUDY,
    trials.c.finish_order >= bindparam("since", type_=Integer),
    trials.c.excluded == "",
)
N_EVALUATED = N_COUNTING.where(trials.c.reused_from.is_(None))
_IS_MINE = workers.c.id == _WORKER
_OTHERS: ColumnElement[Any] = func.count(case((~_IS_MINE, 1)))
_PROPOSES: ColumnElement[Any] = func.count(case((_IS_MINE & workers.c.is_proposer, 1)))
_AT_WORK = (workers.c.study_id == _STUDY) & workers.c.ended_at.is_(None)
STANDING: Select[Any] = select().add_columns(_OTHERS, _PROPOSES).where(_AT_WORK)
"""How many others are at work, and whether a worker proposes."""
CURVES = (
    select(curves.c.split, curves.c.name, curves.c.step, curves.c.value)
    .join(trials, trials.c.id == curves.c.trial_id)
    .where(trials.c.study_id == _STUDY, trials.c.number == bindparam("number"))
    .order_by(curves.c.split, curves.c.name, curves.c.step)
)
LAST_EVENT = select(func.max(events.c.id)).where(events.c.study_id == _STUDY)
