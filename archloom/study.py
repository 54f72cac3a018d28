# SPDX-License-Identifier: Apache-2.0
"""THE loop: a strategy proposes, evaluators score, the store remembers, the strategy learns.

Nothing else in archloom loops over trials. A trial is proposed (a WAITING row), claimed (RUNNING),
evaluated and finished (COMPLETE, PRUNED or FAIL); each step is one short transaction, and what has
finished is durable. The state of a study is its seed and its recorded history: resuming replays the
history into the strategy and goes on with the very proposal that would have come next.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext, suppress
from functools import partial
from pathlib import Path
from typing import Any, Literal, final

import numpy as np

from archloom.callbacks import Callback, call
from archloom.contracts import (
    Evaluator,
    Executor,
    Finished,
    Genotypes,
    Metrics,
    Objective,
    Pruner,
    State,
    Strategy,
    Trial,
)
from archloom.duplicates import Duplicates, Repeats
from archloom.errors import ArchloomError, ConfigError, StoreError, StudyNotFoundError, did_you_mean
from archloom.evaluation import Evaluation, judge
from archloom.executors import InlineExecutor
from archloom.ledger import Budget, Ledger
from archloom.objectives import Directions, checked_metrics, parse_constraint, parse_objectives
from archloom.search_spaces import Architecture, SearchSpace
from archloom.store import Outcome, Proposal, Store, StudyRecord, TrialRecord
from archloom.terms import (
    artifacts_beside,
    check_device,
    check_fit,
    check_kinds,
    check_least,
    check_same,
    evaluators_of,
    gives_of,
)

__all__ = ["Callback", "Duplicates", "Study"]

ENQUEUED = -1
"""The number of the ask of a trial that no strategy proposed."""
QUICK = 0.05
"""Seconds below which a trial's evaluation, or an ask, may share a commit with its neighbour."""


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
        n_stall: end after so many proposals in a row that brought nothing new.
        max_failures: end after so many failed trials in a row.

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
        strategy: Strategy,
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
        n_stall: int = 500,
        max_failures: int = 10,
    ):
        check_kinds(
            space=(space, SearchSpace, "compile the template with SearchSpace(template)"),
            strategy=(strategy, Strategy, "make one, such as RandomSearch()"),
            constraints=(constraints, list | tuple, 'list them, ["params <= 200000"]'),
            pruner=(pruner, Pruner | None, "make one, such as MedianPruner()"),
        )
        check_device(device)
        check_least(seed=(seed, 0), n_stall=(n_stall, 1), max_failures=(max_failures, 1))
        self.space, self.strategy, self.name, self.seed = space, strategy, name, seed
        self.evaluators = evaluators_of(evaluator, objectives)
        gives = gives_of(self.evaluators)
        self.objectives = parse_objectives(objectives, gives)
        self.constraints = tuple(parse_constraint(text, gives) for text in constraints)
        check_fit(strategy, space, self.objectives)
        self._repeats = Repeats(duplicates, lambda key: self.store.finished_with_key(self.id, key))
        self._pruner, self._device = pruner, device
        self._evaluation = Evaluation(self.evaluators, self.objectives, self.constraints)
        self._n_stall, self._max_failures = n_stall, max_failures
        self._handed: set[int] = set()
        self._by_genotype = any(e.keyed_by == "genotype" for e in self.evaluators)
        self.store = store if isinstance(store, Store) else Store(store if store is not None else "sqlite://")
        beside = artifacts_beside(self.store.url, name) if artifacts is None else artifacts
        self._artifacts = Path(beside).absolute() if beside else None
        self.stop_reason = ""
        self._columns: set[str] = set()
        self._wide_columns: set[str] = set()
        self._is_stale = False
        record = self._record(config or {})
        earlier = self._earlier(record, resume)
        for part in self.evaluators:
            part.prepare(space)
        self.id = self._open(record, earlier)
        self._note_conditions()
        self._start_books()

    # ------------------------------------------------------------------ the loop

    def run(
        self,
        trials: int | None = None,
        *,
        minutes: float | None = None,
        count: Literal["evaluations", "proposals"] = "evaluations",
        batch_size: int = 1,
        callbacks: Sequence[Callback] = (),
    ) -> Study:
        """Search until the budget is spent, the space is used up, or too much fails.

        Args:
            trials: see ``Budget``.
            minutes: see ``Budget``.
            count: see ``Budget``.
            batch_size: how many proposals the strategy makes at a time.
            callbacks: called with this study and a trial's record when it starts and when it ends.

        Raises:
            KeyboardInterrupt: after Ctrl-C; the running trial waits to be run again on resume.
        """
        if not self.evaluators:
            raise ConfigError("this study has no evaluator: drive it with ask() and tell()")
        check_least(batch_size=(batch_size, 1))
        budget = Budget(trials, minutes, count)
        executor: Executor = InlineExecutor()
        running: dict[int, list[TrialRecord]] = {}
        ready: list[TrialRecord] = []
        with self._books():
            self._ledger.n_failures = 0
            self.store.set_status(self.id, "running")
            while True:
                while executor.n_free:
                    batch = ready or self._next_batch(budget, sum(map(len, running.values())), batch_size)
                    ready = []
                    if not batch:
                        break
                    call(callbacks, self, batch)
                    running[batch[0].number] = batch
                    executor.submit(batch[0].number, self._work(batch))
                if not running:
                    break
                number, (outcomes, seconds) = executor.next_finished()
                batch = running.pop(number)
                n_running = sum(map(len, running.values()))
                following = partial(self._next_batch, budget, n_running, batch_size)
                finished, ready = self._turn(batch, outcomes, following if seconds < QUICK else None)
                call(callbacks, self, finished)
            self._let_go()
            self.stop_reason = self._why_stop(budget) or "the strategy has nothing more to propose"
            self.store.set_status(self.id, "done", self.stop_reason)
            self._refresh_wide()
        return self

    def ask(self) -> tuple[int, Architecture]:
        """Claim the next trial for an evaluation of your own; give its result to ``tell``.

        The duplicates policy is yours here: a repeat is handed out like any other.

        Raises:
            ArchloomError: the strategy has nothing more to propose.
        """
        with self._books():
            claimed = self._claim_waiting(1) or self._propose(1, 1)
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
        record, outcome = self.store.trial(self.id, number), self._told_outcome(result, reason)
        with self._books():
            finished, _ = self._turn([record], {number: outcome})
        self._handed.discard(number)
        return finished[0]

    def enqueue(self, architecture: Architecture | Mapping[str, str | float]) -> int:
        """Have an architecture evaluated before the strategy is asked again; return its trial's number.

        Args:
            architecture: a point of this study's space, or its choices (decision name to candidate label).

        Raises:
            SpaceError: it is no point of the space; the message names the decision and the nearest label.
        """
        choices = architecture.choices if isinstance(architecture, Architecture) else architecture
        point = self.space.from_choices(choices)
        with self._books():
            (number,) = self.store.propose(self.id, ENQUEUED, [self._proposal(point, self._n_trials)])
            self._n_trials += 1
            self._n_waiting += 1
        return number

    def _told_outcome(self, result: Metrics | float | None, reason: str) -> Outcome:
        if result is None:
            return Outcome(State.FAIL, {}, reason=reason or "told to fail")
        if not isinstance(result, Mapping):
            if len(self.objectives) > 1:
                raise ConfigError(
                    f"there are {len(self.objectives)} objectives: tell a mapping, got {result!r}"
                )
            result = {self.objectives[0].metric: result}
        metrics = checked_metrics(result, "tell")
        for objective in self.objectives:
            if objective.metric not in metrics:
                raise ArchloomError(
                    f"tell: the objective {objective.metric!r} is not there"
                    f"{did_you_mean(objective.metric, metrics)}"
                )
        return judge(metrics, self.objectives, self.constraints)

    # ------------------------------------------------------------------ results

    @property
    def n_proposals(self) -> int:
        """Finished trials, repeats included."""
        return self._ledger.n_proposals

    @property
    def n_evaluations(self) -> int:
        """Finished trials that were really evaluated."""
        return self._ledger.n_evaluations

    @property
    def best(self) -> TrialRecord:
        """The best feasible trial by the first objective.

        Raises:
            ArchloomError: no trial is complete and feasible yet.
        """
        found = self.store.best(self.id)
        if not found:
            raise ArchloomError(f"study {self.name!r} has no complete and feasible trial yet")
        return found[0]

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
        return self._live.get(record.number) or self.space.from_choices(record.choices)

    # ------------------------------------------------------------------ opening

    def _record(self, config: Mapping[str, Any]) -> StudyRecord:
        return StudyRecord(
            name=self.name,
            seed=self.seed,
            objectives=self.objectives,
            constraints=tuple(str(constraint) for constraint in self.constraints),
            space=self.space.to_json(),
            fingerprint=self.space.fingerprint,
            config=dict(config),
        )

    def _earlier(self, record: StudyRecord, resume: bool) -> StudyRecord | None:
        """Return the study to go on with; refuse what cannot be, before anything dear is loaded."""
        try:
            earlier = self.store.study(self.name)
        except StudyNotFoundError:
            return None
        if not resume:
            self.store.create_study(record)  # raises, and says what is there
        check_same(earlier, record)
        return earlier

    def _open(self, record: StudyRecord, earlier: StudyRecord | None) -> int:
        if earlier is None or earlier.id is None:
            return self.store.create_study(record)
        self.store.set_config(earlier.id, record.config)
        self.store.reopen(earlier.id)
        return earlier.id

    def _note_conditions(self) -> None:
        """Note what the numbers depend on beside the architectures, where that is news."""
        conditions = {type(part).__name__: dict(part.conditions()) for part in self.evaluators}
        detail = json.dumps({name: told for name, told in conditions.items() if told}, sort_keys=True)
        earlier = [event.detail for event in self.store.events(self.id, "conditions")]
        if detail != (earlier[-1] if earlier else "{}"):
            self.store.add_event(self.id, "conditions", detail)

    def _refresh_wide(self) -> None:
        """Make the wide view anew where it lacks a column: to look through all trials for them takes time."""
        if self._columns - self._wide_columns:
            self.store.refresh_wide(self.id)
            self._wide_columns = set(self._columns)

    @contextmanager
    def _books(self) -> Iterator[None]:
        """Keep the books in step with the store: what breaks off in between makes them start anew."""
        if self._is_stale:
            self._start_books()
        try:
            yield
        except BaseException as error:
            self._is_stale = True
            self.store.abandon()
            with suppress(StoreError):  # what broke it off is the news
                self.store.reopen(self.id, keep=self._handed)
                self.store.set_status(self.id, "stopped", type(error).__name__)
                self._refresh_wide()
            raise

    def _start_books(self) -> None:
        """Replay the history: strategy and counts are then where they were."""
        self._ledger = Ledger(self.space.size, self._n_stall, self._max_failures)
        self._repeats.forget()
        self._held_back: list[TrialRecord] = []
        self._ask_seconds = QUICK
        self._looked_at = float("-inf")
        self._live: dict[int, Architecture] = {}
        self._running_curves: dict[int, dict[int, float]] = {}
        history = self.trials
        self._n_trials = len(history)
        self._n_asks = 1 + max((record.ask for record in history), default=-1)
        self._n_waiting = sum(record.state == State.WAITING for record in history)
        finished = [record for record in history if record.state.is_finished]
        finished.sort(key=lambda record: (record.finished_at or "", record.number))
        for record in finished:
            self._ledger.count(record)
        self._curves = self._complete_curves(finished)
        self.strategy.setup(self.space, self.objectives, self.seed)
        if history:
            proposed = [record for record in history if record.ask != ENQUEUED]
            told = [record for record in finished if self._repeats.is_told(record)]
            self.strategy.recover(self._genotypes(proposed), self._told(told))
        self._is_stale = False

    def _complete_curves(self, finished: Sequence[TrialRecord]) -> dict[int, dict[int, float]]:
        """Return the first objective's curves of the complete trials, as costs, for the pruner."""
        if self._pruner is None or not finished:
            return {}
        objective = self.objectives[0]
        curves = self.store.curves(self.id, objective.metric)
        complete = [record.number for record in finished if record.state == State.COMPLETE]
        return {n: {s: objective.sign * v for s, v in curves[n].items()} for n in complete if n in curves}

    # ------------------------------------------------------------------ steps of a trial

    def _next_batch(self, budget: Budget, n_running: int, n: int) -> list[TrialRecord]:
        """Claim what is evaluated next: one trial, or up to ``n`` at once where the evaluators can."""
        size = n if self._evaluation.is_vectorised else 1
        n_wanted = self._ledger.n_wanted(budget, n_running, size, wants_news=self._repeats.wants_news)
        if not n_wanted:
            return []
        claimed = self._held_back or self._claim_waiting(n_wanted) or self._propose(n, n_wanted)
        n_now = min(n_wanted, self._repeats.n_together(claimed))
        batch, self._held_back = claimed[:n_now], claimed[n_now:]
        return batch

    def _let_go(self) -> None:
        """Put back what was claimed and has not begun."""
        if self._held_back:
            self.store.reopen(self.id, keep=self._handed, reason="it had not begun when the run ended")
            self._n_waiting += len(self._held_back)
            self._held_back = []

    def _claim_waiting(self, n: int) -> list[TrialRecord]:
        """Claim trials that wait: of an earlier ask, or put there by others (we look now and then)."""
        is_due = time.monotonic() - self._looked_at > QUICK
        if not self._n_waiting and not is_due:
            return []
        claimed = self.store.claim_many(self.id, n)
        self._n_waiting = max(0, self._n_waiting - len(claimed))
        self._looked_at = time.monotonic()
        return claimed

    def _propose(self, n: int, n_claimed: int) -> list[TrialRecord]:
        """Ask the strategy for ``n`` points, write them down, and claim the first of them."""
        started = time.perf_counter()
        genotypes = self.strategy.ask(n)
        if not len(genotypes):
            return []
        if not self.space.is_legal(genotypes).all():
            name = type(self.strategy).__name__
            raise ArchloomError(f"strategy {name} proposed what is not a point of the space")
        architectures = [self.space.architecture(genotypes[i]) for i in range(len(genotypes))]
        proposals = [self._proposal(a, self._n_trials + i) for i, a in enumerate(architectures)]
        self._ask_seconds = time.perf_counter() - started
        records = self.store.start(self.id, self._n_asks, proposals, n_claimed)
        self._live |= zip((record.number for record in records), architectures, strict=True)
        self._n_asks += 1
        self._n_trials += len(records)
        self._n_waiting += max(0, len(records) - n_claimed)
        return records[:n_claimed]

    def _proposal(self, architecture: Architecture, number: int) -> Proposal:
        key = self.space.key(architecture.choices, is_canonical=not self._by_genotype)
        return Proposal(
            key=key, text=architecture.text, choices=architecture.choices, seed=_seed(self.seed, number)
        )

    def _work(self, batch: Sequence[TrialRecord]) -> Callable[[], tuple[dict[int, Outcome], float]]:
        """Return the evaluation of a batch: outcomes by trial number, and the seconds it took."""
        known = {record.number: self._repeats.outcome(record, self._ledger.tried) for record in batch}
        fresh = [record for record in batch if known[record.number] is None]
        points = [partial(self.rebuild, record) for record in fresh]
        trials = [self._trial(record) for record in fresh]

        def work() -> tuple[dict[int, Outcome], float]:
            started = time.perf_counter()
            made = iter(self._evaluation.many(points, trials))
            outcomes = {number: outcome or next(made) for number, outcome in known.items()}
            return outcomes, time.perf_counter() - started

        return work

    def _turn(
        self,
        batch: Sequence[TrialRecord],
        outcomes: Mapping[int, Outcome],
        following: Callable[[], list[TrialRecord]] | None = None,
    ) -> tuple[list[TrialRecord], list[TrialRecord]]:
        """Close trials durably, let the strategy learn, and claim what follows where that is quick.

        What follows then shares the commit. A trial that was dear to evaluate never waits for that, nor for a
        strategy that thinks; and a strategy that fails does not undo what has finished.

        Returns:
            The finished trials, and the next batch (empty where none was claimed).
        """
        ready: list[TrialRecord] = []
        trouble: BaseException | None = None
        is_quick = following is not None and self._ask_seconds < QUICK
        with self.store.transaction() if is_quick else nullcontext():
            finished = self._finish(outcomes)
            try:
                self._learn(finished)
                if following is not None and is_quick:
                    ready = following()
            except BaseException as error:
                if self.store.is_doomed:
                    raise
                trouble = error  # raised when the finished trials are safe
        if trouble is not None:
            raise trouble
        for record in batch:
            self._live.pop(record.number, None)
        return finished, ready

    def _finish(self, outcomes: Mapping[int, Outcome]) -> list[TrialRecord]:
        """End trials in the store, and count them."""
        finished = self.store.finish_many(self.id, outcomes)
        for record in finished:
            self._ledger.count(record)
            self._columns.update(record.choices, record.metrics)
            curve = self._running_curves.pop(record.number, None)
            if curve is not None and record.state == State.COMPLETE:
                self._curves[record.number] = curve
        return finished

    def _learn(self, finished: Sequence[TrialRecord]) -> None:
        """Tell the strategy of finished trials."""
        told = [record for record in finished if self._repeats.is_told(record)]
        if told:
            self.strategy.tell(self._told(told))

    def _trial(self, record: TrialRecord) -> Trial:
        return Trial(
            number=record.number,
            seed=record.seed,
            fidelity=record.fidelity,
            device=self._device,
            folder=self._artifacts / str(record.number) if self._artifacts else None,
            on_report=lambda step, metrics: self._report(record.number, step, metrics),
        )

    def _report(self, number: int, step: int, metrics: Metrics) -> bool:
        """Record a step's metrics; return whether the pruner ends the trial."""
        plain = checked_metrics(metrics, "report")
        self.store.report(self.id, number, step, plain)
        objective = self.objectives[0]
        if self._pruner is None or objective.metric not in plain:
            return False
        curve = self._running_curves.setdefault(number, {})
        curve[step] = objective.sign * plain[objective.metric]
        return self._pruner.stop(curve, self._curves.values())

    def _why_stop(self, budget: Budget) -> str:
        return self._ledger.why_stop(budget, 0, wants_news=self._repeats.wants_news)

    def _genotypes(self, records: Sequence[TrialRecord]) -> Genotypes:
        rows = [self.rebuild(record).genotype for record in records]
        return Genotypes.concatenate(rows) if rows else self.space.sample(0, np.random.default_rng(0))

    def _told(self, records: Sequence[TrialRecord]) -> Finished:
        """Turn finished records, in order, into what a strategy is told."""
        values = np.array([self._repeats.values(record) for record in records], dtype=float)
        return Finished(
            numbers=np.array([record.number for record in records], dtype=np.int64),
            genotypes=self._genotypes(records),
            states=tuple(record.state for record in records),
            values=values.reshape(len(records), len(self.objectives)),
            violations=np.array([record.violation for record in records], dtype=float),
            fidelity=tuple(record.fidelity for record in records),
        )


def _seed(seed: int, number: int) -> int:
    """Return a trial's own seed, 32 bits from the study's and its number."""
    return int.from_bytes(hashlib.blake2b(f"{seed}/{number}".encode(), digest_size=4).digest(), "big")
