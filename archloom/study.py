# SPDX-License-Identifier: Apache-2.0
"""THE loop: a strategy proposes, evaluators score, the store remembers, the strategy learns.

Nothing else in archloom loops over trials. A trial is proposed (a WAITING row), claimed (RUNNING),
evaluated and finished (COMPLETE, PRUNED or FAIL); each step is one short transaction, and what has
finished is durable. The state of a study is its seed and its recorded history: resuming replays the
history into the strategy and goes on with the very proposal that would have come next.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, final

import numpy as np

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
from archloom.errors import ArchloomError, ConfigError, StudyNotFoundError, did_you_mean
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

Duplicates = Literal["reuse", "skip", "reseed", "average"]
Callback = Callable[["Study", TrialRecord], None]


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
        if duplicates not in ("reuse", "skip", "reseed", "average"):
            raise ConfigError(f"duplicates is reuse, skip, reseed or average, got {duplicates!r}")
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
        self._duplicates: Duplicates = duplicates
        self._pruner, self._device = pruner, device
        self._evaluation = Evaluation(self.evaluators, self.objectives, self.constraints)
        self._n_stall, self._max_failures = n_stall, max_failures
        self._handed: set[int] = set()
        self._by_genotype = any(e.keyed_by == "genotype" for e in self.evaluators)
        self.store = store if isinstance(store, Store) else Store(store if store is not None else "sqlite://")
        beside = artifacts_beside(self.store.url, name) if artifacts is None else artifacts
        self._artifacts = Path(beside).absolute() if beside else None
        self.stop_reason = ""
        self._is_stale = False
        record = self._record(config or {})
        earlier = self._earlier(record, resume)
        for part in self.evaluators:
            part.prepare(space)
        self.id = self._open(record, earlier)
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
        running: dict[int, TrialRecord] = {}
        with self._books():
            self._ledger.n_failures = 0
            self.store.set_status(self.id, "running")
            while True:
                while executor.n_free and not self._why_stop(budget, len(running)):
                    record = self._next_trial(batch_size)
                    if record is None:
                        break
                    _call(callbacks, self, record)
                    known = self._known_outcome(record)
                    if known is not None:
                        _call(callbacks, self, self._finish(record, known))
                        continue
                    running[record.number] = record
                    executor.submit(record.number, self._work(record))
                if not running:
                    break
                number, outcome = executor.next_finished()
                _call(callbacks, self, self._finish(running.pop(number), outcome))
            self.stop_reason = self._why_stop(budget) or "the strategy has nothing more to propose"
            self.store.set_status(self.id, "done", self.stop_reason)
            self.store.refresh_wide(self.id)
        return self

    def ask(self) -> tuple[int, Architecture]:
        """Claim the next trial for an evaluation of your own; give its result to ``tell``.

        The duplicates policy is yours here: a repeat is handed out like any other.

        Raises:
            ArchloomError: the strategy has nothing more to propose.
        """
        with self._books():
            record = self._next_trial(1)
            if record is not None:
                self._handed.add(record.number)
        if record is None:
            raise ArchloomError(f"study {self.name!r}: the strategy has nothing more to propose")
        return record.number, self.rebuild(record)

    def tell(self, number: int, result: Metrics | float | None = None, *, reason: str = "") -> TrialRecord:
        """Finish a trial with its metrics, or with ``None`` and a reason as a failure.

        A bare number is the value of the only objective. The trial is durable on return.

        Raises:
            ArchloomError: a metric that is not a number; the trial may be told again.
            StoreError: no such trial, or it has ended already.
        """
        record, outcome = self.store.trial(self.id, number), self._told_outcome(result, reason)
        with self._books():
            finished = self._finish(record, outcome)
        self._handed.discard(number)
        return finished

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

    @contextmanager
    def _books(self) -> Iterator[None]:
        """Keep the books in step with the store: what breaks off in between makes them start anew."""
        if self._is_stale:
            self._start_books()
        try:
            yield
        except BaseException as error:
            self._is_stale = True
            self.store.reopen(self.id, keep=self._handed)
            self.store.set_status(self.id, "stopped", type(error).__name__)
            self.store.refresh_wide(self.id)
            raise

    def _start_books(self) -> None:
        """Replay the history: strategy and counts are then where they were."""
        self._ledger = Ledger(self.space.size, self._n_stall, self._max_failures)
        self._sums: dict[str, tuple[int, Any]] = {}
        self._live: dict[int, Architecture] = {}
        self._running_curves: dict[int, dict[int, float]] = {}
        history = self.trials
        self._n_trials = len(history)
        self._n_asks = 1 + max((record.ask for record in history), default=-1)
        finished = [record for record in history if record.state.is_finished]
        finished.sort(key=lambda record: (record.finished_at or "", record.number))
        for record in finished:
            self._ledger.count(record)
        self._curves = self._complete_curves(finished)
        self.strategy.setup(self.space, self.objectives, self.seed)
        if history:
            told = [record for record in finished if self._is_told(record)]
            self.strategy.recover(self._genotypes(history), self._told(told))
        self._is_stale = False

    def _complete_curves(self, finished: Sequence[TrialRecord]) -> dict[int, dict[int, float]]:
        """Return the first objective's curves of the complete trials, as costs, for the pruner."""
        if self._pruner is None or not finished:
            return {}
        objective = self.objectives[0]
        curves = self.store.curves(self.id, objective.metric)
        complete = [record.number for record in finished if record.state == State.COMPLETE]
        return {n: {s: objective.sign * v for s, v in curves[n].items()} for n in complete if n in curves}

    def _is_told(self, record: TrialRecord) -> bool:
        """Whether the strategy hears of a trial: not of one that was skipped."""
        return self._duplicates != "skip" or record.reused_from is None

    # ------------------------------------------------------------------ steps of a trial

    def _next_trial(self, batch_size: int) -> TrialRecord | None:
        """Claim a waiting trial, asking the strategy for more when none waits."""
        record = self.store.claim(self.id)
        if record is not None:
            return record
        genotypes = self.strategy.ask(batch_size)
        if not len(genotypes):
            return None
        if not self.space.is_legal(genotypes).all():
            name = type(self.strategy).__name__
            raise ArchloomError(f"strategy {name} proposed what is not a point of the space")
        architectures = [self.space.architecture(genotypes[i]) for i in range(len(genotypes))]
        proposals = [self._proposal(a, self._n_trials + i) for i, a in enumerate(architectures)]
        with self.store.transaction():
            numbers = self.store.propose(self.id, self._n_asks, proposals)
            record = self.store.claim(self.id)
        self._live |= zip(numbers, architectures, strict=True)
        self._n_asks += 1
        self._n_trials += len(numbers)
        return record

    def _proposal(self, architecture: Architecture, number: int) -> Proposal:
        key = self.space.key(architecture.choices, is_canonical=not self._by_genotype)
        seed = int(np.random.SeedSequence((self.seed, number)).generate_state(1)[0])
        return Proposal(key=key, text=architecture.text, choices=architecture.choices, seed=seed)

    def _known_outcome(self, record: TrialRecord) -> Outcome | None:
        """Return what the duplicates policy makes of a repeat, ``None`` if it is to be evaluated."""
        if self._duplicates in ("reseed", "average") or record.key not in self._ledger.tried:
            return None
        first = _to_serve(self.store.finished_with_key(self.id, record.key))
        if first is None:
            return None
        if self._duplicates == "skip":
            reason = f"duplicate of trial {first.number} (duplicates: skip)"
            return Outcome(State.PRUNED, {}, reason=reason, reused_from=first.number)
        return Outcome(first.state, first.metrics, first.violation, first.reason, reused_from=first.number)

    def _work(self, record: TrialRecord) -> Callable[[], Outcome]:
        return lambda: self._evaluation(lambda: self.rebuild(record), self._trial(record))

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

    def _finish(self, record: TrialRecord, outcome: Outcome) -> TrialRecord:
        """Close a trial durably, then let the strategy learn from it."""
        finished = self.store.finish(self.id, record.number, outcome)
        self._ledger.count(finished)
        curve = self._running_curves.pop(record.number, None)
        if curve is not None and finished.state == State.COMPLETE:
            self._curves[record.number] = curve
        if self._is_told(finished):
            self.strategy.tell(self._told([finished]))
        self._live.pop(record.number, None)
        return finished

    def _why_stop(self, budget: Budget, n_running: int = 0) -> str:
        wants_news = self._duplicates in ("reuse", "skip")
        return self._ledger.why_stop(budget, n_running, wants_news=wants_news)

    def _genotypes(self, records: Sequence[TrialRecord]) -> Genotypes:
        rows = [self.rebuild(record).genotype for record in records]
        return Genotypes.concatenate(rows) if rows else self.space.sample(0, np.random.default_rng(0))

    def _told(self, records: Sequence[TrialRecord]) -> Finished:
        """Turn finished records, in order, into what a strategy is told."""
        rows = [[np.nan if v is None else v for v in record.values] for record in records]
        values = np.array(rows, dtype=float).reshape(len(records), len(self.objectives))
        if self._duplicates == "average":
            for i, record in enumerate(records):
                if record.state == State.COMPLETE:
                    n, total = self._sums.get(record.key, (0, 0.0))
                    self._sums[record.key] = (n + 1, total + values[i])
                    values[i] = (total + values[i]) / (n + 1)
        return Finished(
            numbers=np.array([record.number for record in records], dtype=np.int64),
            genotypes=self._genotypes(records),
            states=tuple(record.state for record in records),
            values=values,
            violations=np.array([record.violation for record in records], dtype=float),
            fidelity=tuple(record.fidelity for record in records),
        )


def _to_serve(earlier: Sequence[TrialRecord]) -> TrialRecord | None:
    """Choose the result that a repeat is served: what was measured, or what failed twice."""
    for state in (State.COMPLETE, State.PRUNED):
        for record in earlier:
            if record.state == state:
                return record
    return earlier[0] if len(earlier) > 1 else None


def _call(callbacks: Sequence[Callback], study: Study, record: TrialRecord) -> None:
    for callback in callbacks:
        callback(study, record)
