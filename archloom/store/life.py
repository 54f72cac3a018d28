# SPDX-License-Identifier: Apache-2.0
"""The life of a trial in the database: proposed, claimed, finished; for every trial, so it is kept quick.

Everything here runs inside a transaction of the session.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple, final

from archloom.contracts import Objective, State
from archloom.errors import StoreError
from archloom.store import queries, rows
from archloom.store import statements as sql
from archloom.store.front import dominates, enter
from archloom.store.records import Curve, Outcome, Proposal, TrialRecord
from archloom.store.session import Session

__all__ = ["Life", "Running"]


class Running(NamedTuple):
    """A trial that is being evaluated, who has it, and how often a worker that had it was gone."""

    number: int
    worker: int | None
    n_lost: int


class _Held(NamedTuple):
    """A trial that this process has claimed, so that ending it need not read it again."""

    id: int
    record: TrialRecord
    is_mine: bool = True


@final
class Life:
    """Moves trials from WAITING to RUNNING to their end.

    Args:
        session: on the database.
        missing: says in words that a study has no such trial.
    """

    def __init__(self, session: Session, missing: Callable[[int, int], str]):
        self._session = session
        self._missing = missing
        self._seeds: dict[int, int] = {}
        self._report = sql.REPORT[session.dialect.name]
        self._held: dict[tuple[int, int], _Held] = {}
        self._fronts: dict[int, dict[int, tuple[float, ...]]] = {}

    def forget(self) -> None:
        """Forget what was claimed and which front was seen: it may have been undone."""
        self._held.clear()
        self._fronts.clear()

    def add(
        self,
        study_id: int,
        goals: Sequence[Objective],
        ask: int,
        proposals: Sequence[Proposal],
        n_started: int,
        worker: int,
    ) -> list[TrialRecord]:
        """Add what one ask proposed; the first ``n_started`` are RUNNING at once, the others WAITING."""
        choices = [rows.decision_rows(proposal.choices) for proposal in proposals]
        self.lock(study_id)
        first, seed, at = self.n_trials(study_id), self._seed(study_id), rows.now()
        added = [
            rows.trial_row(study_id, first + i, ask, proposal, at, seed, worker if i < n_started else None)
            for i, proposal in enumerate(proposals)
        ]
        self._session.run_many(sql.ADD_TRIAL, added)
        ids = [key for (key,) in self._session.run(sql.NEW_IDS, study_id=study_id, number=first)]
        for trial_id, made in zip(ids, choices, strict=True):
            for row in made:
                row["trial_id"] = trial_id
        self._session.run_many(sql.ADD_DECISION, [row for made in choices for row in made])
        made_records = [
            _new(row, proposal, len(goals)) for row, proposal in zip(added, proposals, strict=True)
        ]
        for trial_id, record in zip(ids[:n_started], made_records, strict=False):
            self._held[study_id, record.number] = _Held(trial_id, record)
        return made_records

    def claim(
        self, study_id: int, goals: Sequence[Objective], n: int, worker: int, *, is_news: bool
    ) -> list[TrialRecord]:
        """Take up to ``n`` WAITING trials, those of the lowest numbers.

        Args:
            study_id: the study.
            goals: its objectives.
            n: how many at most.
            worker: who takes them.
            is_news: leave out what is being evaluated under another number.
        """
        if is_news:
            self.lock(study_id)
        statement = sql.CLAIM_NEWS if is_news else sql.CLAIM
        found = self._session.run(statement, study_id=study_id, now=rows.now(), n=n, worker=worker)
        claimed = []
        for row in sorted(map(sql.TrialRow._make, found), key=lambda row: row.number):
            choices = queries.read_choices(self._session.run(sql.CHOICES_OF_TRIAL, trial_id=row.id))
            record = queries.build_trial(row, goals, choices=choices)
            self._held[study_id, row.number] = _Held(row.id, record)
            claimed.append(record)
        return claimed

    def report(
        self, study_id: int, number: int, worker: int, steps: Mapping[int, Mapping[str, float]]
    ) -> bool:
        """Add metrics of steps of a RUNNING trial; return whether it is still this worker's."""
        held = self._held.get((study_id, number))
        trial_id = self.row(study_id, number).id if held is None else held.id
        ((state, holder),) = self._session.run(sql.HELD_BY, trial_id=trial_id)
        if state != State.RUNNING or (held is not None and holder != worker):
            return False
        self._session.run_many(self._report, _curve_rows(trial_id, steps))
        return True

    def finish(
        self,
        study_id: int,
        goals: Sequence[Objective],
        outcomes: Mapping[int, Outcome],
        worker: int,
        curves: Mapping[int, Curve],
        *,
        is_late_noted: bool,
    ) -> list[TrialRecord]:
        """End trials in the order given, and keep the Pareto front."""
        for number, outcome in outcomes.items():
            rows.check_outcome(number, outcome, goals)
        self.lock(study_id)
        open_ones: dict[int, _Held] = {}
        for number, outcome in outcomes.items():
            held = self._to_end(study_id, goals, number, outcome, worker, is_late_noted=is_late_noted)
            if held is not None:
                open_ones[number] = held
        # All rows are made before the first is written: what is refused leaves nothing behind.
        reported = [row for number, held in open_ones.items() for row in _unsaved(held, curves.get(number))]
        values = [
            row for number, h in open_ones.items() for row in rows.metric_rows(h.id, outcomes[number].metrics)
        ]
        for number, held in open_ones.items():
            # Another has worked on it meanwhile. (What is failed for its worker's sake keeps its curve.)
            if not held.is_mine and outcomes[number].state != State.FAIL:
                self._session.run(sql.FORGET_CURVES, trial_id=held.id)
        self._session.run_many(self._report, reported)
        ended = self._end(study_id, goals, open_ones, outcomes, worker)
        self._session.run_many(sql.ADD_METRIC, values)
        for number in outcomes:
            self._held.pop((study_id, number), None)
        return ended

    def _end(
        self,
        study_id: int,
        goals: Sequence[Objective],
        held: Mapping[int, _Held],
        outcomes: Mapping[int, Outcome],
        worker: int,
    ) -> list[TrialRecord]:
        """Write the ends of open trials."""
        made = [(h, outcomes[number]) for number, h in held.items()]
        on_front = self._enter_front(study_id, goals, {h.id: outcome for h, outcome in made})
        at, order = rows.now(), self.n_finished(study_id)
        ended = [
            _ended(h.record, outcome, goals, at, order + i, worker, is_pareto=h.id in on_front)
            for i, (h, outcome) in enumerate(made)
        ]
        self._session.run_many(
            sql.FINISH, [_final_row(h.id, record) for (h, _), record in zip(made, ended, strict=True)]
        )
        out = [(h.id, record) for (h, _), record in zip(made, ended, strict=True) if record.excluded]
        self._session.run_many(sql.EXCLUDE, [{"trial_id": k, "excluded_": r.excluded} for k, r in out])
        event = {"study_id": study_id, "at": at, "kind": "invalidate"}
        told = [
            event | {"trial_id": key, "detail": json.dumps({"with": record.reused_from})}
            for key, record in out
            if record.excluded == "invalid"
        ]
        self._session.run_many(sql.ADD_EVENT, told)
        files = [
            {"trial_id": h.id, "name": name, "path": path}
            for (h, _), record in zip(made, ended, strict=True)
            for name, path in record.artifacts.items()
        ]
        self._session.run_many(sql.ADD_ARTIFACT, files)
        return ended

    def reopen(self, study_id: int, numbers: Collection[int], reason: str, *, is_lost: bool) -> list[int]:
        """Make some RUNNING trials WAITING again, and return their numbers.

        Args:
            study_id: the study.
            numbers: which.
            reason: noted in the event.
            is_lost: whether their workers were gone, which is counted.
        """
        self.lock(study_id)
        running = self._session.run(sql.RUNNING, study_id=study_id)
        found = [(key, number) for key, number, *_ in running if number in numbers]
        self._session.run_many(sql.REOPEN, [{"trial_id": key, "n": int(is_lost)} for key, _ in found])
        self._session.run_many(sql.FORGET_CURVES, [{"trial_id": key} for key, _ in found])
        event = {"study_id": study_id, "at": rows.now(), "kind": "reopen", "detail": rows.clean(reason)}
        self._session.run_many(sql.ADD_EVENT, [event | {"trial_id": key} for key, _ in found])
        for _, number in found:
            self._held.pop((study_id, number), None)
        return sorted(number for _, number in found)

    def running(self, study_id: int) -> list[Running]:
        """Return the RUNNING trials, by number."""
        found = self._session.run(sql.RUNNING, study_id=study_id)
        return sorted(Running(number, worker, n_lost) for _, number, worker, n_lost in found)

    def lock(self, study_id: int) -> None:
        """Make other writers to the study wait; SQLite's wait anyway."""
        if not self._session.is_sqlite:
            self._session.run(sql.LOCK_STUDY, study_id=study_id)

    def row(self, study_id: int, number: int) -> sql.TrialRow:
        """Return a trial's row.

        Raises:
            StoreError: there is none.
        """
        found = self._session.run(sql.LOCK_TRIAL, study_id=study_id, number=number)
        if not found:
            raise StoreError(self._missing(study_id, number))
        return sql.TrialRow._make(found[0])

    def n_trials(self, study_id: int) -> int:
        """Count the trials: numbers are dense, so that the last one tells."""
        ((last,),) = self._session.run(sql.LAST_NUMBER, study_id=study_id)
        return 0 if last is None else int(last) + 1

    def _seed(self, study_id: int) -> int:
        if study_id not in self._seeds:
            ((self._seeds[study_id],),) = self._session.run(sql.STUDY_SEED, study_id=study_id)
        return self._seeds[study_id]

    def n_finished(self, study_id: int) -> int:
        """Count the trials that have ended: their order is dense, so that the last one tells."""
        ((last,),) = self._session.run(sql.LAST_FINISH, study_id=study_id)
        return 0 if last is None else int(last) + 1

    def _to_end(
        self,
        study_id: int,
        goals: Sequence[Objective],
        number: int,
        outcome: Outcome,
        worker: int,
        *,
        is_late_noted: bool,
    ) -> _Held | None:
        """Return the trial that is to end, as it was claimed or as the database has it.

        ``None`` for one that had ended already, where that is noted and not refused.
        """
        if outcome.reused_from == number:
            raise StoreError(f"a trial is served the result of another; trial {number} names itself")
        # What is served from a result that was taken back meanwhile counts no more than that does.
        first = None if outcome.reused_from is None else self.row(study_id, outcome.reused_from)
        held = self._held.get((study_id, number))
        if held is not None:
            ((state, holder),) = self._session.run(sql.HELD_BY, trial_id=held.id)
            if not State(state).is_finished:
                return _taken_back(held, first)._replace(is_mine=holder == worker)
        row = self.row(study_id, number)
        if State(row.state).is_finished:
            if not is_late_noted:
                raise StoreError(
                    f"trial {number} has already ended as {row.state}; it was to end as {outcome.state}"
                )
            self._note_late(study_id, row, outcome, worker)
            return None
        choices = queries.read_choices(self._session.run(sql.CHOICES_OF_TRIAL, trial_id=row.id))
        is_mine = row.worker_id == worker
        return _taken_back(_Held(row.id, queries.build_trial(row, goals, choices=choices), is_mine), first)

    def _note_late(self, study_id: int, row: sql.TrialRow, outcome: Outcome, worker: int) -> None:
        """Keep a result that came when its trial had ended by another hand."""
        if row.worker_id == worker:
            return  # our own, whose commit was thought to have failed
        told = {"state": outcome.state.value, "metrics": outcome.metrics, "reason": outcome.reason}
        self._session.run(
            sql.ADD_EVENT,
            study_id=study_id,
            trial_id=row.id,
            at=rows.now(),
            kind="late",
            detail=rows.clean(json.dumps(told, sort_keys=True)),
        )

    def _enter_front(
        self, study_id: int, goals: Sequence[Objective], outcomes: Mapping[int, Outcome]
    ) -> set[int]:
        """Return which trials join the front and stay, having taken those that they dominate from it."""
        points = {
            key: tuple(goal.sign * float(outcome.metrics[goal.metric]) for goal in goals)
            for key, outcome in outcomes.items()
            if outcome.state == State.COMPLETE and outcome.violation == 0 and outcome.reused_from is None
        }
        # A front moves on, but for corrections: what an older one dominates has no need of the newest.
        points = {key: point for key, point in points.items() if not self._is_dominated(study_id, point)}
        if not points:
            return set()
        members = queries.front(self._session, study_id, goals)
        old = set(members)
        for key, point in points.items():
            joins, leavers = enter(point, members)
            for leaver in leavers:
                del members[leaver]
            if joins:
                members[key] = point
        gone = old - set(members)
        if gone and len(gone) == len(old):
            self._session.run(sql.LEAVE_FRONT_ALL, study_id=study_id)
        else:
            self._session.run_many(sql.LEAVE_FRONT, [{"trial_id": key} for key in gone])
        self._fronts[study_id] = members
        return set(members) - old

    def _is_dominated(self, study_id: int, point: tuple[float, ...]) -> bool:
        """Whether a trial of the front as it was last read dominates a point, and counts to this day."""
        seen = self._fronts.get(study_id, {})
        key = next((key for key, member in seen.items() if dominates(member, point)), None)
        if key is None:
            return False
        if self._session.run(sql.COUNTS, trial_id=key):
            return True
        del self._fronts[study_id]  # somebody has corrected it since
        return False


def _taken_back(held: _Held, first: sql.TrialRow | None) -> _Held:
    """Return a trial as excluded where the result that it is served from is."""
    if first is None or not first.excluded:
        return held
    return held._replace(record=replace(held.record, excluded=first.excluded))


def _unsaved(held: _Held, curve: Curve | None) -> list[dict[str, Any]]:
    """Return rows of what was reported and is not yet there: all, where another has worked on the trial."""
    if curve is None:
        return []
    steps = sorted(curve.unsaved if held.is_mine else curve.steps)
    return _curve_rows(held.id, {step: curve.steps[step] for step in steps})


def _curve_rows(trial_id: int, steps: Mapping[int, Mapping[str, float]]) -> list[dict[str, Any]]:
    return [
        row | {"step": int(step)}
        for step, metrics in steps.items()
        for row in rows.metric_rows(trial_id, metrics)
    ]


def _new(row: Mapping[str, Any], proposal: Proposal, n_goals: int) -> TrialRecord:
    """Return the record of a row that was just added, as reading it would."""
    return TrialRecord(
        number=row["number"],
        state=State(row["state"]),
        key=row["key"],
        text=row["architecture"],
        choices={
            name: str(choice) if isinstance(choice, str) else float(choice)
            for name, choice in sorted(proposal.choices.items())
        },
        metrics={},
        values=(None,) * n_goals,
        violation=0.0,
        seed=row["seed"],
        fidelity=row["fidelity"],
        ask=row["ask"],
        is_pareto=False,
        reused_from=None,
        reason="",
        traceback="",
        seconds=None,
        started_at=row["started_at"],
        finished_at=None,
        artifacts={},
        worker=row["worker_id"],
    )


def _ended(
    record: TrialRecord,
    outcome: Outcome,
    goals: Sequence[Objective],
    at: str,
    order: int,
    worker: int,
    *,
    is_pareto: bool,
) -> TrialRecord:
    started_at = record.started_at or at
    metrics = {key: float(value) for key, value in sorted(outcome.metrics.items())}
    return TrialRecord(
        number=record.number,
        state=outcome.state,
        key=record.key,
        text=record.text,
        choices=record.choices,
        metrics=metrics,
        values=queries.values_of(metrics, goals),
        violation=float(outcome.violation),
        seed=record.seed,
        fidelity=record.fidelity,
        ask=record.ask,
        is_pareto=is_pareto,
        reused_from=outcome.reused_from,
        reason=rows.clean(outcome.reason),
        traceback=rows.clean(outcome.traceback),
        started_at=started_at,
        finished_at=at,
        seconds=rows.seconds_between(started_at, at),
        artifacts={name: str(path) for name, path in outcome.artifacts.items()},
        finish_order=order,
        worker=worker,
        n_lost=record.n_lost,
        excluded=record.excluded,
    )


def _final_row(trial_id: int, record: TrialRecord) -> dict[str, Any]:
    return {
        "trial_id": trial_id,
        "state_": record.state.value,
        "violation_": record.violation,
        "is_pareto_": record.is_pareto,
        "reused_from_": record.reused_from,
        "reason_": record.reason,
        "traceback_": record.traceback,
        "started_at_": record.started_at,
        "finished_at_": record.finished_at,
        "seconds_": record.seconds,
        "finish_order_": record.finish_order,
        "worker_id_": record.worker,
        "value_": record.values[0],
    }
