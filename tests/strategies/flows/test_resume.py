"""Flows resume exactly however asking, telling and crashing are interleaved."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyglove as pg
import pytest

from archloom.contracts import Genotypes, Objective, State
from archloom.search_spaces import SearchSpace
from archloom.strategies.flows.factorized import FactorizedFlow
from archloom.strategies.flows.flow import Flow
from archloom.strategies.flows.hybrid import HybridFlow
from archloom.strategies.flows.separate import SeparateFlow
from archloom.study import Study
from archloom.testing.strategies import finished

SMALL = {"name": "regularized_evolution", "population_size": 3, "sample_size": 2}
FLOWS: dict[str, Callable[[], Flow]] = {
    "separate": lambda: SeparateFlow(strategy=SMALL, n_each=6),
    "separate, used up": lambda: SeparateFlow(strategy="grid", n_each=30),
    "factorized": lambda: FactorizedFlow(outer=SMALL, inner=SMALL, n_inner=4),
    "factorized, used up": lambda: FactorizedFlow(groups=[["a"]], outer="random", inner="random", n_inner=3),
    "hybrid": lambda: HybridFlow(outer=SMALL, inner=SMALL, joint=SMALL, n_outer=5, n_inner=4, n_kept=2),
    "hybrid of climbers": lambda: HybridFlow(
        outer="local_search", inner="random", joint="local_search", n_outer=4, n_inner=3
    ),
}
SPACE = SearchSpace(
    pg.Dict(
        a=pg.oneof(list("xyz")),
        b=pg.oneof([pg.Dict(k=pg.oneof([1, 3, 5])), "skip"]),
        c=pg.manyof(2, [1, 2, 3], distinct=True, sorted=True),
        d=pg.oneof([1, 2]),
    )
)


def score(row: Genotypes) -> float:
    return float((np.maximum(row.choices, 0) * [3, 1, 2, 1, 1, 5]).sum() % 7)


class Worker:
    """Asks and tells in an order of its own, and remembers what a store would."""

    def __init__(self, make: Callable[[], Flow], seed: int):
        self.make, self.seed = make, seed
        self.strategy = self.new()
        self.proposed: list[Genotypes] = []
        self.running: list[Genotypes] = []
        self.told: list[tuple[Genotypes, float, State]] = []

    def new(self) -> Flow:
        strategy = self.make()
        strategy.setup(SPACE, [Objective("score")], self.seed)
        return strategy

    def ask(self, n: int) -> None:
        rows = self.strategy.ask(n)
        assert SPACE.is_legal(rows).all()
        assert 1 <= len(rows) <= n
        self.proposed += [rows[i] for i in range(len(rows))]
        self.running += [rows[i] for i in range(len(rows))]

    def tell(self, place: int, state: State = State.COMPLETE) -> None:
        if not self.running:
            return
        row = self.running.pop(place % len(self.running))
        self.hear(row, score(row) if state == State.COMPLETE else np.nan, state)

    def hear(self, row: Genotypes, value: float, state: State = State.COMPLETE) -> None:
        self.told.append((row, value, state))
        self.strategy.tell(finished(row, [value], states=(state,), first=len(self.told)))

    def crash(self) -> None:
        self.strategy = self.new()
        none = SPACE.sample(0, np.random.default_rng(0))
        proposed = Genotypes.concatenate(self.proposed) if self.proposed else none
        rows = Genotypes.concatenate([row for row, _, _ in self.told]) if self.told else none
        values, states = [value for _, value, _ in self.told], tuple(state for *_, state in self.told)
        self.strategy.recover(proposed, finished(rows, values, states=states))


def run(make: Callable[[], Flow], seed: int, *, crashes: bool) -> list[bytes]:
    """Run a search in an order that depends on the seed alone, with crashes or without."""
    worker, rng = Worker(make, seed), np.random.default_rng(seed)
    for _ in range(90):
        what, place = rng.random(), int(rng.integers(100))
        if what < 0.35:
            worker.ask(int(rng.integers(1, 6)))
        elif what < 0.85:
            worker.tell(place if seed % 2 else 0)
        elif what < 0.93:
            worker.tell(place, State.FAIL)
        elif what < 0.96:
            row = SPACE.at([place % 72])  # put in by hand; the flow may propose it some day
            worker.hear(row, score(row))
        if what >= 0.8 and crashes:
            worker.crash()
    return [key for row in worker.proposed for key in row.keys()]  # noqa: SIM118


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("make", FLOWS.values(), ids=FLOWS)
def test_a_crash_changes_nothing(make: Callable[[], Flow], seed: int) -> None:
    whole = run(make, seed, crashes=False)
    assert len(whole) > 35
    assert run(make, seed, crashes=True) == whole


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("make", FLOWS.values(), ids=FLOWS)
def test_what_was_put_in_by_hand_may_be_proposed_later(make: Callable[[], Flow], seed: int) -> None:
    """The result is then the proposal's: to a flow that is rebuilt from the history it always was."""
    worker = Worker(make, seed)
    for i in range(0, SPACE.size or 0, 3):
        row = SPACE.at([i])
        worker.hear(row, score(row))
    for _ in range(30):
        worker.ask(3)
        worker.tell(0)
    same = Worker(make, seed)
    same.proposed, same.told = worker.proposed, worker.told
    same.crash()
    assert same.strategy.ask(4).keys() == worker.strategy.ask(4).keys()


@pytest.mark.parametrize("policy", ["reuse", "skip"])
@pytest.mark.parametrize("flow", ["separate", "factorized", "hybrid"])
def test_a_study_in_several_parts_is_the_study_in_one(flow: str, policy: Any, tmp_path: Path) -> None:
    def texts(*trials: int) -> list[str]:
        for n in trials:
            store = f"sqlite:///{tmp_path}/{len(trials)}.db"
            study = Study(
                SPACE,
                FLOWS[flow](),
                of,
                {"score": "maximize"},
                name="s",
                store=store,
                duplicates=policy,
                resume=n != trials[0],
            )
            study.run(trials=n, count="proposals", batch_size=3)
        return [trial.text for trial in study.trials]

    def of(architecture: Any) -> float:
        return score(architecture.genotype)

    assert texts(32) == texts(1, 10, 32)
