# SPDX-License-Identifier: Apache-2.0
"""What must hold between the rows of a study, each law one query; a law that is broken names its trials."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from sqlalchemy import Connection, Select, and_, func, inspect, or_, select

from archloom.contracts import Objective
from archloom.store import views
from archloom.store.process import Process, is_dead
from archloom.store.records import join_key
from archloom.store.schema import artifacts, metrics, objectives, studies, trials, workers

__all__ = ["LAWS", "Subject", "efficient", "subjects"]

_NAMED = 5
_STATES = ("WAITING", "RUNNING", "COMPLETE", "PRUNED", "FAIL")
_OPEN = ("WAITING", "RUNNING")


class Subject(NamedTuple):
    """A study to be checked.

    Args:
        id: its id.
        name: its name.
        status: ``running``, ``stopped`` or ``done``.
        goals: its objectives.
        wide: the name of its ``wide`` view.
        folder: what relative paths in it are relative to.
    """

    id: int
    name: str
    status: str
    goals: tuple[Objective, ...]
    wide: str
    folder: Path


def subjects(connection: Connection, folder: Path) -> list[Subject]:
    """Return every study, oldest first."""
    rows = connection.execute(
        select(studies.c.id, studies.c.name, studies.c.status).order_by(studies.c.id)
    ).all()
    names = views.wide_names([(row.id, row.name) for row in rows])
    goals: dict[int, list[Objective]] = {}
    for row in connection.execute(select(objectives).order_by(objectives.c.position)):
        goals.setdefault(row.study_id, []).append(Objective(join_key(row.split, row.metric), row.direction))
    return [
        Subject(row.id, row.name, row.status, tuple(goals.get(row.id, ())), names[row.id], folder)
        for row in rows
    ]


def efficient(costs: np.ndarray) -> np.ndarray:
    """Return which of ``n x m`` costs no other one dominates; equal ones all stay.

    >>> efficient(np.array([[1, 2], [2, 1], [2, 2], [1, 2]])).tolist()
    [True, True, False, True]
    """
    index = np.lexsort(costs.T[::-1])
    points, i = costs[index], 0
    while i < len(points):
        stays = (points < points[i]).any(axis=1) | (points == points[i]).all(axis=1)
        index, points, i = index[stays], points[stays], int(stays[:i].sum()) + 1
    found = np.zeros(len(costs), dtype=bool)
    found[index] = True
    return found


def _numbers(connection: Connection, study: Subject) -> Iterator[str]:
    """Numbers are dense from 0."""
    yield from _dense(connection, study, trials.c.number, "trial numbers")


def _order(connection: Connection, study: Subject) -> Iterator[str]:
    """The order of ending is dense from 0."""
    yield from _dense(connection, study, trials.c.finish_order, "the order in which trials ended")


def _dense(connection: Connection, study: Subject, column: Any, what: str) -> Iterator[str]:
    query = select(func.count(column), func.min(column), func.max(column)).where(
        trials.c.study_id == study.id
    )
    n, first, last = connection.execute(query).one()
    if n and (first, last) != (0, n - 1):
        yield f"{what} are not dense: {n} from {first} to {last}"


def _states(connection: Connection, study: Subject) -> Iterator[str]:
    """A state has its times, and no others."""
    state, started, finished = trials.c.state, trials.c.started_at, trials.c.finished_at
    wrong = {
        "a state that there is not": state.not_in(_STATES),
        "WAITING, yet begun": and_(state == "WAITING", started.is_not(None)),
        "begun without saying when": and_(state != "WAITING", started.is_(None)),
        "open, yet ended": and_(
            state.in_(_OPEN), or_(finished.is_not(None), trials.c.finish_order.is_not(None))
        ),
        "ended without saying when": and_(
            state.not_in(_OPEN),
            or_(finished.is_(None), trials.c.seconds.is_(None), trials.c.finish_order.is_(None)),
        ),
        "a violation below 0": trials.c.violation < 0,
    }
    for words, condition in wrong.items():
        yield from _named(
            connection, select(trials.c.number).where(trials.c.study_id == study.id, condition), words
        )


def _goals(connection: Connection, study: Subject) -> Iterator[str]:
    """A COMPLETE trial has a finite value of every objective, and the column ``value`` is the first."""
    if not study.goals:
        yield "the study has no objective"
    for place, goal in enumerate(study.goals):
        split, _, name = (
            goal.metric.rpartition("/") if goal.metric.split("/")[0] in _SPLITS else ("", "", goal.metric)
        )
        one = and_(metrics.c.trial_id == trials.c.id, metrics.c.split == split, metrics.c.name == name)
        joined = select(trials.c.number).join(metrics, one, isouter=True)
        mine = and_(trials.c.study_id == study.id, trials.c.state == "COMPLETE")
        no_value = or_(metrics.c.value.is_(None), func.abs(metrics.c.value) > _LARGEST)
        yield from _named(
            connection, joined.where(mine, no_value), f"COMPLETE without a finite {goal.metric}"
        )
        if place == 0:
            differs = metrics.c.value.is_distinct_from(trials.c.value)
            yield from _named(
                connection, joined.where(mine, differs), f"a value that is not their {goal.metric}"
            )


def _front(connection: Connection, study: Subject) -> Iterator[str]:
    """The flag ``is_pareto`` stands at the trials that no other one dominates."""
    counts = and_(
        trials.c.state == "COMPLETE",
        trials.c.violation == 0,
        trials.c.excluded == "",
        trials.c.reused_from.is_(None),
    )
    of_study = trials.c.study_id == study.id
    flagged = set(connection.scalars(select(trials.c.number).where(of_study, trials.c.is_pareto)))
    points = _points(connection, study, and_(of_study, counts))
    numbers = np.fromiter(points, dtype=np.int64, count=len(points))
    costs = np.array(list(points.values()), dtype=float).reshape(len(points), len(study.goals))
    true = set(numbers[efficient(costs)].tolist()) if len(points) else set()
    yield from _listed(sorted(flagged - true), "marked as on the Pareto front, which they are not")
    yield from _listed(sorted(true - flagged), "on the Pareto front, but not marked")


def _points(connection: Connection, study: Subject, condition: Any) -> dict[int, list[float]]:
    """Return the costs of the trials that have all objectives, by number."""
    one = and_(
        metrics.c.trial_id == trials.c.id,
        metrics.c.split == objectives.c.split,
        metrics.c.name == objectives.c.metric,
    )
    query = (
        select(trials.c.number, objectives.c.position, metrics.c.value)
        .join(objectives, objectives.c.study_id == trials.c.study_id)
        .join(metrics, one)
        .where(condition, metrics.c.value.is_not(None))
        .order_by(trials.c.number, objectives.c.position)
    )
    found: dict[int, list[float]] = {}
    for number, position, value in connection.execute(query):
        found.setdefault(number, []).append(study.goals[position].sign * value)
    return {number: costs for number, costs in found.items() if len(costs) == len(study.goals)}


def _served(connection: Connection, study: Subject) -> Iterator[str]:
    """A result is served from a trial that was itself evaluated to its end."""
    first = trials.alias("first")
    query = (
        select(trials.c.number)
        .join(first, and_(first.c.study_id == trials.c.study_id, first.c.number == trials.c.reused_from))
        .where(
            trials.c.study_id == study.id,
            or_(first.c.finished_at.is_(None), first.c.reused_from.is_not(None)),
        )
    )
    yield from _named(connection, query, "served the result of a trial that has none of its own")


def _held(connection: Connection, study: Subject) -> Iterator[str]:
    """A RUNNING trial has a worker that may be alive."""
    who = (workers.c.host, workers.c.pid, workers.c.process)
    query = (
        select(trials.c.number, workers.c.ended_at, *who)
        .join(workers, workers.c.id == trials.c.worker_id, isouter=True)
        .where(trials.c.study_id == study.id, trials.c.state == "RUNNING")
        .order_by(trials.c.number)
    )
    gone = [
        row.number
        for row in connection.execute(query)
        if row.process is None or row.ended_at is not None or is_dead(Process(row.host, row.pid, row.process))
    ]
    yield from _listed(gone, "RUNNING with their worker gone (the next run takes them up)")


def _files(connection: Connection, study: Subject) -> Iterator[str]:
    """The files that trials name are there."""
    query = (
        select(trials.c.number, artifacts.c.path)
        .join(artifacts, artifacts.c.trial_id == trials.c.id)
        .where(trials.c.study_id == study.id)
        .order_by(trials.c.number)
    )
    lost = [row.number for row in connection.execute(query) if not _is_there(study.folder, row.path)]
    yield from _listed(sorted(set(lost)), "files that are not there")


def _is_there(folder: Path, path: str) -> bool:
    try:
        return (folder / path).exists()
    except (OSError, ValueError):
        return False


def _documents(connection: Connection, study: Subject) -> Iterator[str]:
    """Space, config and constraints are JSON of the right kind."""
    kinds: dict[str, type] = {"space": dict, "config": dict, "constraints": list}
    row = connection.execute(
        select(*[studies.c[name] for name in kinds]).where(studies.c.id == study.id)
    ).one()
    for name, kind in kinds.items():
        try:
            is_right = isinstance(json.loads(row._mapping[name]), kind)
        except (ValueError, TypeError, RecursionError):
            is_right = False
        if not is_right:
            yield f"its {name} is no JSON {'object' if kind is dict else 'list'}"


def _wide(connection: Connection, study: Subject) -> Iterator[str]:
    """A study that is done has its ``wide`` view."""
    if study.status == "done" and study.wide not in inspect(connection).get_view_names():
        yield f"its view {study.wide} is missing"


def _named(connection: Connection, query: Select[Any], words: str) -> Iterator[str]:
    yield from _listed(list(connection.scalars(query.order_by(trials.c.number))), words)


def _listed(numbers: Sequence[int], words: str) -> Iterator[str]:
    """Say which trials break a law in one line, if any do."""
    if numbers:
        more = f" and {len(numbers) - _NAMED:,} more" if len(numbers) > _NAMED else ""
        noun = "trial" if len(numbers) == 1 else "trials"
        yield f"{noun} {', '.join(map(str, numbers[:_NAMED]))}{more}: {words}"


_SPLITS = ("train", "validation", "test")
_LARGEST = math.nextafter(math.inf, 0)
LAWS: Mapping[str, Callable[[Connection, Subject], Iterable[str]]] = {
    "numbers": _numbers,
    "order": _order,
    "states": _states,
    "objectives": _goals,
    "front": _front,
    "served": _served,
    "workers": _held,
    "files": _files,
    "documents": _documents,
    "views": _wide,
}
"""Every law by its name; each yields a line for what breaks it."""
