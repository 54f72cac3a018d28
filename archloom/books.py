# SPDX-License-Identifier: Apache-2.0
"""What the process that proposes knows of its study: a copy in memory of what the store has.

The state of a strategy is its seed and the recorded history, so that the books can be opened anew at any
time: after a crash, an interrupt, or when another process has proposed meanwhile.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import final

import numpy as np

from archloom.contracts import Finished, Genotypes, Objective, State, Strategy
from archloom.duplicates import Repeats
from archloom.ledger import Ledger
from archloom.search_spaces import Architecture, SearchSpace
from archloom.store import Store, TrialRecord
from archloom.store.corrections import n_corrections

__all__ = ["ENQUEUED", "Books", "words_for_no_best"]

ENQUEUED = -1
"""The number of the ask of a trial that no strategy proposed."""


@final
class Books:
    """History, counts and the strategy that has been told of them.

    Args:
        store: holds the study.
        study_id: the study.
        space: the search space.
        strategy: set up and told of everything when the books are opened.
        objectives: of the study.
        seed: of the study.
        repeats: the duplicates policy.
        ledger: an empty one.
        keeps_curves: whether a pruner will ask for the curves of finished trials.
    """

    def __init__(
        self,
        store: Store,
        study_id: int,
        space: SearchSpace,
        strategy: Strategy,
        objectives: Sequence[Objective],
        seed: int,
        repeats: Repeats,
        ledger: Ledger,
        *,
        keeps_curves: bool,
    ):
        self._store, self._study_id, self._space = store, study_id, space
        self._strategy, self._objectives, self._repeats = strategy, tuple(objectives), repeats
        self.ledger = ledger
        self.curves: dict[int, dict[int, float]] = {}
        self.live: dict[int, Architecture] = {}
        self.columns: set[str] = set()
        """Decisions and metrics that trials have had."""
        self._repeats.forget()
        self._n_corrections = n_corrections(store, study_id)
        self._is_void = False
        self.mark = store.mark(study_id)
        history = store.trials(study_id)
        self.n_trials = len(history)
        self.n_asks = 1 + max((record.ask for record in history), default=-1)
        finished = sorted(
            (record for record in history if record.finish_order is not None),
            key=lambda record: record.finish_order or 0,
        )
        self.n_seen = len(finished)
        self._keeps_curves = False  # while counting: one query brings those of all
        for record in finished:
            self._count(record)
        self._keeps_curves = keeps_curves
        if keeps_curves:
            self._keep_curves(finished)
        strategy.setup(space, self._objectives, seed)
        self._replay(history, finished)

    def is_current(self) -> bool:
        """Whether nothing has changed in the study since ``sign``."""
        is_same = not self._is_void and self._store.mark(self._study_id) == self.mark
        return is_same and not self.is_corrected()

    def is_corrected(self) -> bool:
        """Whether a trial has been invalidated or restored since these books were opened."""
        return n_corrections(self._store, self._study_id) != self._n_corrections

    def sign(self) -> None:
        """Note how the study stands, where these books hold all of it."""
        mark = self._store.mark(self._study_id)
        if mark[:2] == (self.n_trials, self.n_seen):
            self.mark = mark

    def distrust(self) -> None:
        """Have the books opened anew next time: the strategy was asked for what was never written."""
        self._is_void = True

    def enter(self, records: Sequence[TrialRecord]) -> None:
        """Count trials that have just ended, with what others ended meanwhile, and tell the strategy."""
        ours = [record.finish_order for record in records]
        if ours != list(range(self.n_seen, self.n_seen + len(ours))):
            self.catch_up()
        else:
            self._enter(records)

    def catch_up(self) -> None:
        """Enter what others have ended."""
        if self._store.n_finished(self._study_id) > self.n_seen:
            self._enter(self._store.finished_since(self._study_id, self.n_seen))

    def _enter(self, records: Sequence[TrialRecord]) -> None:
        self.n_seen += len(records)
        for record in records:
            self._count(record)
        self._tell(records)

    def rebuild(self, record: TrialRecord) -> Architecture:
        """Return the architecture of a trial."""
        return self.live.get(record.number) or self._space.from_choices(record.choices)

    def _count(self, record: TrialRecord) -> None:
        if record.excluded:
            return
        self.ledger.count(record)
        self.columns.update(record.choices, record.metrics)
        if self._keeps_curves and record.state == State.COMPLETE:
            self._keep_curve(record)

    def _keep_curves(self, finished: Sequence[TrialRecord]) -> None:
        goal = self._objectives[0]
        complete = {r.number for r in finished if r.state == State.COMPLETE and not r.excluded}
        for number, curve in self._store.curves(self._study_id, goal.metric).items():
            if number in complete:
                self.curves[number] = {step: goal.sign * value for step, value in curve.items()}

    def _keep_curve(self, record: TrialRecord) -> None:
        goal = self._objectives[0]
        curve = self._store.reported(self._study_id, record.number).get(goal.metric)
        if curve:
            self.curves[record.number] = {step: goal.sign * value for step, value in curve.items()}

    def _replay(self, history: Sequence[TrialRecord], finished: Sequence[TrialRecord]) -> None:
        proposed = [record for record in history if record.ask != ENQUEUED]
        if not history:
            return
        known = [record for record in proposed if record.excluded != "outside"]
        self._strategy.recover(self._genotypes(known), self._told(self._audible(finished)))
        # What lies outside the space as it is now has had its turn all the same.
        self._strategy.n_asked = max(self._strategy.n_asked, len(proposed))

    def _tell(self, records: Sequence[TrialRecord]) -> None:
        told = self._audible(records)
        if told:
            self._strategy.tell(self._told(told))
        for record in records:
            self.live.pop(record.number, None)

    def _audible(self, records: Sequence[TrialRecord]) -> list[TrialRecord]:
        return [record for record in records if not record.excluded and self._repeats.is_told(record)]

    def _genotypes(self, records: Sequence[TrialRecord]) -> Genotypes:
        rows = [self.rebuild(record).genotype for record in records]
        return Genotypes.concatenate(rows) if rows else self._space.sample(0, np.random.default_rng(0))

    def _told(self, records: Sequence[TrialRecord]) -> Finished:
        """Turn finished records, in order, into what a strategy is told."""
        values = np.array([self._repeats.values(record) for record in records], dtype=float)
        return Finished(
            numbers=np.array([record.number for record in records], dtype=np.int64),
            genotypes=self._genotypes(records),
            states=tuple(record.state for record in records),
            values=values.reshape(len(records), len(self._objectives)),
            violations=np.array([record.violation for record in records], dtype=float),
            fidelity=tuple(record.fidelity for record in records),
        )


def words_for_no_best(store: Store, study_id: int, name: str) -> str:
    """Say that no trial of a study can be the best, and what became of those there are."""
    counts = [f"{n} {state}" for state, n in store.counts(study_id).items() if n]
    failed = store.trials(study_id, states=[State.FAIL], sort="-number", limit=1)
    last = f"; the last to fail: {failed[0].reason}" if failed else ""
    have = f" ({', '.join(counts)}{last})" if counts else ""
    return f"study {name!r} has no complete and feasible trial yet{have}"
