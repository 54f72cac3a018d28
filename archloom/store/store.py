# SPDX-License-Identifier: Apache-2.0
"""The store: every study, trial, decision and metric, in SQL that a person can read."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from sqlalchemy import Select, func, select, update
from sqlalchemy.dialects.postgresql import insert as insert_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_sqlite

from archloom.contracts import Objective, State
from archloom.errors import StoreError, StudyExistsError, StudyNotFoundError, did_you_mean
from archloom.store import connect, queries, rows, views
from archloom.store import statements as sql
from archloom.store.frames import make_frame
from archloom.store.life import Life
from archloom.store.records import Event, Outcome, Proposal, StudyRecord, TrialRecord, join_key, split_key
from archloom.store.schema import STATUSES, objectives, studies, trials

if TYPE_CHECKING:
    import pandas

__all__ = ["Store"]


class Store:
    """The results database of one or many studies.

    A write is durable when its method, or the outermost ``transaction`` around it, returns. A store
    may be called from several threads; it belongs to the process that opened it.

    >>> store = Store()
    >>> study = store.create_study(StudyRecord("demo", 0, (Objective("accuracy"),)))
    >>> store.propose(study, 0, [Proposal("k", "conv 3x3", {"op": "conv", "kernel": "3"}, seed=7)])
    [0]
    >>> trial = store.claim(study)
    >>> store.finish(study, trial.number, Outcome(State.COMPLETE, {"accuracy": 0.9})).values
    (0.9,)
    >>> store.close()

    Args:
        url: ``sqlite:///results.db``, ``postgresql+psycopg://user@host/database``, the path of a SQLite
            file, or ``sqlite://`` for a database in memory. ``?synchronous=normal`` after a SQLite file
            trades the last trials before a power cut (not before a crash) for speed.
        must_exist: refuse to create a database.

    Raises:
        StoreError: it cannot be opened, belongs to another program, or has another version's schema.
    """

    url: str
    """What opens this database again, with its password if it has one."""

    def __init__(self, url: str | Path = "sqlite://", *, must_exist: bool = False):
        parsed = connect.parse_url(url)
        self.url = parsed.render_as_string(hide_password=False)
        self._session = connect.open_session(parsed, must_exist=must_exist)
        self._goals: dict[int, tuple[Objective, ...]] = {}
        self._life = Life(self._session, self._words_for_missing)
        self._session.on_rollback = self._forget

    @staticmethod
    def upgrade(url: str | Path) -> None:
        """Bring a database that an older archloom made to this one's schema.

        Raises:
            StoreError: it cannot be opened, belongs to another program, or is newer.
        """
        connect.upgrade(connect.parse_url(url))

    def __repr__(self) -> str:
        return f"Store({self._session.label!r})"

    def __enter__(self) -> Store:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the database; closing twice is fine."""
        self._session.close()

    def transaction(self) -> AbstractContextManager[None]:
        """Let the writes inside share one commit; an exception undoes them all.

        It may stand inside another, of which it is then a part.
        """
        return self._session.transaction()

    @property
    def is_doomed(self) -> bool:
        """Whether a write has failed in the transaction at hand, which can then no longer be committed."""
        return self._session.is_doomed

    def abandon(self) -> None:
        """Undo the transaction that this thread is in, wherever an interrupt broke it off."""
        self._session.abandon()
        self._forget()

    # Studies

    def create_study(self, record: StudyRecord) -> int:
        """Add a study and return its id.

        Raises:
            StudyExistsError: there is one of that name.
        """
        with self._write():
            row = rows.study_row(record, rows.now())
            goals = rows.objective_rows(0, record.objectives)
            insert = insert_sqlite if self._session.is_sqlite else insert_postgresql
            statement = (
                insert(studies).on_conflict_do_nothing(index_elements=["name"]).returning(studies.c.id)
            )
            study_id: int | None = self._session.connection.scalar(statement, row)
            if study_id is None:
                raise StudyExistsError(self._words_for_existing(record.name))
            self._session.connection.execute(
                objectives.insert(), [goal | {"study_id": study_id} for goal in goals]
            )
            return study_id

    def study(self, name: str) -> StudyRecord:
        """Return a study by its name.

        Raises:
            StudyNotFoundError: there is none; the message names the nearest.
        """
        with self._read():
            found = queries.load_studies(self._session, studies.c.name == name)
            if not found:
                names = self._session.connection.scalars(select(studies.c.name))
                raise StudyNotFoundError(
                    f"no study {name!r} in {self._session.label}{did_you_mean(name, names)}"
                )
        return found[0]

    def studies(self) -> list[StudyRecord]:
        """Return all studies, oldest first."""
        with self._read():
            return queries.load_studies(self._session)

    def set_status(self, study_id: int, status: str, reason: str = "") -> None:
        """Say whether a study is ``running``, ``stopped`` or ``done``, and why."""
        if status not in STATUSES:
            raise StoreError(f"a study's status is one of {STATUSES}; got {status!r}")
        self._update_study(study_id, status=status, reason=rows.clean(reason))

    def set_config(self, study_id: int, config: Mapping[str, Any]) -> None:
        """Replace a study's config."""
        self._update_study(study_id, config=rows.dump(dict(config), "a study's config"))

    # The life of a trial

    def propose(self, study_id: int, ask: int, proposals: Sequence[Proposal]) -> list[int]:
        """Add what one ask proposed as WAITING trials and return their numbers.

        Args:
            study_id: the study.
            ask: number of the ask, -1 for what no strategy proposed.
            proposals: the architectures.

        Raises:
            StoreError: a choice that is neither a label nor a finite number, or no such study.
        """
        return [trial.number for trial in self.start(study_id, ask, proposals, 0)]

    def start(self, study_id: int, ask: int, proposals: Sequence[Proposal], n: int) -> list[TrialRecord]:
        """Add what one ask proposed and claim the first ``n`` of it in the same breath; return all of it.

        Raises:
            StoreError: as ``propose``.
        """
        if not proposals:
            return []
        with self._write():
            return self._life.add(study_id, self._objectives(study_id), ask, proposals, n)

    def claim(self, study_id: int) -> TrialRecord | None:
        """Take the WAITING trial of the lowest number: it is RUNNING now, and nobody else gets it."""
        return next(iter(self.claim_many(study_id, 1)), None)

    def claim_many(self, study_id: int, n: int) -> list[TrialRecord]:
        """Take up to ``n`` WAITING trials, those of the lowest numbers, in their order."""
        with self._write():
            return self._life.claim(study_id, self._objectives(study_id), n)

    def reopen(
        self, study_id: int, *, keep: Collection[int] = (), reason: str = "its worker was gone"
    ) -> list[int]:
        """Make every RUNNING trial WAITING again, and return their numbers.

        For one worker that was killed and comes back: what its trials had reported is forgotten, as
        they will report it again.

        Args:
            study_id: the study.
            keep: numbers of trials that somebody still works for.
            reason: noted in the event.
        """
        with self._write():
            return self._life.reopen(study_id, keep, reason)

    def report(self, study_id: int, number: int, step: int, metrics: Mapping[str, float]) -> None:
        """Add metrics of a step of a RUNNING trial; a step reported again replaces what was said before.

        Raises:
            StoreError: the trial is not RUNNING.
        """
        with self._write():
            row = self._life.row(study_id, number)
            if row.state != State.RUNNING:
                raise StoreError(f"only a RUNNING trial reports; trial {number} is {row.state}")
            values = [value | {"step": int(step)} for value in rows.metric_rows(row.id, metrics)]
            self._session.run_many(sql.REPORT[self._session.dialect.name], values)

    def finish(self, study_id: int, number: int, outcome: Outcome) -> TrialRecord:
        """End a trial, and keep the Pareto front.

        Raises:
            StoreError: it has already ended, or a COMPLETE one lacks a finite objective; nothing changes.
        """
        return self.finish_many(study_id, {number: outcome})[0]

    def finish_many(self, study_id: int, outcomes: Mapping[int, Outcome]) -> list[TrialRecord]:
        """End several trials in one commit, in the order given; return them.

        Raises:
            StoreError: as ``finish``; none of them has ended then.
        """
        if not outcomes:
            return []
        with self._write():
            return self._life.finish(study_id, self._objectives(study_id), outcomes)

    # Reading

    def trial(self, study_id: int, number: int) -> TrialRecord:
        """Return a trial by its number.

        Raises:
            StoreError: there is none.
        """
        with self._read():
            found = self._load(study_id, trials.c.number == number)
            if not found:
                raise StoreError(self._words_for_missing(study_id, number))
        return found[0]

    def trials(self, study_id: int, *, states: Sequence[State] | None = None) -> list[TrialRecord]:
        """Return the trials of a study, or those in some states, by number."""
        conditions = [] if states is None else [trials.c.state.in_([State(state).value for state in states])]
        with self._read():
            return self._load(study_id, *conditions)

    def finished_with_key(self, study_id: int, key: str) -> list[TrialRecord]:
        """Return the ended trials of a key that were really evaluated, by number."""
        with self._read():
            return self._load(
                study_id,
                trials.c.key == key,
                trials.c.finished_at.is_not(None),
                trials.c.reused_from.is_(None),
            )

    def counts(self, study_id: int) -> dict[State, int]:
        """Return how many trials there are in each state."""
        query = (
            select(trials.c.state, func.count()).where(trials.c.study_id == study_id).group_by(trials.c.state)
        )
        with self._read():
            self._objectives(study_id)
            found = {state: n for state, n in self._session.connection.execute(query)}
        return {state: found.get(state.value, 0) for state in State}

    def curves(self, study_id: int, metric: str) -> dict[int, dict[int, float]]:
        """Return what was reported of a metric (full key): trial number to step to value."""
        with self._read():
            self._objectives(study_id)
            return queries.curves(self._session, study_id, *split_key(metric))

    def best(self, study_id: int, n: int = 1) -> list[TrialRecord]:
        """Return the ``n`` best feasible COMPLETE trials by the first objective.

        Of equal ones those on the Pareto front come first, then the earliest.
        """
        with self._read():
            goal = self._objectives(study_id)[0]
            numbers = queries.best_ids(self._session, study_id, goal, n)
            found = {trial.number: trial for trial in self._load(study_id, trials.c.number.in_(numbers))}
        return [found[number] for number in numbers]

    def pareto(self, study_id: int) -> list[TrialRecord]:
        """Return the Pareto front, by number; with one objective, all trials that share the best value."""
        with self._read():
            return self._load(study_id, trials.c.is_pareto)

    def frame(self, study_id: int) -> pandas.DataFrame:
        """Return a data frame of one row a trial: number, state, decisions, metrics, seconds, ..."""
        return make_frame(self.trials(study_id))

    # Notes and views

    def add_event(self, study_id: int, kind: str, detail: str = "", number: int | None = None) -> None:
        """Note that something happened, to the study or to one trial."""
        with self._write():
            self._objectives(study_id)
            trial_id = None if number is None else self._life.row(study_id, number).id
            self._session.run(
                sql.ADD_EVENT,
                study_id=study_id,
                trial_id=trial_id,
                at=rows.now(),
                kind=rows.clean(kind),
                detail=rows.clean(detail),
            )

    def events(self, study_id: int, kind: str | None = None) -> list[Event]:
        """Return what happened in a study, or what of one kind, oldest first."""
        with self._read():
            self._objectives(study_id)
            return queries.load_events(self._session, study_id, kind)

    def refresh_wide(self, study_id: int) -> str:
        """Make anew the study's view of one row a trial, one column a decision or metric; return its name."""
        with self._write():
            self._objectives(study_id)
            return views.refresh_wide(self._session.connection, study_id)

    # Inside a transaction

    def _forget(self) -> None:
        self._goals.clear()
        self._life.forget()

    def _read(self) -> AbstractContextManager[None]:
        return self._session.transaction("read", forgives=StoreError)

    def _write(self) -> AbstractContextManager[None]:
        return self._session.transaction(forgives=StoreError)

    def _objectives(self, study_id: int) -> tuple[Objective, ...]:
        goals = self._goals.get(study_id)
        if goals is None:
            found = self._session.run(sql.OBJECTIVES, study_id=study_id)
            goals = tuple(Objective(join_key(split, name), direction) for split, name, direction in found)
            if not goals:
                raise StoreError(f"{self._session.label} has no study with the id {study_id}")
            self._goals[study_id] = goals
        return goals

    def _ids(self, study_id: int, *conditions: Any) -> Select[Any]:
        return select(trials.c.id).where(trials.c.study_id == study_id, *conditions)

    def _load(self, study_id: int, *conditions: Any) -> list[TrialRecord]:
        goals = self._objectives(study_id)
        return queries.load_trials(self._session, goals, self._ids(study_id, *conditions))

    def _update_study(self, study_id: int, **changes: str) -> None:
        with self._write():
            self._objectives(study_id)
            self._session.connection.execute(update(studies).where(studies.c.id == study_id).values(changes))

    def _words_for_existing(self, name: str) -> str:
        n_trials = self._session.connection.scalar(
            select(func.count(trials.c.id)).join(studies).where(studies.c.name == name)
        )
        return (
            f"the study {name!r} is already in {self._session.label}, with {n_trials} trials: "
            f"`--resume` continues it, another `study=NAME` starts a new one "
            "(in Python resume=True and name=)"
        )

    def _words_for_missing(self, study_id: int, number: int) -> str:
        n_trials = self._life.n_trials(study_id)
        have = f"it has trials 0 to {n_trials - 1}" if n_trials else "it has none"
        name = self._session.connection.scalar(select(studies.c.name).where(studies.c.id == study_id))
        return f"the study {name!r} has no trial {number}; {have}"
