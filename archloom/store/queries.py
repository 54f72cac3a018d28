# SPDX-License-Identifier: Apache-2.0
"""Reading: rows to records, a few queries for any number of trials."""

from __future__ import annotations

import json
import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Select, Table, func, select

from archloom.contracts import Objective, State
from archloom.errors import StoreError
from archloom.store.records import Event, StudyRecord, TrialRecord, join_key
from archloom.store.schema import (
    COUNTS_AS_BEST,
    artifacts,
    curves,
    decisions,
    events,
    metrics,
    objectives,
    studies,
    trials,
)
from archloom.store.session import Session
from archloom.store.statements import CURVES, FRONT, FRONT_HEAD, TRIAL_COLUMNS

__all__ = [
    "best_ids",
    "build_trial",
    "front",
    "load_curves",
    "load_events",
    "load_reported",
    "load_studies",
    "load_trials",
    "read_choices",
    "read_value",
    "values_of",
]

_N_NAMED = 1000
_FIELDS = tuple(
    {"architecture": "text", "worker_id": "worker"}.get(column.name, column.name)
    for column in TRIAL_COLUMNS[1:]
)


def load_studies(session: Session, *conditions: Any) -> list[StudyRecord]:
    """Return the studies that meet the conditions, oldest first."""
    rows = session.connection.execute(select(studies).where(*conditions).order_by(studies.c.id)).all()
    goals: dict[int, list[Objective]] = defaultdict(list)
    if rows:
        for goal in session.connection.execute(select(objectives).order_by(objectives.c.position)):
            goals[goal.study_id].append(Objective(join_key(goal.split, goal.metric), goal.direction))
    return [
        StudyRecord(
            name=row.name,
            seed=row.seed,
            objectives=tuple(goals[row.id]),
            constraints=tuple(_document(row.constraints, list, row.name, "constraints")),
            space=_document(row.space, dict, row.name, "space"),
            fingerprint=row.fingerprint,
            config=_document(row.config, dict, row.name, "config"),
            id=row.id,
            created_at=row.created_at,
            status=row.status,
            reason=row.reason,
            version=row.archloom_version,
        )
        for row in rows
    ]


def _document(text: str, kind: type, study: str, what: str) -> Any:
    """Return a study's JSON; a stranger's database may hold anything in its place."""
    try:
        found = json.loads(text)
    except (ValueError, TypeError, RecursionError) as error:
        raise StoreError(f"study {study!r}: its {what} cannot be read: {error}") from None
    if not isinstance(found, kind):
        raise StoreError(f"study {study!r}: its {what} is no JSON {'object' if kind is dict else 'list'}")
    return found


def load_trials(
    session: Session, goals: Sequence[Objective], chosen: Select[Any] | list[int]
) -> list[TrialRecord]:
    """Return the trials whose ids a query chooses, in the order of their numbers, by four queries."""
    is_chosen = trials.c.id.in_(chosen)
    rows = session.connection.execute(select(*TRIAL_COLUMNS).where(is_chosen).order_by(trials.c.number)).all()
    if not rows:
        return []
    # Few are named one by one: PostgreSQL would read a whole table rather than look some trials up in it.
    if len(rows) <= _N_NAMED:
        chosen = [row.id for row in rows]
    choices = _children(session, decisions, chosen, "name", "choice", "value", "is_float")
    values = _children(session, metrics, chosen, "split", "name", "value")
    files = _children(session, artifacts, chosen, "name", "path")
    return [
        build_trial(
            row,
            goals,
            choices=read_choices(choices[row.id]),
            metrics={
                join_key(split, name): read_value(value)
                for split, name, value in sorted(values[row.id], key=_by_key)
            },
            artifacts=dict(sorted(files[row.id])),
        )
        for row in rows
    ]


def build_trial(
    row: Any,
    goals: Sequence[Objective],
    *,
    choices: dict[str, str | float],
    metrics: Mapping[str, float] | None = None,
    artifacts: Mapping[str, str] | None = None,
) -> TrialRecord:
    """Return the record of a row of ``TRIAL_COLUMNS``."""
    fields: dict[str, Any] = dict(zip(_FIELDS, row[1:], strict=True))
    fields["state"] = State(fields["state"])
    fields["is_pareto"] = bool(fields["is_pareto"])
    final = dict(metrics or {})
    return TrialRecord(
        **fields,
        choices=choices,
        metrics=final,
        values=values_of(final, goals),
        artifacts=dict(artifacts or {}),
    )


def values_of(metrics: Mapping[str, float], goals: Sequence[Objective]) -> tuple[float | None, ...]:
    """Return the value of each objective, ``None`` where there is none."""
    return tuple(_number(metrics.get(goal.metric)) for goal in goals)


def read_choices(rows: Iterable[Any]) -> dict[str, str | float]:
    """Return decisions by name in order of names, from rows of name, choice, value, is_float."""
    # SQLite keeps no sign of a zero in its numbers; the text beside it does.
    return {
        name: (value or (-0.0 if choice.startswith("-") else 0.0)) if is_float else choice
        for name, choice, value, is_float in sorted(rows, key=_by_key)
    }


def read_value(value: float | None) -> float:
    """Return a metric's value; what is not a number is stored as NULL."""
    return math.nan if value is None else value


def best_ids(session: Session, study_id: int, goal: Objective, n: int) -> list[int]:
    """Return the numbers of the ``n`` best feasible COMPLETE trials, best first.

    Of equal ones those on the Pareto front come first, then the earliest.
    """
    is_up = goal.direction == "maximize"
    chosen = trials.c.study_id == study_id, COUNTS_AS_BEST
    place = trials.c.value.desc() if is_up else trials.c.value.asc()
    # The index gives the n-th value at once; only what is as good is then put in order.
    last = select(trials.c.value).where(*chosen).order_by(place).limit(1).offset(n - 1).scalar_subquery()
    worst = func.min(trials.c.value) if is_up else func.max(trials.c.value)
    bound = func.coalesce(last, select(worst).where(*chosen).scalar_subquery())
    is_best = trials.c.value >= bound if is_up else trials.c.value <= bound
    query = (
        select(trials.c.number)
        .where(*chosen, is_best)
        .order_by(place, trials.c.is_pareto.desc(), trials.c.number)
        .limit(n)
    )
    return list(session.connection.scalars(query))


def front(session: Session, study_id: int, goals: Sequence[Objective]) -> dict[int, tuple[float, ...]]:
    """Return the costs of the Pareto front's members by id; one of them, where all are equal."""
    query = FRONT_HEAD if len(goals) == 1 else FRONT
    members: dict[int, tuple[float, ...]] = {}
    for trial_id, value in session.run(query, study_id=study_id):
        known = members.get(trial_id, ())
        members[trial_id] = (*known, goals[len(known)].sign * value)
    return members


def load_curves(session: Session, study_id: int, split: str, name: str) -> dict[int, dict[int, float]]:
    """Return what was reported of a metric: trial number to step to value, both in order."""
    query = (
        select(trials.c.number, curves.c.step, curves.c.value)
        .join(curves, curves.c.trial_id == trials.c.id)
        .where(trials.c.study_id == study_id, curves.c.split == split, curves.c.name == name)
        .order_by(trials.c.number, curves.c.step)
    )
    found: dict[int, dict[int, float]] = {}
    for number, step, value in session.connection.execute(query):
        found.setdefault(number, {})[step] = read_value(value)
    return found


def load_reported(session: Session, study_id: int, number: int) -> dict[str, dict[int, float]]:
    """Return what a trial reported: metric to step to value, both in order."""
    found: dict[str, dict[int, float]] = {}
    for split, name, step, value in session.run(CURVES, study_id=study_id, number=number):
        found.setdefault(join_key(split, name), {})[step] = read_value(value)
    return found


def load_events(session: Session, study_id: int, kind: str | None) -> list[Event]:
    """Return the events of a study, oldest first."""
    query = (
        select(events.c.at, events.c.kind, events.c.detail, trials.c.number)
        .join(trials, trials.c.id == events.c.trial_id, isouter=True)
        .where(events.c.study_id == study_id)
        .order_by(events.c.id)
    )
    if kind is not None:
        query = query.where(events.c.kind == kind)
    return [Event(*row) for row in session.connection.execute(query)]


def _children(
    session: Session, table: Table, chosen: Select[Any] | list[int], *names: str
) -> dict[int, list[Any]]:
    """Return columns of the rows of a table that belong to the chosen trials, by trial."""
    query = select(table.c.trial_id, *[table.c[name] for name in names]).where(table.c.trial_id.in_(chosen))
    found: dict[int, list[Any]] = defaultdict(list)
    for trial_id, *rest in session.connection.execute(query):
        found[trial_id].append(rest)
    return found


def _by_key(row: Any) -> tuple[str, str]:
    return row[0], row[1]


def _number(value: float | None) -> float | None:
    return None if value is None or math.isnan(value) else value
