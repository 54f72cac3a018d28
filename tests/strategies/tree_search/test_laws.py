"""Tree search and model-based search keep the laws of a strategy, whenever they are asked and told."""

from __future__ import annotations

import copy
import zlib
from collections.abc import Callable
from typing import Any

import numpy as np
import pyglove as pg
import pytest

from archloom.contracts import Genotypes, Objective, State, Strategy
from archloom.search_spaces import SearchSpace
from archloom.store import Store
from archloom.strategies.tree_search.mcts import MonteCarloTreeSearch
from archloom.strategies.tree_search.smbo import ModelBasedSearch
from archloom.study import Study
from archloom.testing.strategies import StrategyContract, finished

SCORE = [Objective("score", "maximize")]

MAKERS: dict[str, Callable[[], Strategy]] = {
    "mcts": MonteCarloTreeSearch,
    "mcts-range": lambda: MonteCarloTreeSearch(reward="range", bisect="always"),
    "mcts-value": lambda: MonteCarloTreeSearch(reward="value", bisect="never"),
    "smbo": lambda: ModelBasedSearch(n_initial=3, n_candidates=8),
    "smbo-tree": lambda: ModelBasedSearch(n_initial=3, n_candidates=6, candidates="tree", refit_every=3),
}


@pytest.fixture(params=list(MAKERS.values()), ids=list(MAKERS))
def make(request: pytest.FixtureRequest) -> Callable[[], Strategy]:
    made: Callable[[], Strategy] = request.param
    return made


class TestContract(StrategyContract):
    @pytest.fixture(params=list(MAKERS.values()), ids=list(MAKERS))
    def make(self, request: pytest.FixtureRequest) -> Callable[[], Strategy]:
        made: Callable[[], Strategy] = request.param
        return made


def small() -> SearchSpace:
    """Conditional, grouped and ordered decisions, and one that leaves no choice: 270 points."""
    return SearchSpace(
        pg.Dict(
            op=pg.oneof([pg.Dict(k=pg.oneof([1, 3, 5, 7])), "skip"]),
            pair=pg.manyof(2, list("abc"), distinct=True, sorted=True),
            many=pg.manyof(2, [pg.Dict(x=pg.oneof([1, 2])), "y"], distinct=False, sorted=True),
            order=pg.permutate([1, 2, 3]),
            only=pg.oneof(["this"]),
        )
    )


class Drive:
    """Asks and tells at random moments, and keeps what a store would."""

    def __init__(self, make: Callable[[], Strategy], space: SearchSpace, seed: int):
        self.make, self.space = make, space
        self.rng = np.random.default_rng(seed)
        self.proposed = self.told = space.sample(0, self.rng)
        self.waiting: list[int] = []

    def results(self, rows: Genotypes) -> Any:
        x = self.space.ordinal(rows)
        values = np.sin(7 * x + np.arange(x.shape[1])).sum(axis=1)
        lots = np.array([zlib.crc32(key) % 11 for key in list(rows.keys())])
        states = tuple(
            State.FAIL if lot == 0 else State.PRUNED if lot == 1 else State.COMPLETE for lot in lots
        )
        values[lots == 1] = np.nan
        values[lots == 2] = np.inf
        return finished(rows, values, states=states, violations=np.where(lots == 1, 1.5, 0.0))

    def step(self, strategy: Strategy) -> None:
        """Propose some, or finish some in any order, or finish one that somebody enqueued."""
        lot = self.rng.random()
        if lot < 0.08:
            self.tell(strategy, self.space.sample(1, self.rng))
        elif lot < 0.6 and self.waiting:
            n = int(self.rng.integers(1, len(self.waiting) + 1))
            done = [int(i) for i in self.rng.permutation(self.waiting)[:n]]
            self.waiting = [i for i in self.waiting if i not in done]
            self.tell(strategy, self.proposed[[i for i in done if i % 13]])  # some are never heard of
        else:
            rows = strategy.ask(int(self.rng.integers(1, 6)))
            self.waiting += range(len(self.proposed), len(self.proposed) + len(rows))
            self.proposed = Genotypes.concatenate([self.proposed, rows])

    def tell(self, strategy: Strategy, rows: Genotypes) -> None:
        strategy.tell(self.results(rows))
        self.told = Genotypes.concatenate([self.told, rows])

    def resumed(self) -> Strategy:
        strategy = self.make()
        strategy.setup(self.space, SCORE, 5)
        strategy.recover(self.proposed, self.results(self.told))
        return strategy


@pytest.mark.parametrize("seed", [0, 1])
def test_the_state_is_a_function_of_the_history(make: Callable[[], Strategy], seed: int) -> None:
    """At every moment of a search with trials out of order, enqueued and lost ones among them."""
    drive = Drive(make, small(), seed)
    strategy = drive.resumed()
    for i in range(36):
        drive.step(strategy)
        if i % 3 == 0:
            live = copy.deepcopy(strategy, {id(drive.space): drive.space})
            assert drive.resumed().ask(3).keys() == live.ask(3).keys()
    assert len(drive.told) > 20
    assert len(set(drive.proposed.keys())) == len(drive.proposed)


def test_a_batch_is_what_single_proposals_are(make: Callable[[], Strategy]) -> None:
    at_once, singly = make(), make()
    for strategy in (at_once, singly):
        strategy.setup(small(), SCORE, 0)
        first = strategy.ask(8)
        strategy.tell(finished(first, np.arange(8.0)))
    assert at_once.ask(6).keys() == [singly.ask(1).keys()[0] for _ in range(6)]


@pytest.mark.parametrize("batch", [1, 16])
def test_proposes_everything_once_and_ends(make: Callable[[], Strategy], batch: int) -> None:
    space = SearchSpace(pg.Dict(a=pg.oneof([pg.oneof([1, 2, 3]), "b"]), p=pg.permutate([1, 2, 3])))
    strategy = make()
    strategy.setup(space, SCORE, 0)
    strategy.tell(finished(space.at([5]), [0.5], first=99))
    keys: list[bytes] = []
    while len(rows := strategy.ask(batch)):
        keys += rows.keys()
        strategy.tell(finished(rows, np.random.default_rng(len(keys)).random(len(rows))))
    assert len(keys) == len(set(keys)) == 23
    assert space.at([5]).keys()[0] not in keys
    assert strategy.n_asked == 23


def test_a_space_of_one_point_is_proposed_once(make: Callable[[], Strategy]) -> None:
    for template in (pg.Dict(a=1), pg.Dict(a=pg.oneof(["this"]))):
        strategy = make()
        strategy.setup(SearchSpace(template), SCORE, 0)
        assert [len(strategy.ask(2)) for _ in range(2)] == [1, 0]


def test_learns_where_nothing_but_failures_is_known(make: Callable[[], Strategy]) -> None:
    strategy, space = make(), small()
    strategy.setup(space, SCORE, 0)
    for i in range(4):
        rows = strategy.ask(4)
        strategy.tell(finished(rows, [np.nan] * 4, first=4 * i, states=(State.FAIL,) * 4))
    assert space.is_legal(strategy.ask(4)).all()


@pytest.mark.parametrize("direction", ["maximize", "minimize"])
def test_beats_chance_in_either_direction(make: Callable[[], Strategy], direction: Any) -> None:
    """The mean of the last third is better than that of the space."""
    space = SearchSpace(pg.List([pg.oneof(list("abcd")) for _ in range(6)]))
    sign = 1.0 if direction == "maximize" else -1.0
    gained = []
    for seed in range(3):
        strategy = make()
        strategy.setup(space, [Objective("score", direction)], seed)
        for i in range(60):
            row = strategy.ask(1)
            value = sign * space.ordinal(row).mean()
            strategy.tell(finished(row, [value], first=i))
            gained += [sign * value] if i >= 40 else []
    assert np.mean(gained) > 0.55


def test_a_study_goes_on_as_if_it_had_never_stopped(make: Callable[[], Strategy]) -> None:
    def score(architecture: Any) -> float:
        return float(
            sum(np.sin(3 * i + ord(letter[0])) for i, letter in enumerate(architecture.choices.values()))
        )

    def study(store: Store) -> Study:
        return Study(small(), make(), score, {"score": "maximize"}, store=store, resume=True)

    with Store("sqlite://") as one, Store("sqlite://") as other:
        whole = study(one).run(trials=40, batch_size=4)
        for trials in (7, 18, 40):
            parts = study(other).run(trials=trials, batch_size=4)
        assert [t.choices for t in parts.trials][:40] == [t.choices for t in whole.trials][:40]
