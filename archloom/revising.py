# SPDX-License-Identifier: Apache-2.0
"""A study goes on under other terms: by request, on record, and with its trials judged anew.

What is proposed from now on follows the new terms; what was measured stays as it is. A trial counts as long
as its choices are a point of the space: one that has lost a candidate of theirs, a decision, or got a new
one, puts them *outside* (the space cannot say which candidate of a new decision stands for what was there
before), and a later space that holds them takes them in again. What has not ended when it falls outside
is ended as FAIL and never counts. By new constraints the trials are judged from the metrics that they
have; one without the metric counts as infeasible, and one that was PRUNED stays so.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence, Set
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, final

from archloom.contracts import State
from archloom.errors import StudyBusyError
from archloom.objectives import Constraint, parse_constraint
from archloom.search_spaces import SearchSpace
from archloom.sharing import Sharing
from archloom.store import Outcome, Store, StudyRecord, TrialRecord
from archloom.store.revisions import OUTSIDE, Revisions, Verdict
from archloom.terms import Change, changes_between

__all__ = ["Terms", "changes_in", "judged", "note_parts", "revise"]

_PARTS = "parts"
_BOUND = (State.COMPLETE, State.PRUNED)
"""How a trial ends whose metrics constraints apply to."""
_TAKEN_BACK = ("invalidate", "withdraw")
"""The events of a trial after which it does not count, until it is restored."""


@final
@dataclass(frozen=True)
class Terms:
    """What a study is made of.

    Args:
        record: as the store is to have it.
        space: its search space.
        constraints: bounds on metrics.
        parts: as ``archloom.terms.parts_of`` says.
        is_by_genotype: whether trials are the same that were chosen alike, rather than that mean the same.
    """

    record: StudyRecord
    space: SearchSpace
    constraints: Sequence[Constraint]
    parts: Mapping[str, Any]
    is_by_genotype: bool


def changes_in(store: Store, earlier: StudyRecord, terms: Terms) -> list[Change]:
    """Say how the terms are others than those that the store has."""
    assert earlier.id is not None
    return changes_between(earlier, terms.record, _noted_parts(store, earlier.id), terms.parts)


def note_parts(store: Store, study_id: int, terms: Terms) -> None:
    """Note what a study is made of where no study file says it, and where that is news."""
    if "strategy" in terms.record.config:
        return
    earlier = _noted_parts(store, study_id)
    # Who opens it without an evaluator, to ask and tell or to look, has nothing to say of that.
    told = {**earlier, **{key: part for key, part in terms.parts.items() if part != [] or key not in earlier}}
    if told != earlier:
        store.add_event(study_id, _PARTS, json.dumps(told, sort_keys=True))


def revise(store: Store, terms: Terms, lease: float, retries: int) -> None:
    """Record that a study goes on under other terms, and judge its trials by them.

    Nobody may propose meanwhile: who changes the terms takes the proposer's lease.

    Args:
        store: holds the study.
        terms: the new ones.
        lease: of ``Study``.
        retries: of ``Study``.

    Raises:
        StudyBusyError: another process is running the study.
    """
    study_id = store.study(terms.record.name).id
    assert study_id is not None
    sharing = Sharing(store, study_id, terms.record.name, lease, retries)
    sharing.enter()
    try:
        sharing.lead()
        with store.transaction():
            store.lock(study_id)
            if not sharing.still_leads():
                raise StudyBusyError(f"study {terms.record.name!r} is being run by another process meanwhile")
            _revise(store, study_id, terms)
    finally:
        sharing.leave()


@contextmanager
def judged(
    store: Store, sharing: Sharing, name: str, outcomes: Mapping[int, Outcome]
) -> Iterator[Mapping[int, Outcome]]:
    """Hold a study while trials end, and give their outcomes as its constraints, as they are now, have them.

    Args:
        store: holds the study.
        sharing: knows the terms that they began under.
        name: the study's.
        outcomes: of trials that may have begun under earlier terms.
    """
    with store.transaction():
        store.lock(sharing.study_id)
        yield outcomes if sharing.knows_terms else _judged_anew(store, name, outcomes)


def _judged_anew(store: Store, name: str, outcomes: Mapping[int, Outcome]) -> dict[int, Outcome]:
    constraints = [parse_constraint(text) for text in store.study(name).constraints]
    return {
        number: replace(outcome, violation=_violation(constraints, outcome))
        if outcome.state in _BOUND
        else outcome
        for number, outcome in outcomes.items()
    }


def _violation(constraints: Sequence[Constraint], ended: TrialRecord | Outcome) -> float:
    """Return by how much constraints are broken; what a COMPLETE trial has not measured breaks one by 1."""
    known = {name for name, value in ended.metrics.items() if not math.isnan(value)}
    unknown = 1.0 if ended.state == State.COMPLETE else 0.0
    return float(sum(c.violation(ended.metrics) if c.metric in known else unknown for c in constraints))


def _revise(store: Store, study_id: int, terms: Terms) -> None:
    changes = changes_in(store, store.study(terms.record.name), terms)
    if not changes:
        return  # another process was quicker
    trials = store.trials(study_id)
    invalid = _invalid(store, study_id, trials)
    verdicts = [verdict for verdict in _judge(trials, invalid, terms, changes) if verdict is not None]
    detail = "; ".join([*map(str, changes), *_counted(trials, verdicts)])
    Revisions(store, study_id).add(terms.record, detail, verdicts)
    note_parts(store, study_id, terms)


def _invalid(store: Store, study_id: int, trials: Sequence[TrialRecord]) -> set[int]:
    """Return the trials that a person has taken back, and not restored: those outside say no more of that."""
    noted: set[int] = set()
    for event in store.events(study_id):
        if event.number is not None and event.kind in _TAKEN_BACK:
            noted.add(event.number)
        elif event.number is not None and event.kind == "restore":
            noted.discard(event.number)
    marked = {trial.number for trial in trials if trial.excluded == "invalid"}
    for number in sorted(marked - noted):  # it came from elsewhere like that
        store.add_event(study_id, _TAKEN_BACK[0], json.dumps({"reason": "it was when it came"}), number)
    return marked | {trial.number for trial in trials if trial.excluded == "outside"} & noted


def _judge(
    trials: Sequence[TrialRecord], invalid: Set[int], terms: Terms, changes: Sequence[Change]
) -> list[Verdict | None]:
    """Return the verdict on each trial, ``None`` where it is as it was."""
    rows, is_point = terms.space.read([trial.choices for trial in trials])
    is_bound_anew = any(change.path[0] == "constraints" for change in changes)
    verdicts = []
    for i, trial in enumerate(trials):
        key, violation = trial.key, trial.violation
        has_begun = trial.state != State.FAIL or not trial.reason.startswith(OUTSIDE)
        excluded = "outside"
        if is_point[i] and has_begun:
            excluded = "invalid" if trial.number in invalid else ""
        if is_point[i]:
            key = terms.space.key(terms.space.choices(rows[i]), is_canonical=not terms.is_by_genotype)
        if is_bound_anew and trial.state in _BOUND:
            violation = _violation(terms.constraints, trial)
        is_same = (excluded, key, violation) == (trial.excluded, trial.key, trial.violation)
        verdicts.append(None if is_same else Verdict(trial.number, excluded, key, violation))
    return verdicts


def _counted(trials: Sequence[TrialRecord], verdicts: Sequence[Verdict]) -> list[str]:
    """Say how many trials the new terms have changed, and how."""
    by_number = {trial.number: trial for trial in trials}
    told: Counter[str] = Counter()
    for verdict in verdicts:
        trial = by_number[verdict.number]
        if verdict.excluded != trial.excluded:
            is_out = verdict.excluded == "outside"
            told["fall outside the space" if is_out else "lie inside the space again"] += 1
        elif trial.state == State.COMPLETE and bool(verdict.violation) != bool(trial.violation):
            told["break the constraints now" if verdict.violation else "keep the constraints now"] += 1
    return [f"{n} trial{'s' if n > 1 else ''}: {words}" for words, n in told.items()]


def _noted_parts(store: Store, study_id: int) -> dict[str, Any]:
    noted = [event.detail for event in store.events(study_id, _PARTS)]
    found: dict[str, Any] = json.loads(noted[-1]) if noted else {}
    return found
