# SPDX-License-Identifier: Apache-2.0
"""The store: every study, trial, decision and metric, in SQL that a person can read."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from sqlalchemy import Select, func, select, update
from sqlalchemy.dialects.postgresql import insert as insert_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_sqlite

from archloom.contracts import Objective, State
from archloom.errors import ArchloomError, StoreError, StudyExistsError, StudyNotFoundError, did_you_mean
from archloom.store import connect, queries, rows, views
from archloom.store import statements as sql
from archloom.store.choosing import count_trials, find_trials
from archloom.store.frames import read_frame
from archloom.store.importance import importances
from archloom.store.life import Life
from archloom.store.predictions import Prediction, add_predictions, load_predictions
from archloom.store.records import (
    Curve,
    Event,
    Outcome,
    Proposal,
    Standing,
    StudyRecord,
    TrialRecord,
    join_key,
    split_key,
)
from archloom.store.rescue import Rescue
from archloom.store.runs import Runs
from archloom.store.schema import STATUSES, objectives, revisions, studies, trials
from archloom.store.tally import Tally
from archloom.store.words import words_for_existing
from archloom.store.workers import Workers

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
    workers: Workers
    """Who works on its studies."""
    runs: Runs
    """Trainings of what its trials share."""
    rescue: Rescue
    """Takes back the trials that nobody works for any more."""

    def __init__(self, url: str | Path = "sqlite://", *, must_exist: bool = False):
        parsed = connect.parse_url(url)
        self.url = parsed.render_as_string(hide_password=False)
        self._session = connect.open_session(parsed, must_exist=must_exist)
        self.label = self._session.label
        self._goals: dict[int, tuple[Objective, ...]] = {}
        self.on_close: list[Callable[[], None]] = []
        self._life = Life(self._session, self._words_for_missing)
        self._tally = Tally(self._session, self._life)
        self.workers = Workers(self._session)
        self.runs = Runs(self._session, self.workers)
        self.rescue = Rescue(self._session, self._life, self.workers, self.finish_many)
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
        """Say goodbye where this process works, and close the database; closing twice is fine."""
        for stop in self.on_close:
            stop()
        with suppress(StoreError):  # a database that is gone needs no goodbye
            self.workers.leave_all()
        self._session.close()

    def transaction(self) -> AbstractContextManager[None]:
        """Let the writes inside share one commit; an exception undoes them all.

        It may stand inside another, of which it is then a part.
        """
        return self._session.transaction()

    @property
    def is_shared(self) -> bool:
        """Whether other processes can reach this database: not where it lives in memory."""
        return not self._session.is_in_memory

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
                raise StudyExistsError(words_for_existing(self._session, record.name))
            self._session.connection.execute(
                objectives.insert(), [goal | {"study_id": study_id} for goal in goals]
            )
            self._session.connection.execute(revisions.insert(), rows.revision_row(study_id, 0, row, 0))
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

    def standing(self, study_id: int) -> Standing:
        """Return whether a study is running, and what it may spend; quick, for workers that look often."""
        with self._read():
            return self._tally.standing(study_id)

    def set_budget(self, study_id: int, max_trials: int | None, budget: str) -> None:
        """Say how many trials a study may hold, and whether ``evaluations`` or ``proposals`` are counted."""
        self._update_study(study_id, max_trials=max_trials, budget=budget)

    def lock(self, study_id: int) -> None:
        """Hold a study to the end of the transaction at hand: what is decided in it, nobody else changes."""
        self._life.lock(study_id)

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
            goals = self._objectives(study_id)
            worker = self.workers.join(study_id) if n else 0
            return self._life.add(study_id, goals, ask, proposals, n, worker)

    def claim(self, study_id: int) -> TrialRecord | None:
        """Take the WAITING trial of the lowest number: it is RUNNING now, and nobody else gets it."""
        return next(iter(self.claim_many(study_id, 1)), None)

    def claim_many(self, study_id: int, n: int, *, is_news: bool = False) -> list[TrialRecord]:
        """Take up to ``n`` WAITING trials, those of the lowest numbers, in their order.

        Args:
            study_id: the study.
            n: how many at most.
            is_news: leave out those whose architecture is being evaluated under another number.
        """
        with self._write():
            goals = self._objectives(study_id)
            return self._life.claim(study_id, goals, n, self.workers.join(study_id), is_news=is_news)

    def reopen(
        self, study_id: int, *, keep: Collection[int] = (), reason: str = "its worker was gone"
    ) -> list[int]:
        """Make every RUNNING trial WAITING again, whoever has it, and return their numbers.

        What its trials had reported is forgotten, as they will report it again.

        Args:
            study_id: the study.
            keep: numbers of trials that somebody still works for.
            reason: noted in the event.
        """
        with self._write():
            numbers = {each.number for each in self._life.running(study_id)} - set(keep)
            return self._life.reopen(study_id, numbers, reason, is_lost=False)

    def report(self, study_id: int, number: int, step: int, metrics: Mapping[str, float]) -> None:
        """Add metrics of a step of a RUNNING trial; a step reported again replaces what was said before.

        Raises:
            StoreError: the trial is not RUNNING.
        """
        with self._write():
            if not self.report_many(study_id, number, {step: metrics}):
                state = self._life.row(study_id, number).state
                raise StoreError(f"only a RUNNING trial reports; trial {number} is {state}")

    def report_many(self, study_id: int, number: int, steps: Mapping[int, Mapping[str, float]]) -> bool:
        """Add metrics of several steps; ``False``, and nothing written, where the trial is no longer ours."""
        with self._write():
            return self._life.report(study_id, number, self.workers.join(study_id), steps)

    def finish(self, study_id: int, number: int, outcome: Outcome) -> TrialRecord:
        """End a trial, and keep the Pareto front.

        Raises:
            StoreError: it has already ended, or a COMPLETE one lacks a finite objective; nothing changes.
        """
        return self.finish_many(study_id, {number: outcome})[0]

    def finish_many(
        self,
        study_id: int,
        outcomes: Mapping[int, Outcome],
        *,
        curves: Mapping[int, Curve] | None = None,
        is_late_noted: bool = False,
    ) -> list[TrialRecord]:
        """End several trials in one commit, in the order given; return them.

        Args:
            study_id: the study.
            outcomes: how they ended, by number.
            curves: what they reported, to be written with their end.
            is_late_noted: keep the result of a trial that has ended by another hand as an event ``late``,
                and leave it out of what is returned, instead of refusing it.

        Raises:
            StoreError: as ``finish``; none of them has ended then.
        """
        if not outcomes:
            return []
        with self._write():
            return self._life.finish(
                study_id,
                self._objectives(study_id),
                outcomes,
                self.workers.join(study_id),
                curves or {},
                is_late_noted=is_late_noted,
            )

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

    def trials(
        self,
        study_id: int,
        *,
        states: Sequence[State] | None = None,
        where: str | None = None,
        sort: str | None = None,
        limit: int | None = None,
    ) -> list[TrialRecord]:
        """Return the trials of a study, by number where nothing else is asked; the database does the work.

        Args:
            study_id: the study.
            states: only those in one of these.
            where: only those of which this condition holds, ``params < 1e5 and op = conv_3x3``.
            sort: by what, ``-accuracy, params``; equal ones by number, and those without it last.
            limit: how many at most.

        Raises:
            ConfigError: ``where`` or ``sort`` is no such thing, or names what no trial has.
        """
        with self._ask():
            goals = self._objectives(study_id)
            return find_trials(
                self._session, goals, study_id, states=states, where=where, sort=sort, limit=limit
            )

    def n_trials(
        self, study_id: int, *, states: Sequence[State] | None = None, where: str | None = None
    ) -> int:
        """Return how many trials there are, or how many of some states or of which a condition holds.

        Raises:
            ConfigError: as ``trials``.
        """
        with self._ask():
            self._objectives(study_id)
            return count_trials(self._session, study_id, states=states, where=where)

    def importances(self, study_id: int, metric: str | None = None) -> dict[str, float]:
        """Return which share of a metric's variance each decision explains, largest first.

        Args:
            study_id: the study.
            metric: ``accuracy`` is short for ``validation/accuracy``; the first objective if none is given.

        Raises:
            ConfigError: no such metric, or too few values to tell.
        """
        with self._ask():
            goal = self._objectives(study_id)[0].metric
            return importances(self._session, study_id, metric or goal)

    def finished_with_key(self, study_id: int, key: str) -> list[TrialRecord]:
        """Return the ended trials of a key that were really evaluated, by number."""
        with self._read():
            return self._load(
                study_id,
                trials.c.key == key,
                trials.c.finished_at.is_not(None),
                trials.c.reused_from.is_(None),
                trials.c.excluded == "",
            )

    def finished_since(self, study_id: int, order: int) -> list[TrialRecord]:
        """Return the trials that have ended, from the ``order``-th on, in the order in which they did."""
        with self._read():
            found = self._load(study_id, trials.c.finish_order >= order)
        return sorted(found, key=lambda trial: trial.finish_order or 0)

    def n_finished(self, study_id: int) -> int:
        """Return how many trials have ended."""
        with self._read():
            return self._life.n_finished(study_id)

    def n_evaluated(self, study_id: int, *, is_all: bool = False) -> int:
        """Return how many ended trials count that were really evaluated, or (``is_all``) repeats too."""
        with self._read():
            return self._tally.n_counting(study_id, is_all=is_all)

    def n_left(self, study_id: int, n_apart: int = 0) -> int | None:
        """Return how many more trials may start, by the budget of ``set_budget``; ``None`` for any number.

        Args:
            study_id: the study.
            n_apart: RUNNING trials that are outside of that budget.
        """
        with self._read():
            return self._tally.n_left(study_id, n_apart)

    def n_open(self, study_id: int) -> dict[State, int]:
        """Return how many trials are WAITING and RUNNING; quick, however many have ended."""
        with self._read():
            return self._tally.n_open(study_id)

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
            return queries.load_curves(self._session, study_id, *split_key(metric))

    def reported(self, study_id: int, number: int) -> dict[str, dict[int, float]]:
        """Return what a trial reported: metric (full key) to step to value."""
        with self._read():
            return queries.load_reported(self._session, study_id, number)

    def mark(self, study_id: int) -> tuple[int, int, int]:
        """Return what changes whenever trials are added, end, or are corrected; quick."""
        with self._read():
            counts = self._life.n_trials(study_id), self._life.n_finished(study_id)
            return *counts, self._tally.last_event(study_id)

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
        with self._read():
            self._objectives(study_id)
            return read_frame(self._session, study_id)

    def sql(self, text: str, parameters: Mapping[str, Any] | None = None) -> pandas.DataFrame:
        """Return the answer to one statement that reads, such as ``select * from best``.

        Args:
            text: one SELECT, WITH or VALUES; nothing else is let through.
            parameters: values of ``:name`` in it.

        Raises:
            StoreError: it does more than read, has a mistake, takes too long or answers too much.
        """
        import pandas

        from archloom.store.readonly import select

        answer = select(self.url, text, parameters)
        return pandas.DataFrame(answer.rows, columns=list(answer.columns))

    # Predictions, notes and views

    def add_predictions(
        self, study_id: int, predictor: str, metric: str, made: Mapping[int, tuple[float, float | None]]
    ) -> None:
        """Keep what a predictor says of a metric (full key) of trials: number to mean and deviation.

        Raises:
            StoreError: no such trial, or a number that is not finite.
        """
        with self._write():
            self._objectives(study_id)
            add_predictions(self._session, study_id, predictor, metric, made)

    def predictions(self, study_id: int) -> list[Prediction]:
        """Return what predictors said of trials, beside what was measured."""
        with self._read():
            self._objectives(study_id)
            return load_predictions(self._session, study_id)

    def add_event(self, study_id: int, kind: str, detail: str = "", number: int | None = None) -> None:
        """Note that something happened, to the study or to one trial."""
        with self._write():
            self._life.lock(study_id)
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
        self._tally.forget()
        self.workers.forget()

    def _read(self) -> AbstractContextManager[None]:
        return self._session.transaction("read", forgives=StoreError)

    def _ask(self) -> AbstractContextManager[None]:
        return self._session.transaction("read", forgives=ArchloomError)

    def _write(self) -> AbstractContextManager[None]:
        return self._session.transaction(forgives=StoreError)

    def _objectives(self, study_id: int) -> tuple[Objective, ...]:
        goals = self._goals.get(study_id)
        if goals is None:
            found = self._session.run(sql.OBJECTIVES, study_id=study_id)
            goals = tuple(Objective(join_key(split, name), direction) for split, name, direction in found)
            if not goals:
                how = (
                    f"; the id of a study is store.study({study_id!r}).id"
                    if isinstance(study_id, str)
                    else ""
                )
                raise StoreError(f"{self._session.label} has no study with the id {study_id!r}{how}")
            self._goals[study_id] = goals
        return goals

    def _ids(self, study_id: int, *conditions: Any) -> Select[Any]:
        return select(trials.c.id).where(trials.c.study_id == study_id, *conditions)

    def _load(self, study_id: int, *conditions: Any) -> list[TrialRecord]:
        goals = self._objectives(study_id)
        return queries.load_trials(self._session, goals, self._ids(study_id, *conditions))

    def _update_study(self, study_id: int, **changes: Any) -> None:
        with self._write():
            self._objectives(study_id)
            self._session.connection.execute(update(studies).where(studies.c.id == study_id).values(changes))

    def _words_for_missing(self, study_id: int, number: int) -> str:
        n_trials = self._life.n_trials(study_id)
        have = f"it has trials 0 to {n_trials - 1}" if n_trials else "it has none"
        name = self._session.connection.scalar(select(studies.c.name).where(studies.c.id == study_id))
        return f"the study {name!r} has no trial {number}; {have}"
