# SPDX-License-Identifier: Apache-2.0
"""THE loop: a strategy proposes, evaluators score, the store remembers, the strategy learns.

Nothing else in archloom loops over trials. A trial is proposed (a WAITING row), claimed (RUNNING),
evaluated and finished (COMPLETE, PRUNED or FAIL); each step is one short transaction, and what has
finished is durable. The state of a study is its seed and its recorded history: resuming replays the
history into the strategy and goes on with the very proposal that would have come next.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, nullcontext, suppress
from functools import partial
from pathlib import Path
from typing import Any, Literal, final

from archloom.books import ENQUEUED, Books, words_for_no_best
from archloom.callbacks import Callback, call, run_reporter
from archloom.contracts import Evaluator, Executor, Metrics, Objective, Pruner, State, Strategy
from archloom.duplicates import Duplicates, Repeats
from archloom.errors import ArchloomError, StoreError, StoreUnavailableError, StudyBusyError
from archloom.evaluation import Evaluation, told
from archloom.gradient_search import GradientSearch, attached, joined
from archloom.ledger import Budget, Ledger
from archloom.objectives import Directions, parse_constraint, parse_objectives
from archloom.opening import Changes, Opening, note_conditions
from archloom.relaxation import GradientStrategy
from archloom.reports import Reports
from archloom.retraining import Retraining
from archloom.revising import Terms, judged
from archloom.search_spaces import Architecture, SearchSpace
from archloom.sharing import Sharing
from archloom.store import Outcome, Store, StudyRecord, TrialRecord
from archloom.supply import QUICK, Supply
from archloom.terms import (
    artifacts_beside,
    check_device,
    check_fit,
    check_kinds,
    check_lease,
    check_least,
    evaluators_of,
    executor_of,
    gives_of,
    parts_of,
)
from archloom.training_runs import TrainingRuns
from archloom.underway import Batch, Run, job

__all__ = ["Callback", "Changes", "Duplicates", "Study"]

PATIENCE = 600.0
"""Seconds for which a run waits for a database that does not answer, is locked or full."""


@final
class Study:
    """A search: a space, a strategy, one or several evaluators, objectives, and the store of its trials.

    Args:
        space: what to search.
        strategy: who to try next.
        evaluator: how good it is; several are run cheap ones first, and a trial that breaks a
            constraint on what is known so far goes no further. A plain callable is wrapped. ``None``
            for a study that is driven by ``ask`` and ``tell`` alone.
        objectives: metric to direction, ``{"accuracy": "maximize"}``.
        name: unique in the store.
        store: a ``Store``, a URL, a file, or ``None`` for one in memory.
        constraints: such as ``"params <= 200000"``.
        duplicates: what a proposal gets that was evaluated before: ``reuse`` its result, ``skip`` it,
            ``reseed`` (evaluate again), or ``average`` (again, and tell the strategy the mean).
        seed: the root of all randomness.
        pruner: which running trials to stop by the first objective's curve.
        device: where evaluators compute, in torch's words.
        artifacts: folder for weights and the like. ``None`` puts it beside a store in a file
            (``<database>-artifacts/<study>``) and keeps none for one in memory; ``False`` keeps none.
        config: the study file it came from, kept with the study.
        resume: go on with a study of this name if there is one.
        changes: what happens to one that was begun under other terms: ``refuse`` it, or ``record`` what has
            changed and go on (``archloom.revising`` says what becomes of its trials). Seed and objectives
            never change; the budget always may.
        n_stall: end after so many proposals in a row that brought nothing new.
        max_failures: end after so many failed trials in a row.
        lease: seconds without a sign of life after which a worker counts as gone, and its trials are retried.
        retries: how often a trial is retried whose worker was gone, before it is failed.

    Raises:
        ConfigError: parts that do not fit together, before the first trial.
        StudyExistsError: a study of this name exists and ``resume`` is false.

    Example:
        >>> import pyglove as pg
        >>> from archloom.search_spaces import SearchSpace
        >>> from archloom.strategies import RandomSearch
        >>> space = SearchSpace(pg.Dict(x=pg.oneof([1, 2, 3]), y=pg.oneof([10, 20])))
        >>> study = Study(space, RandomSearch(), lambda a: a.value.x * a.value.y, {"area": "maximize"})
        >>> study.run(trials=6).best.text
        'x=3, y=20'
    """

    def __init__(
        self,
        space: SearchSpace,
        strategy: Strategy | GradientStrategy,
        evaluator: Evaluator | Callable[..., Any] | Sequence[Evaluator] | None,
        objectives: Directions | Sequence[Objective],
        *,
        name: str = "study",
        store: Store | str | Path | None = None,
        constraints: Sequence[str] = (),
        duplicates: Duplicates = "reuse",
        seed: int = 0,
        pruner: Pruner | None = None,
        device: str = "cpu",
        artifacts: str | Path | Literal[False] | None = None,
        config: Mapping[str, Any] | None = None,
        resume: bool = False,
        changes: Changes = "refuse",
        n_stall: int = 500,
        max_failures: int = 10,
        lease: float = 60.0,
        retries: int = 2,
    ):
        check_kinds(
            space=(space, SearchSpace, "compile the template with SearchSpace(template)"),
            strategy=(strategy, Strategy | GradientStrategy, "make one, such as RandomSearch()"),
            constraints=(constraints, list | tuple, 'list them, ["params <= 200000"]'),
            pruner=(pruner, Pruner | None, "make one, such as MedianPruner()"),
        )
        check_device(device)
        check_lease(lease, retries)
        check_least(seed=(seed, 0), n_stall=(n_stall, 1), max_failures=(max_failures, 1))
        self.space, self.name, self.seed = space, name, seed
        self.evaluators = evaluators_of(evaluator, objectives)
        self.strategy = strategy = joined(strategy, self.evaluators)
        gives = gives_of(self.evaluators)
        self.objectives = parse_objectives(objectives, gives)
        self.constraints = tuple(parse_constraint(text, gives) for text in constraints)
        check_fit(strategy, space, self.objectives)
        self._repeats = Repeats(duplicates, lambda key: self.store.finished_with_key(self.id, key))
        self._pruner, self._device = pruner, device
        self._evaluation = Evaluation(space, self.evaluators, self.objectives, self.constraints)
        self._n_stall, self._max_failures = n_stall, max_failures
        self._handed: set[int] = set()
        self.store = store if isinstance(store, Store) else Store(store if store is not None else "sqlite://")
        beside = artifacts_beside(self.store.url, name) if artifacts is None else artifacts
        self._artifacts = Path(beside).absolute() if beside else None
        self.stop_reason, self._forgives = "", 0
        self._wide_columns: set[str] = set()
        self._open_books: Books | None = None
        record = StudyRecord(
            name=name,
            seed=seed,
            objectives=self.objectives,
            constraints=tuple(str(constraint) for constraint in self.constraints),
            space=space.to_json(),
            fingerprint=space.fingerprint,
            config=dict(config or {}),
            status="stopped",
            reason="it has not been run yet",
        )
        terms = Terms(
            *(record, space, self.constraints),
            parts=parts_of(strategy, self.evaluators, pruner, duplicates),
            is_by_genotype=any(part.keyed_by == "genotype" for part in self.evaluators),
        )
        opening = Opening(self.store, terms, resume=resume, changes=changes, lease=lease, retries=retries)
        for part in self.evaluators:
            part.prepare(space)
        self.id = opening.open()
        self._config = record.config
        note_conditions(self.store, self.id, self.evaluators)
        self._reports = Reports(self.store, self.id, self.objectives[0], pruner, self._finished_curves)
        self._sharing = Sharing(self.store, self.id, name, lease, retries)
        runs = TrainingRuns(*(self.store, self.id, self._sharing), seed, device, self._artifacts)
        self.retraining = Retraining(attached(strategy, runs), self.evaluators, self.objectives, self.rebuild)
        self._supply = Supply(self.store, self.id, self._sharing, self._evaluation, self._repeats, strategy)
        self._supply.on_books, self._supply.on_reclaimed = self._renewed_books, self._reports.renew

    # ------------------------------------------------------------------ the loop

    def run(
        self,
        trials: int | None = None,
        *,
        minutes: float | None = None,
        count: Literal["evaluations", "proposals"] = "evaluations",
        batch_size: int = 1,
        callbacks: Sequence[Callback] = (),
        executor: Executor | None = None,
    ) -> Study:
        """Search until the budget is spent, the space is used up, or too much fails.

        This process proposes; others may join it with ``work``.

        Args:
            trials: see ``Budget``.
            minutes: see ``Budget``.
            count: see ``Budget``.
            batch_size: how many proposals the strategy makes at a time.
            callbacks: called with this study and a trial's record when it starts and when it ends.
            executor: where trials are evaluated; in this process, where none is given.

        Raises:
            StudyBusyError: another process is running the study.
            KeyboardInterrupt: after Ctrl-C; the running trials wait to be run again on resume.
        """
        check_least(batch_size=(batch_size, 1))
        executor = executor_of(executor, self.evaluators, self._device)
        run = Run(Budget(trials, minutes, count), executor, batch_size, callbacks)
        with self._at_work(run):
            self._lead()
            self._forgives = self._books.n_seen
            self._sharing.begin(self._forgives)
            self._books.ledger.n_failures = 0
            if self._config:  # with another budget, perhaps
                self.store.set_config(self.id, self._config)
            ledger = self._books.ledger
            if not run.budget.why_spent(ledger.n_evaluations, ledger.n_proposals):  # else it changes nothing
                self.store.set_budget(self.id, trials, count)
            self.store.set_status(self.id, "running")
            self._search(run)
            self._close(run)
        return self

    def work(
        self,
        *,
        minutes: float | None = None,
        callbacks: Sequence[Callback] = (),
        executor: Executor | None = None,
    ) -> Study:
        """Evaluate what another process proposes, until the study is done or stopped.

        Where the one that proposes is gone without a word, this process takes its place.

        Args:
            minutes: how long, should it come to that.
            callbacks: as in ``run``, for the trials of this process.
            executor: as in ``run``.
        """
        budget = Budget.of(self.store.standing(self.id), minutes)
        run = Run(budget, executor_of(executor, self.evaluators, self._device, joins=True), 1, callbacks)
        with self._at_work(run):
            self._search(run)
            self._close(run)
        return self

    def ask(self) -> tuple[int, Architecture]:
        """Claim the next trial for an evaluation of your own; give its result to ``tell``.

        The duplicates policy is yours here: a repeat is handed out like any other.

        Raises:
            ArchloomError: the strategy has nothing more to propose.
            StudyBusyError: another process is running the study.
        """
        with self._kept():
            self._sharing.enter()
            self._sharing.watch()
            claimed = self._supply.claim_or_ask()
            if claimed is None:
                self._sharing.lead()  # waits, or says who leads
                claimed = self._supply.claim_or_ask() or []
            self._handed |= {record.number for record in claimed}
        if not claimed:
            raise ArchloomError(f"study {self.name!r}: the strategy has nothing more to propose")
        return claimed[0].number, self.rebuild(claimed[0])

    def tell(self, number: int, result: Metrics | float | None = None, *, reason: str = "") -> TrialRecord:
        """Finish a trial with its metrics, or with ``None`` and a reason as a failure.

        A bare number is the value of the only objective. The trial is durable on return.

        Raises:
            ArchloomError: a metric that is not a number; the trial may be told again.
            StoreError: no such trial, or it has ended already.
        """
        outcome = told(result, reason, self.objectives, self.constraints)
        with self._kept():
            with judged(self.store, self._sharing, self.name, {number: outcome}) as ended:
                (finished,) = self.store.finish_many(self.id, ended)
            if self._open_books is not None:
                self._open_books.enter([finished])
                self._open_books.sign()
        self._handed.discard(number)
        return finished

    def enqueue(self, architecture: Architecture | Mapping[str, str | float]) -> int:
        """Have an architecture evaluated before the strategy is asked again; return its trial's number.

        Args:
            architecture: a point of this study's space, or its choices (decision name to candidate label).

        Raises:
            SpaceError: it is no point of the space; the message names the decision and the nearest label.
        """
        choices = architecture.choices if isinstance(architecture, Architecture) else architecture
        point = self.space.from_choices(choices)
        with self._kept():
            self._sharing.check_terms()
            (number,) = self.store.propose(self.id, ENQUEUED, [self._supply.proposal(point)])
        self._supply.n_waiting += 1
        return number

    # ------------------------------------------------------------------ results

    @property
    def n_proposals(self) -> int:
        """Finished trials, repeats included."""
        books = self._open_books
        return self.store.n_evaluated(self.id, is_all=True) if books is None else books.ledger.n_proposals

    @property
    def n_evaluations(self) -> int:
        """Finished trials that were really evaluated."""
        books = self._open_books
        return self.store.n_evaluated(self.id) if books is None else books.ledger.n_evaluations

    @property
    def best(self) -> TrialRecord:
        """The best feasible trial by the first objective.

        Raises:
            ArchloomError: no trial is complete and feasible yet.
        """
        for found in self.store.best(self.id):
            return found
        raise ArchloomError(words_for_no_best(self.store, self.id, self.name))

    @property
    def pareto(self) -> list[TrialRecord]:
        """The feasible trials that no other dominates."""
        return self.store.pareto(self.id)

    @property
    def trials(self) -> list[TrialRecord]:
        """All trials, by number."""
        return self.store.trials(self.id)

    def frame(self) -> Any:
        """Return one row a trial, with its decisions and metrics, as a ``pandas.DataFrame``."""
        return self.store.frame(self.id)

    def rebuild(self, record: TrialRecord) -> Architecture:
        """Return the architecture of a trial."""
        books = self._open_books
        return books.rebuild(record) if books else self.space.from_choices(record.choices)

    # ------------------------------------------------------------------ the run as a whole

    @property
    def _books(self) -> Books:
        if self._open_books is None:
            ledger = Ledger(self.space.size, self._n_stall, self._max_failures, self._forgives)
            self._open_books = self._supply.books = Books(
                *(self.store, self.id, self.space, self.strategy, self.objectives, self.seed),
                *(self._repeats, ledger),
                keeps_curves=self._pruner is not None,
            )
        return self._open_books

    def _finished_curves(self) -> Collection[Mapping[int, float]]:
        """Return the curves of complete trials, as costs; one who proposes enters them as they end."""
        if not self._sharing.leads:
            self._books.catch_up()
        return self._books.curves.values()

    def _close_books(self) -> None:
        self._open_books = self._supply.books = None

    def _lead(self) -> None:
        """Become the one that proposes, and know what has happened until now."""
        self._sharing.lead()
        self._renewed_books()
        self._supply.n_waiting = self.store.n_open(self.id)[State.WAITING]

    def _renewed_books(self) -> Books:
        """Open the books, anew where something has happened that is not in them."""
        if self._open_books is not None and not self._open_books.is_current():
            self._close_books()
        return self._books

    @contextmanager
    def _kept(self) -> Iterator[None]:
        """Keep the books in step with the store: what breaks off in between makes them start anew."""
        try:
            yield
        except BaseException:
            self._close_books()
            self.store.abandon()
            raise

    @contextmanager
    def _at_work(self, run: Run) -> Iterator[None]:
        """Be among the workers; whatever happens, leave no trial that nobody works for."""
        try:
            with self._kept():
                self._sharing.enter(run.executor.n_slots)
                self.store.rescue.let_go(self.id, keep=self._handed, reason="its run broke off")
                with closing(run.executor):  # before anyone else may begin with what it was at
                    yield
        except BaseException as error:
            with self._kept(), suppress(StoreError):  # what broke it off is the news
                self._give_back(run, f"{type(error).__name__} ended the run")
                if self._sharing.leads:
                    self.store.set_status(self.id, "stopped", type(error).__name__)
                    self._refresh_wide()
            raise
        finally:
            with self._kept(), suppress(StoreError):
                if self._open_books is not None:
                    self._open_books.sign()
                if self._handed:
                    self._sharing.follow()
                else:
                    self._sharing.leave()

    def _give_back(self, run: Run, reason: str) -> None:
        """Have what was claimed here and has not ended wait again."""
        self._reports.forget()
        self._supply.held_back, run.ready = [], []
        self.store.rescue.let_go(self.id, keep=self._handed, reason=reason)

    def _close(self, run: Run) -> None:
        """Say that the study is done, and why; where another process proposes, it has said so."""
        self._give_back(run, "it had not begun when the run ended")
        if not self._sharing.leads:
            self.stop_reason = self.store.standing(self.id).reason
            return
        self.retraining.check()
        self.stop_reason = self._why_over(run) or self.strategy.why_over
        self.store.set_status(self.id, "done", self.stop_reason)
        self._refresh_wide()

    def _why_over(self, run: Run) -> str:
        """Say why there is nothing more to propose, or return an empty string."""
        self._books.catch_up()
        why = self._books.ledger.why_stop(run.budget, 0, wants_news=self._repeats.wants_news)
        return why or (self.strategy.why_over if self._supply.is_exhausted else "")

    def _refresh_wide(self) -> None:
        """Make the wide view anew where it lacks a column: to look through all trials for them takes time."""
        columns = self._open_books.columns if self._open_books else set()
        if columns - self._wide_columns:
            self.store.refresh_wide(self.id)
            self._wide_columns = set(columns)

    # ------------------------------------------------------------------ the loop

    def _search(self, run: Run) -> None:
        """Fill the executor, take what has ended, learn, and again, until there is no more to do."""
        self._sharing.check_terms()
        self.retraining.runs.on_report = run_reporter(run.callbacks, self)
        if not isinstance(self.strategy, GradientSearch):
            self.retraining.train_shared()
        run.executor.start(self._evaluation, self._reports)
        waited = 0.0
        while True:
            try:
                if not self._step(run):
                    return
                waited = 0.0
            except StoreUnavailableError:
                if waited > PATIENCE:
                    raise
                waited = self._wait_for_store(run, waited)

    def _step(self, run: Run) -> bool:
        """Do one round; return whether there may be more."""
        gone, failed = self._sharing.watch()
        self._supply.has_reopened |= bool(gone)
        self._hear(run, failed)
        self._mourn(run)
        while run.executor.n_free and not run.ended:
            batch, run.ready = run.ready or self._supply.next(run, self._handed), []
            if not batch:
                break
            call(run.callbacks, self, batch)
            self._submit(run, batch)
        if not run.ended and run.running:
            has_room = run.executor.n_free > 0
            done = run.executor.next_finished(QUICK if has_room else 1.0)
            if done is None:
                return True
            run.end(done)
            self._mourn(run)
        if run.ended:
            self._turn(run)
            return True
        return self._is_waiting(run)

    def _is_waiting(self, run: Run) -> bool:
        """Nothing runs here: return whether others may yet bring something to do, having waited a little."""
        if self._sharing.leads_alone and run.is_alone:
            return False
        if self._sharing.leads:
            # Others may have claimed and ended everything between our last two looks: then there is more.
            why = self._why_over(run)
            goes_on = not why or self._sharing.n_elsewhere(len(self._handed)) > 0
            if goes_on and why:  # the others are to begin no more
                self.store.set_status(self.id, "done", why)
        else:
            goes_on = self.store.standing(self.id).status == "running"
            # Before the first proposal there is no place to take: the budget is still to be set.
            if goes_on and self._sharing.try_to_lead():
                run.budget = run.budget.renewed(self.store.standing(self.id))
                self._forgives = self._sharing.n_at_begin()
                self._lead()
        if goes_on:
            time.sleep(QUICK)
        return goes_on

    def _wait_for_store(self, run: Run, waited: float) -> float:
        """Wait for a database that does not answer, see what it has kept, and return the seconds so far."""
        self.store.abandon()
        self._close_books()
        run.ready, self._supply.held_back = [], []
        while True:
            began = time.monotonic()
            time.sleep(min(5.0, max(0.1, waited / 2)))
            try:
                # What was claimed in the transaction that broke off may be ours, and nobody works for it.
                keep = self._handed | run.numbers
                self.store.rescue.let_go(self.id, keep=keep, reason="the database did not answer")
                if self._sharing.leads:
                    with suppress(StudyBusyError):  # another has taken this place meanwhile
                        self._lead()
                return waited + time.monotonic() - began
            except StoreUnavailableError:
                waited += time.monotonic() - began  # a database that is locked takes its time to say so
                if waited > PATIENCE:
                    raise

    # ------------------------------------------------------------------ steps of a trial

    def _mourn(self, run: Run) -> None:
        """Have trials wait again whose process is gone; the store may have to be told twice."""
        while run.lost:
            done = run.lost[0]
            failed = self.store.rescue.lose(self.id, done.numbers, done.lost, self._sharing.retries)
            run.lost.popleft()
            self._supply.has_reopened = True
            self._reports.forget(done.numbers)
            self._hear(run, failed)

    def _hear(self, run: Run, failed: Sequence[TrialRecord]) -> None:
        """Enter trials that were failed because their workers were gone too often."""
        if failed and self._sharing.leads:
            self._books.enter(failed)
        call(run.callbacks, self, failed)

    def _submit(self, run: Run, records: list[TrialRecord]) -> None:
        """Have a batch evaluated, but for what has been evaluated before."""
        tried = self._books.ledger.tried if run.is_alone else None  # else only the store knows of all
        known = {record.number: self._repeats.outcome(record, tried) for record in records}
        batch = Batch(records, {number: outcome for number, outcome in known.items() if outcome is not None})
        fresh = [record for record in records if record.number not in batch.served]
        jobs = [job(record, self._artifacts, partial(self.rebuild, record)) for record in fresh]
        if jobs:
            run.running[tuple(each.number for each in jobs)] = batch
            run.executor.submit(jobs)
        else:
            run.ended.append((batch, batch.served, 0.0))

    def _turn(self, run: Run) -> None:
        """Close a batch durably, let the strategy learn, and claim what follows where that is quick.

        What follows then shares the commit. A trial that was dear to evaluate never waits for that, nor for a
        strategy that thinks; and a strategy that fails does not undo what has finished.
        """
        batch, outcomes, seconds = run.ended.popleft()
        trouble: BaseException | None = None
        is_quick = seconds < QUICK and self._supply.ask_seconds < QUICK
        try:
            with self.store.transaction() if is_quick else nullcontext():
                finished = self._finish(outcomes)
                try:
                    if self._sharing.leads:
                        self._books.enter(finished)
                    run.ready = self._supply.next(run, self._handed) if is_quick else []
                except BaseException as error:
                    if self.store.is_doomed:
                        raise
                    trouble = error  # raised when the finished trials are safe
        except StoreUnavailableError:
            run.ended.appendleft((batch, outcomes, seconds))
            raise
        self._reports.forget(outcomes)
        if trouble is not None:
            raise trouble
        call(run.callbacks, self, finished)

    def _finish(self, outcomes: Mapping[int, Outcome]) -> list[TrialRecord]:
        """End trials in the store; a result that comes late is kept there as an event."""
        curves = self._reports.of(outcomes)
        with judged(self.store, self._sharing, self.name, outcomes) as ended:
            return self.store.finish_many(self.id, ended, curves=curves, is_late_noted=True)
