# SPDX-License-Identifier: Apache-2.0
"""THE loop: a strategy proposes, evaluators score, the store remembers, the strategy learns.

Nothing else in archloom loops over trials. A trial is proposed (a WAITING row), claimed (RUNNING),
evaluated and finished (COMPLETE, PRUNED or FAIL); each step is one short transaction, and what has
finished is durable. The state of a study is its seed and its recorded history: resuming replays the
history into the strategy and goes on with the very proposal that would have come next.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
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
from archloom.errors import ArchloomError, ConfigError
from archloom.evaluation import Evaluation, judge
from archloom.evaluators.function import Function
from archloom.executors import InlineExecutor
from archloom.ledger import Budget, Ledger
from archloom.objectives import Directions, parse_constraint, parse_objectives
from archloom.search_spaces import Architecture, SearchSpace
from archloom.store import Outcome, Proposal, Store, StudyRecord, TrialRecord

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
        artifacts: folder for weights and the like, ``None`` to keep none.
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
        artifacts: str | Path | None = None,
        config: Mapping[str, Any] | None = None,
        resume: bool = False,
        n_stall: int = 500,
        max_failures: int = 10,
    ):
        if duplicates not in ("reuse", "skip", "reseed", "average"):
            raise ConfigError(f"duplicates is reuse, skip, reseed or average, got {duplicates!r}")
        self.space, self.strategy, self.name, self.seed = space, strategy, name, seed
        self.evaluators = _evaluators(evaluator, objectives)
        gives = _gives(self.evaluators)
        self.objectives = parse_objectives(objectives, gives)
        self.constraints = tuple(parse_constraint(text, gives) for text in constraints)
        self._check_fit()
        self._duplicates: Duplicates = duplicates
        self._pruner, self._device = pruner, device
        self._artifacts = Path(artifacts) if artifacts is not None else None
        self._evaluation = Evaluation(self.evaluators, self.objectives, self.constraints)
        self._ledger = Ledger(space.size, n_stall, max_failures)
        self._n_asks = self._n_trials = 0
        self._sums: dict[str, tuple[int, Any]] = {}
        self._live: dict[int, Architecture] = {}
        self._by_genotype = any(e.keyed_by == "genotype" for e in self.evaluators)
        self.store = store if isinstance(store, Store) else Store(store if store is not None else "sqlite://")
        self.stop_reason = ""
        record = self._record(config or {})
        earlier = self._earlier(record, resume)
        for part in self.evaluators:
            part.prepare(space)
        strategy.setup(space, self.objectives, seed)
        self.id = self._open(record, earlier)

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
        budget = Budget(trials, minutes, count)
        executor: Executor = InlineExecutor()
        running: dict[int, TrialRecord] = {}
        self.store.set_status(self.id, "running")
        try:
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
        except BaseException as error:
            self.store.reopen(self.id)
            self.store.set_status(self.id, "stopped", type(error).__name__)
            raise
        self.stop_reason = self._why_stop(budget) or "the strategy has nothing more to propose"
        self.store.set_status(self.id, "done", self.stop_reason)
        self.store.refresh_wide(self.id)
        return self

    def ask(self) -> tuple[int, Architecture]:
        """Claim the next trial for an evaluation of your own; give its result to ``tell``.

        Raises:
            ArchloomError: the strategy has nothing more to propose.
        """
        record = self._next_trial(1)
        if record is None:
            raise ArchloomError(f"study {self.name!r}: the strategy has nothing more to propose")
        return record.number, self.rebuild(record)

    def tell(self, number: int, result: Metrics | float | None = None, *, reason: str = "") -> TrialRecord:
        """Finish a trial with its metrics, or with ``None`` and a reason as a failure.

        A bare number is the value of the only objective. The trial is durable on return.
        """
        record = self.store.trial(self.id, number)
        if isinstance(result, Mapping):
            return self._finish(record, judge(result, self.objectives, self.constraints))
        if result is None:
            return self._finish(record, Outcome(State.FAIL, {}, reason=reason or "told to fail"))
        if len(self.objectives) > 1:
            raise ConfigError(f"there are {len(self.objectives)} objectives: tell a mapping, got {result!r}")
        return self._finish(
            record, judge({self.objectives[0].metric: float(result)}, self.objectives, self.constraints)
        )

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

    def _check_fit(self) -> None:
        needed = {
            "several_objectives": len(self.objectives) > 1,
            "floats": self.space.has_floats,
        }
        name = type(self.strategy).__name__
        for ability, is_needed in needed.items():
            if is_needed and ability not in self.strategy.supports:
                raise ConfigError(
                    f"strategy {name} cannot do {ability.replace('_', ' ')}: choose another strategy"
                )

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
        if not any(study.name == self.name for study in self.store.studies()):
            return None
        if not resume:
            self.store.create_study(record)  # raises, and says what is there
        earlier = self.store.study(self.name)
        _check_same(earlier, record)
        return earlier

    def _open(self, record: StudyRecord, earlier: StudyRecord | None) -> int:
        if earlier is None or earlier.id is None:
            return self.store.create_study(record)
        self.store.set_config(earlier.id, record.config)
        self.store.reopen(earlier.id)
        self._recover(self.store.trials(earlier.id))
        return earlier.id

    def _recover(self, history: Sequence[TrialRecord]) -> None:
        """Replay the history: the strategy is then where it was."""
        self._n_trials = len(history)
        self._n_asks = 1 + max((record.ask for record in history), default=-1)
        finished = [record for record in history if record.state.is_finished]
        for record in finished:
            self._ledger.count(record)
        self._ledger.n_failures = 0
        self.strategy.recover(self._genotypes(history), self._told(finished))

    # ------------------------------------------------------------------ steps of a trial

    def _next_trial(self, batch_size: int) -> TrialRecord | None:
        """Claim a waiting trial, asking the strategy for more when none waits."""
        record = self.store.claim(self.id)
        if record is not None:
            return record
        genotypes = self.strategy.ask(batch_size)
        if not len(genotypes):
            return None
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
        earlier = self.store.complete_with_key(self.id, record.key)
        if not earlier:
            return None
        first = earlier[0]
        if self._duplicates == "skip":
            return Outcome(
                State.PRUNED,
                {},
                reason=f"duplicate of trial {first.number} (duplicates: skip)",
                reused_from=first.number,
            )
        return Outcome(State.COMPLETE, first.metrics, violation=first.violation, reused_from=first.number)

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
        self.store.report(self.id, number, step, metrics)
        objective = self.objectives[0]
        if self._pruner is None or objective.metric not in metrics:
            return False
        curves = self.store.curves(self.id, objective.metric)
        costs = {n: {s: objective.sign * v for s, v in curve.items()} for n, curve in curves.items()}
        own = costs.pop(number)
        return self._pruner.stop(own, costs.values())

    def _finish(self, record: TrialRecord, outcome: Outcome) -> TrialRecord:
        """Close a trial durably, then let the strategy learn from it."""
        finished = self.store.finish(self.id, record.number, outcome)
        self._ledger.count(finished)
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


def _evaluators(evaluator: Any, objectives: Directions | Sequence[Objective]) -> tuple[Evaluator, ...]:
    """Make a tuple of evaluators, cheap ones first; a function's bare number is the first objective."""
    if evaluator is None:
        return ()
    first = next(iter(objectives), "value")
    metric = first.metric if isinstance(first, Objective) else str(first)
    parts: Iterable[Any] = evaluator if isinstance(evaluator, Sequence) else [evaluator]
    made = [part if isinstance(part, Evaluator) else Function(function=part, metric=metric) for part in parts]
    return tuple(sorted(made, key=lambda part: not part.is_cheap))


def _gives(evaluators: Sequence[Evaluator]) -> list[str] | None:
    if not evaluators or any(evaluator.gives is None for evaluator in evaluators):
        return None
    return [metric for evaluator in evaluators for metric in evaluator.gives or ()]


def _check_same(earlier: StudyRecord, now: StudyRecord) -> None:
    """Refuse to go on with a study under other terms than it began with."""
    pairs: dict[str, tuple[Any, Any]] = {
        "search space": (earlier.fingerprint, now.fingerprint),
        "seed": (earlier.seed, now.seed),
        "objectives": (earlier.objectives, now.objectives),
        "constraints": (earlier.constraints, now.constraints),
    }
    for key in ("strategy", "evaluator", "duplicates", "batch_size"):
        pairs[key] = (earlier.config.get(key), now.config.get(key))
    for what, (then, given) in pairs.items():
        if then != given:
            raise ConfigError(
                f"study {now.name!r} was begun with another {what}: {then!r}, now {given!r}; "
                "give the new search another name"
            )


def _call(callbacks: Sequence[Callback], study: Study, record: TrialRecord) -> None:
    for callback in callbacks:
        callback(study, record)
