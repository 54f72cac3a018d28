# SPDX-License-Identifier: Apache-2.0
"""Studies that were made elsewhere, or earlier, and how they get into a store: whole, or not at all.

What comes in obeys the laws that the store keeps for its own trials:

* numbers are dense, and so is the order in which trials ended;
* a COMPLETE trial has a finite value of every objective; one without becomes a FAIL that says so;
* a trial that was RUNNING becomes a FAIL that says so: nobody works on it here. One that was WAITING waits;
* the Pareto front is made anew.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, insert, select, update

from archloom.contracts import Objective, State
from archloom.store import rows
from archloom.store.exchange.times import utc
from archloom.store.front import enter
from archloom.store.records import StudyRecord
from archloom.store.schema import curves, decisions, metrics, trials

if TYPE_CHECKING:
    from archloom.store.store import Store

__all__ = ["Incoming", "IncomingTrial", "add_study"]

_ABANDONED = "it was RUNNING when it was imported: nobody works on it any more"


@dataclass(frozen=True)
class IncomingTrial:
    """A trial on its way into a store; its number is its place in the list.

    Args:
        state: as it was.
        choices: active decisions, name to candidate label (text) or to a finite number.
        metrics: final metrics by full key.
        curves: full key to step to value.
        key: canonical hash; empty for one made of the choices.
        text: the architecture in one line; empty for one made of the choices.
        violation: total by which constraints are broken.
        seed: the trial's own.
        fidelity: ``None`` for a full evaluation.
        ask: number of the ask that proposed it, -1 for none.
        reused_from: number of the trial whose result it was served.
        excluded: why it does not count; empty where it does.
        finish_order: when it ended among the others, where that is known better than by the clock.
        reason: in words, for people.
        started_at: ISO-8601; one without a time zone is in UTC. So is ``finished_at``.
        seconds: how long it took; ``None`` for what the times say.
    """

    state: State
    choices: Mapping[str, str | float]
    metrics: Mapping[str, float]
    curves: Mapping[str, Mapping[int, float]] = field(default_factory=dict)
    key: str = ""
    text: str = ""
    violation: float = 0.0
    seed: int = 0
    fidelity: str | None = None
    ask: int = -1
    reused_from: int | None = None
    excluded: str = ""
    finish_order: int | None = None
    reason: str = ""
    started_at: str | None = None
    finished_at: str | None = None
    seconds: float | None = None


@dataclass(frozen=True)
class Incoming:
    """A study on its way into a store.

    Args:
        trials: by number.
        objectives: full keys.
        constraints: as written.
        seed: the study's.
        notes: what was left behind, for people.
    """

    trials: Sequence[IncomingTrial]
    objectives: tuple[Objective, ...]
    constraints: tuple[str, ...] = ()
    seed: int = 0
    notes: tuple[str, ...] = ()

    @property
    def told(self) -> list[str]:
        """What a person should know: what was left behind, and what has to change on the way in."""
        ends = Counter(
            trial.state for trial in self.trials if _ended(trial, self.objectives)[0] != trial.state
        )
        whys = {State.RUNNING: "nobody works on it here", State.COMPLETE: "without a value of each objective"}
        return [*self.notes, *(f"{n} {state} became FAIL: {whys[state]}" for state, n in ends.items())]


def add_study(store: Store, name: str, incoming: Incoming, source: str) -> StudyRecord:
    """Add a study with all its trials in one transaction, and return it.

    Args:
        store: where to.
        name: the study's name there.
        incoming: what was read.
        source: where it came from, for people.

    Raises:
        StudyExistsError: there is one of that name; nothing has changed.
        StoreError: a value that the tables cannot hold; nothing has changed.
    """
    at = rows.now()
    ready = [_settled(trial, incoming.objectives, at) for trial in incoming.trials]
    record = StudyRecord(
        name,
        incoming.seed,
        incoming.objectives,
        constraints=incoming.constraints,
        status="done",
        reason=f"imported from {source}",
    )
    with store.transaction():
        study_id = store.create_study(record)
        _add_trials(store, study_id, incoming.objectives, ready, at)
        detail = {"from": source, "n_trials": len(ready), "notes": incoming.told}
        store.add_event(study_id, "import", rows.dump(detail, "an event"))
        store.refresh_wide(study_id)
        return store.study(name)


def _settled(trial: IncomingTrial, goals: Sequence[Objective], at: str) -> IncomingTrial:
    """Return a trial as it may stand in the store."""
    state, reason = _ended(trial, goals)
    text = trial.text or ", ".join(f"{name}={choice}" for name, choice in trial.choices.items())
    trial = replace(trial, state=state, reason=reason, text=text, key=trial.key or _key(trial.choices))
    if state == State.WAITING:
        return replace(trial, started_at=None, finished_at=None, seconds=None, finish_order=None)
    start, end = utc(trial.started_at), utc(trial.finished_at)
    if start is None and end is not None:
        start = utc(end, seconds=-(trial.seconds or 0.0))
    start = start or at
    end = max(start, end or utc(start, seconds=trial.seconds or 0.0) or start)
    took = rows.seconds_between(start, end) if trial.seconds is None else trial.seconds
    return replace(trial, started_at=start, finished_at=end, seconds=took)


def _ended(trial: IncomingTrial, goals: Sequence[Objective]) -> tuple[State, str]:
    if trial.state == State.RUNNING:
        return State.FAIL, _ABANDONED
    if trial.state != State.COMPLETE:
        return trial.state, trial.reason
    for goal in goals:
        value = trial.metrics.get(goal.metric)
        if value is None or not math.isfinite(value):
            told = f"no value of {goal.metric!r}" if value is None else f"{goal.metric!r} is {value}"
            return State.FAIL, "; ".join(filter(None, (told, trial.reason)))
    return trial.state, trial.reason


def _key(choices: Mapping[str, str | float]) -> str:
    text = json.dumps(dict(choices), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.blake2b(text.encode("utf-8", "backslashreplace"), digest_size=16).hexdigest()


def _add_trials(
    store: Store, study_id: int, goals: Sequence[Objective], ready: Sequence[IncomingTrial], at: str
) -> None:
    """Write the rows; inside a transaction."""
    if not ready:
        return
    connection = store._session.connection
    order, front = _finish_orders(ready), _front(ready, goals)
    made = [_trial_row(study_id, i, trial, at) for i, trial in enumerate(ready)]
    for number, row in enumerate(made):
        row |= {
            "finish_order": order.get(number),
            "is_pareto": number in front,
            "value": _first_value(ready[number], goals),
        }
    connection.execute(insert(trials), made)
    found = connection.execute(select(trials.c.number, trials.c.id).where(trials.c.study_id == study_id))
    ids = {number: trial_id for number, trial_id in found}
    served = [
        {"trial_id": ids[i], "first": trial.reused_from}
        for i, trial in enumerate(ready)
        if trial.reused_from is not None
    ]
    if served:  # after all are there: a foreign key checks it
        one = update(trials).where(trials.c.id == bindparam("trial_id"))
        connection.execute(one.values(reused_from=bindparam("first")), served)
    for table, found_rows in (
        (decisions, _decision_rows(ready, ids)),
        (metrics, _metric_rows(ready, ids)),
        (curves, _curve_rows(ready, ids)),
    ):
        if found_rows:
            connection.execute(insert(table), found_rows)


def _trial_row(study_id: int, number: int, trial: IncomingTrial, at: str) -> dict[str, Any]:
    return {
        "study_id": study_id,
        "number": number,
        "state": trial.state.value,
        "key": trial.key,
        "architecture": rows.clean(trial.text),
        "ask": trial.ask,
        "seed": trial.seed,
        "fidelity": trial.fidelity,
        "violation": trial.violation,
        "excluded": trial.excluded,
        "reason": rows.clean(trial.reason),
        "created_at": trial.started_at or at,
        "started_at": trial.started_at,
        "finished_at": trial.finished_at,
        "seconds": trial.seconds,
    }


def _decision_rows(ready: Sequence[IncomingTrial], ids: Mapping[int, int]) -> list[dict[str, Any]]:
    return [
        row | {"trial_id": ids[i]}
        for i, trial in enumerate(ready)
        for row in rows.decision_rows(trial.choices)
    ]


def _metric_rows(ready: Sequence[IncomingTrial], ids: Mapping[int, int]) -> list[dict[str, Any]]:
    return [row for i, trial in enumerate(ready) for row in rows.metric_rows(ids[i], trial.metrics)]


def _curve_rows(ready: Sequence[IncomingTrial], ids: Mapping[int, int]) -> list[dict[str, Any]]:
    return [
        row | {"step": step}
        for i, trial in enumerate(ready)
        for metric, curve in trial.curves.items()
        for step, value in curve.items()
        for row in rows.metric_rows(ids[i], {metric: value})
    ]


def _finish_orders(ready: Sequence[IncomingTrial]) -> dict[int, int]:
    """Return the how-manieth of them each trial ended, dense from 0, by number."""
    ended = [number for number, trial in enumerate(ready) if trial.state.is_finished]
    ended.sort(key=lambda number: _when(number, ready[number]))
    return {number: place for place, number in enumerate(ended)}


def _when(number: int, trial: IncomingTrial) -> tuple[bool, int, str, int]:
    """Return what trials are put into order by: what is told, then the clock, then the number."""
    is_told = trial.finish_order is not None
    return not is_told, trial.finish_order or 0, "" if is_told else str(trial.finished_at), number


def _front(ready: Sequence[IncomingTrial], goals: Sequence[Objective]) -> set[int]:
    """Return the numbers of the Pareto front."""
    members: dict[int, tuple[float, ...]] = {}
    for number, trial in enumerate(ready):
        if not _may_lead(trial):
            continue
        point = tuple(goal.sign * float(trial.metrics[goal.metric]) for goal in goals)
        joins, leavers = enter(point, members)
        for leaver in leavers:
            del members[leaver]
        if joins:
            members[number] = point
    return set(members)


def _may_lead(trial: IncomingTrial) -> bool:
    is_sound = trial.state == State.COMPLETE and not trial.violation and not trial.excluded
    return is_sound and trial.reused_from is None


def _first_value(trial: IncomingTrial, goals: Sequence[Objective]) -> float | None:
    value = trial.metrics.get(goals[0].metric)
    return None if value is None or math.isnan(value) else value
