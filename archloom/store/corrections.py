# SPDX-License-Identifier: Apache-2.0
"""What a person changes about trials that are there: tags, and results that turn out to be wrong.

Nothing is deleted and numbers stay dense. A result that is wrong stays readable and stops to count: it
leaves ``best`` and the Pareto front, where what it dominated comes back, and neither the strategy, the
budget nor a repeat meets it again. Every change is an event that says who made it and why.
"""

from __future__ import annotations

import getpass
import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple, final

import numpy as np
from sqlalchemy import ColumnElement, and_, bindparam, delete, func, insert, or_, select, update

from archloom.contracts import Objective, State
from archloom.errors import StoreError
from archloom.store import rows
from archloom.store import statements as sql
from archloom.store.invariants import efficient
from archloom.store.process import this_process
from archloom.store.records import Outcome, Proposal, join_key
from archloom.store.schema import events, metrics, objectives, tags, trials
from archloom.store.session import Session
from archloom.store.store import Store

__all__ = ["CORRECTED", "Correction", "Corrections", "n_corrections", "refresh_front"]

CORRECTED = ("invalidate", "restore", "reevaluate")
"""The kinds of events after which what was learnt from a study's history is to be learnt anew."""

_ENQUEUED = -1
_N_NAMED = 1000

_OF_STUDY = trials.c.study_id == bindparam("study_id")
_OF_TRIAL = trials.c.id == bindparam("trial_id")
_N_CORRECTIONS = select(func.count()).where(
    events.c.study_id == bindparam("study_id"), or_(*[events.c.kind == kind for kind in CORRECTED])
)
_JOIN_FRONT = update(trials).where(_OF_TRIAL).values(is_pareto=True)
_TAG = insert(tags).values(trial_id=bindparam("trial_id"), tag=bindparam("tag")).inline()
_UNTAG = delete(tags).where(tags.c.trial_id == bindparam("trial_id"), tags.c.tag == bindparam("tag"))


@final
class Correction(NamedTuple):
    """What a correction has changed.

    Args:
        numbers: of the trials that were named and have changed.
        repeats: of the trials that had been served a result of theirs, and have changed with them.
        new: of the trials that wait to be evaluated in their place, by the number of the old one.
    """

    numbers: list[int]
    repeats: list[int]
    new: dict[int, int]


class _Row(NamedTuple):
    """What matters of a trial that is to be corrected."""

    id: int
    number: int
    state: str
    excluded: str
    reused_from: int | None


@final
class Corrections:
    """Changes trials of a study; each method is one transaction, all of it or nothing.

    >>> from archloom.store import StudyRecord
    >>> store = Store()
    >>> study = store.create_study(StudyRecord("demo", 0, (Objective("accuracy"),)))
    >>> for x in (0.9, 0.8):
    ...     _ = store.propose(study, 0, [Proposal("k", "conv 3x3", {"op": "conv"})])
    ...     _ = store.finish(study, store.claim(study).number, Outcome(State.COMPLETE, {"accuracy": x}))
    >>> Corrections(store, study).invalidate([0], "the labels were shuffled").numbers
    [0]
    >>> [trial.number for trial in store.pareto(study)]
    [1]
    >>> store.close()

    Args:
        store: holds the study.
        study_id: the study.
        who: makes the changes; ``user@host`` where nobody is named.
    """

    def __init__(self, store: Store, study_id: int, who: str | None = None):
        self._store, self._study_id = store, study_id
        self._session = store._session
        self._who = _who() if who is None else who

    def tag(self, numbers: Collection[int], tag: str) -> list[int]:
        """Put a tag on trials; return those that had not got it.

        Raises:
            StoreError: no such trial, or the tag is empty or has more than one line.
        """
        return self._tag(numbers, tag, is_on=True)

    def untag(self, numbers: Collection[int], tag: str) -> list[int]:
        """Take a tag from trials; return those that had it.

        Raises:
            StoreError: as ``tag``.
        """
        return self._tag(numbers, tag, is_on=False)

    def invalidate(self, numbers: Collection[int], reason: str) -> Correction:
        """Have the results of trials that have ended count no more, nor those served from them.

        Raises:
            StoreError: no such trial, one that has not ended, lies outside the space anyway or was served
                the result of another that is not named; or no reason.
        """
        return self._change(numbers, "invalidate", reason)

    def restore(self, numbers: Collection[int], reason: str = "") -> Correction:
        """Have results that were invalidated count again, and those served from them.

        Raises:
            StoreError: as ``invalidate``; no reason is needed.
        """
        return self._change(numbers, "restore", reason)

    def reevaluate(self, numbers: Collection[int], reason: str) -> Correction:
        """Invalidate results, and have each architecture evaluated again under a new number.

        Raises:
            StoreError: as ``invalidate``.
        """
        return self._change(numbers, "reevaluate", reason)

    def withdraw(self, numbers: Collection[int], reason: str) -> list[int]:
        """End trials that wait, unevaluated: they are PRUNED and never count; return their numbers.

        Raises:
            StoreError: no such trial, or one that does not wait.
        """
        _check_reason("withdraw", reason)
        with self._change_of_study():
            found = self._rows(numbers, is_locked=True)
            for row in found:
                if row.state != State.WAITING:
                    raise StoreError(
                        f"only a trial that waits is withdrawn; trial {row.number} is {row.state}"
                    )
            outcomes = {row.number: Outcome(State.PRUNED, {}, reason=reason) for row in found}
            self._store.finish_many(self._study_id, outcomes)
            self._exclude(found, "invalid")
            self._note("withdraw", {row.id: {"reason": reason} for row in found})
        return [row.number for row in found]

    def _tag(self, numbers: Collection[int], tag: str, *, is_on: bool) -> list[int]:
        if not tag.strip() or not tag.isprintable() or rows.clean(tag) != tag:
            raise StoreError(f"a tag is a word, or a few, in one line; got {tag!r}")
        with self._change_of_study():
            found = self._rows(numbers)
            query = select(tags.c.trial_id).join(trials).where(trials.c.study_id == self._study_id)
            there = set(self._session.connection.scalars(query.where(tags.c.tag == tag)))
            changed = [row for row in found if (row.id in there) != is_on]
            self._session.run_many(
                _TAG if is_on else _UNTAG, [{"trial_id": row.id, "tag": tag} for row in changed]
            )
            self._note("tag" if is_on else "untag", {row.id: {"tag": tag} for row in changed})
        return [row.number for row in changed]

    def _change(self, numbers: Collection[int], kind: str, reason: str) -> Correction:
        """Invalidate or restore trials, with all that goes with it."""
        _check_reason(kind, reason)
        old, now = ("invalid", "") if kind == "restore" else ("", "invalid")
        with self._change_of_study():
            named = self._rows(numbers)
            changed = [row for row in named if row.excluded != now]
            _check_named(kind, named if kind == "reevaluate" else changed)
            firsts = [row for row in named if row.reused_from is None]
            mine = {row.id for row in changed}
            served = self._repeats([row for row in firsts if row.id in mine])
            repeats = [row for row in served if row.excluded == old and row.id not in mine]
            self._exclude([*changed, *repeats], now)
            new = self._enqueue(firsts) if kind == "reevaluate" else {}
            told: dict[int, dict[str, Any]] = {row.id: {"reason": reason} for row in changed}
            told |= {row.id: {"reason": reason, "with": row.reused_from} for row in repeats}
            self._note("restore" if kind == "restore" else "invalidate", told)
            again = {row.id: {"reason": reason, "new": new[row.number]} for row in firsts if new}
            self._note("reevaluate", again)
            refresh_front(self._session, self._study_id)
        return Correction([row.number for row in changed], [row.number for row in repeats], new)

    @contextmanager
    def _change_of_study(self) -> Iterator[None]:
        """Hold a transaction in which nobody else ends a trial of the study or adds one."""
        with self._session.transaction(forgives=StoreError):
            self._store.lock(self._study_id)
            yield

    def _rows(self, numbers: Collection[int], *, is_locked: bool = False) -> list[_Row]:
        """Return trials by their numbers, in order.

        Raises:
            StoreError: there is none of a number, or no number.
        """
        wanted = sorted(set(numbers))
        if not wanted:
            raise StoreError("no trial is named: give one number or several")
        found = {row.number: row for row in self._read(trials.c.number, wanted, is_locked=is_locked)}
        for number in wanted:
            if number not in found:
                self._store.trial(self._study_id, number)  # raises, and says what is there
        return [found[number] for number in wanted]

    def _repeats(self, firsts: Iterable[_Row]) -> list[_Row]:
        """Return the trials that were served the results of others."""
        return list(self._read(trials.c.reused_from, [row.number for row in firsts]))

    def _read(
        self, column: ColumnElement[Any], wanted: Sequence[int], *, is_locked: bool = False
    ) -> Iterator[_Row]:
        query = select(*[trials.c[name] for name in _Row._fields]).where(trials.c.study_id == self._study_id)
        query = query.with_for_update(key_share=True) if is_locked else query
        for start in range(0, len(wanted), _N_NAMED):
            some = wanted[start : start + _N_NAMED]
            chosen = query.where(column.in_(some)).order_by(trials.c.number)
            yield from (_Row(*row) for row in self._session.connection.execute(chosen))

    def _exclude(self, found: Iterable[_Row], excluded: str) -> None:
        self._session.run_many(sql.EXCLUDE, [{"trial_id": row.id, "excluded_": excluded} for row in found])

    def _enqueue(self, firsts: Iterable[_Row]) -> dict[int, int]:
        """Have the architectures of trials wait to be evaluated again; return the numbers, new by old."""
        new = {}
        for row in firsts:
            old = self._store.trial(self._study_id, row.number)
            proposal = Proposal(key=old.key, text=old.text, choices=old.choices, fidelity=old.fidelity)
            (new[row.number],) = self._store.propose(self._study_id, _ENQUEUED, [proposal])
        return new

    def _note(self, kind: str, told: Mapping[int, Mapping[str, Any]]) -> None:
        """Enter an event for each of some trials, by id."""
        place = {"study_id": self._study_id, "at": rows.now(), "kind": kind}
        self._session.run_many(
            sql.ADD_EVENT,
            [
                place | {"trial_id": key, "detail": rows.clean(_detail({**detail, "by": self._who}))}
                for key, detail in told.items()
            ],
        )


def n_corrections(store: Store, study_id: int) -> int:
    """Return how often trials of a study have been corrected in a way that changes what is learnt from them.

    A number, not the last one's id: of two events at once the lower id may be seen later.
    """
    with store._session.transaction("read", forgives=StoreError):
        ((n,),) = store._session.run(_N_CORRECTIONS, study_id=study_id)
    return int(n)


def refresh_front(session: Session, study_id: int) -> None:
    """Make the Pareto front of a study anew, from all trials that count; inside a transaction."""
    goals = [
        Objective(join_key(split, name), direction)
        for split, name, direction in session.run(sql.OBJECTIVES, study_id=study_id)
    ]
    points = _points(session, study_id, goals)
    ids = np.fromiter(points, dtype=np.int64, count=len(points))
    costs = np.array(list(points.values()), dtype=float).reshape(len(points), len(goals))
    true = set(ids[efficient(costs)].tolist()) if len(points) else set()
    of_study = trials.c.study_id == study_id
    flagged = set(session.connection.scalars(select(trials.c.id).where(of_study, trials.c.is_pareto)))
    session.run_many(sql.LEAVE_FRONT, [{"trial_id": key} for key in flagged - true])
    session.run_many(_JOIN_FRONT, [{"trial_id": key} for key in true - flagged])


def _points(session: Session, study_id: int, goals: list[Objective]) -> dict[int, list[float]]:
    """Return the costs of the trials that may be on the front, by id."""
    value = and_(
        metrics.c.trial_id == trials.c.id,
        metrics.c.split == objectives.c.split,
        metrics.c.name == objectives.c.metric,
    )
    query = (
        select(trials.c.id, objectives.c.position, metrics.c.value)
        .join(objectives, objectives.c.study_id == trials.c.study_id)
        .join(metrics, value)
        .where(
            trials.c.study_id == study_id,
            trials.c.state == "COMPLETE",
            trials.c.violation == 0,
            trials.c.excluded == "",
            trials.c.reused_from.is_(None),
        )
        .order_by(trials.c.id, objectives.c.position)
    )
    found: dict[int, list[float]] = {}
    for key, position, number in session.connection.execute(query):
        found.setdefault(key, []).append(goals[position].sign * number)
    return found


def _check_reason(kind: str, reason: str) -> None:
    if kind != "restore" and not reason.strip():
        raise StoreError(f"to {kind} a trial needs a reason in words; got {reason!r}")


def _check_named(kind: str, found: Iterable[_Row]) -> None:
    """Refuse trials that cannot be corrected like that."""
    named = {row.number for row in found}
    for row in found:
        if not State(row.state).is_finished:
            raise StoreError(
                f"only a trial that has ended has a result to {kind}; trial {row.number} is {row.state}"
            )
        if row.excluded == "outside":
            raise StoreError(
                f"trial {row.number} lies outside the space as it is now: it does not count, right or wrong"
            )
        if row.reused_from is not None and row.reused_from not in named:
            raise StoreError(
                f"trial {row.number} was served the result of trial {row.reused_from}: {kind} that one, "
                "and this goes with it"
            )


def _detail(told: Mapping[str, Any]) -> str:
    return json.dumps(dict(told), sort_keys=True, ensure_ascii=False)


def _who() -> str:
    try:
        user = getpass.getuser()
    except (OSError, KeyError, ImportError):  # a user without a name, as in some containers
        user = "?"
    return f"{user}@{this_process().host}"
