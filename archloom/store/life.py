# SPDX-License-Identifier: Apache-2.0
"""The life of a trial in the database: proposed, claimed, finished; for every trial, so it is kept quick.

Everything here runs inside a transaction of the session.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, NamedTuple, final

from archloom.contracts import Objective, State
from archloom.errors import StoreError
from archloom.store import queries, rows
from archloom.store import statements as sql
from archloom.store.front import dominates, enter
from archloom.store.records import Outcome, Proposal, TrialRecord
from archloom.store.session import Session

__all__ = ["Life"]


class _Held(NamedTuple):
    """A trial that this process has claimed, so that ending it need not read it again."""

    id: int
    record: TrialRecord


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
    ) -> list[TrialRecord]:
        """Add what one ask proposed; the first ``n_started`` are RUNNING at once, the others WAITING."""
        choices = [rows.decision_rows(proposal.choices) for proposal in proposals]
        self.lock(study_id)
        first = self.n_trials(study_id)
        at = rows.now()
        added = [
            rows.trial_row(study_id, first + i, ask, proposal, at, is_started=i < n_started)
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

    def claim(self, study_id: int, goals: Sequence[Objective], n: int) -> list[TrialRecord]:
        """Take up to ``n`` WAITING trials, those of the lowest numbers."""
        found = self._session.run(sql.CLAIM, study_id=study_id, now=rows.now(), n=n)
        claimed = []
        for row in sorted(map(sql.TrialRow._make, found), key=lambda row: row.number):
            choices = queries.read_choices(self._session.run(sql.CHOICES_OF_TRIAL, trial_id=row.id))
            record = queries.build_trial(row, goals, choices=choices)
            self._held[study_id, row.number] = _Held(row.id, record)
            claimed.append(record)
        return claimed

    def finish(
        self, study_id: int, goals: Sequence[Objective], outcomes: Mapping[int, Outcome]
    ) -> list[TrialRecord]:
        """End trials in the order given, and keep the Pareto front."""
        for number, outcome in outcomes.items():
            rows.check_outcome(number, outcome, goals)
        self.lock(study_id)
        held = [self._to_end(study_id, goals, number, outcome) for number, outcome in outcomes.items()]
        values = [
            row
            for h, outcome in zip(held, outcomes.values(), strict=True)
            for row in rows.metric_rows(h.id, outcome.metrics)
        ]
        on_front = self._enter_front(
            study_id, goals, dict(zip((h.id for h in held), outcomes.values(), strict=True))
        )
        at = rows.now()
        ended = [
            _ended(h.record, outcome, goals, at, is_pareto=h.id in on_front)
            for h, outcome in zip(held, outcomes.values(), strict=True)
        ]
        self._session.run_many(
            sql.FINISH, [_final_row(h.id, record) for h, record in zip(held, ended, strict=True)]
        )
        if self._session.n_changed != len(held):
            self._refuse_ended(study_id, outcomes, at)
        self._session.run_many(sql.ADD_METRIC, values)
        files = [
            {"trial_id": h.id, "name": name, "path": path}
            for h, record in zip(held, ended, strict=True)
            for name, path in record.artifacts.items()
        ]
        self._session.run_many(sql.ADD_ARTIFACT, files)
        for number in outcomes:
            self._held.pop((study_id, number), None)
        return ended

    def reopen(self, study_id: int, keep: Collection[int], reason: str) -> list[int]:
        """Make the RUNNING trials WAITING again, but for those in ``keep``; return their numbers."""
        self.lock(study_id)
        self.forget()
        running = self._session.run(sql.RUNNING, study_id=study_id)
        found = [(key, number) for key, number in running if number not in keep]
        self._session.run_many(sql.REOPEN, [{"trial_id": key} for key, _ in found])
        self._session.run_many(sql.FORGET_METRICS, [{"trial_id": key} for key, _ in found])
        event = {"study_id": study_id, "at": rows.now(), "kind": "reopen", "detail": reason}
        self._session.run_many(sql.ADD_EVENT, [event | {"trial_id": key} for key, _ in found])
        return sorted(number for _, number in found)

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

    def _to_end(self, study_id: int, goals: Sequence[Objective], number: int, outcome: Outcome) -> _Held:
        """Return the trial that is to end: as it was claimed, or as the database has it."""
        if outcome.reused_from == number:
            raise StoreError(f"a trial is served the result of another; trial {number} names itself")
        if outcome.reused_from is not None:
            self.row(study_id, outcome.reused_from)
        held = self._held.get((study_id, number))
        if held is not None:
            return held
        row = self.row(study_id, number)
        if State(row.state).is_finished:
            raise StoreError(
                f"trial {number} has already ended as {row.state}; it was to end as {outcome.state}"
            )
        choices = queries.read_choices(self._session.run(sql.CHOICES_OF_TRIAL, trial_id=row.id))
        return _Held(row.id, queries.build_trial(row, goals, choices=choices))

    def _refuse_ended(self, study_id: int, outcomes: Mapping[int, Outcome], at: str) -> None:
        """Say which trial had ended already, by another hand; nothing of this transaction is kept."""
        self._session.is_doomed = True
        self.forget()
        for number, outcome in outcomes.items():
            row = self.row(study_id, number)
            if row.finished_at != at:
                raise StoreError(
                    f"trial {number} has already ended as {row.state}; it was to end as {outcome.state}"
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
        # A front only ever moves on: what an older one dominates has no need of the newest.
        seen = self._fronts.get(study_id, {}).values()
        points = {k: p for k, p in points.items() if not any(dominates(member, p) for member in seen)}
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
    )


def _ended(
    record: TrialRecord, outcome: Outcome, goals: Sequence[Objective], at: str, *, is_pareto: bool
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
    }
