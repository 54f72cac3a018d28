"""Every flow keeps the laws of a strategy, whatever it is made of."""

from __future__ import annotations

from collections.abc import Callable

import pyglove as pg
import pytest

from archloom.contracts import Strategy
from archloom.errors import ConfigError
from archloom.search_spaces import SearchSpace
from archloom.strategies.flows.factorized import FactorizedFlow
from archloom.strategies.flows.hybrid import HybridFlow
from archloom.strategies.flows.joint import JointFlow
from archloom.strategies.flows.separate import SeparateFlow
from archloom.study import Study
from archloom.testing.strategies import StrategyContract

SMALL = {"name": "regularized_evolution", "population_size": 3, "sample_size": 2}


class TestSeparate(StrategyContract):
    @pytest.fixture(params=[SMALL, "random", "local_search", "optuna:TPESampler"], ids=str)
    def make(self, request: pytest.FixtureRequest) -> Callable[[], Strategy]:
        return lambda: SeparateFlow(strategy=request.param, n_each=[7, 5])


class TestJoint(StrategyContract):
    @pytest.fixture(params=[SMALL, "nsga2"], ids=str)
    def make(self, request: pytest.FixtureRequest) -> Callable[[], Strategy]:
        return lambda: JointFlow(strategy=request.param)


class TestFactorized(StrategyContract):
    @pytest.fixture(params=[SMALL, "optuna:TPESampler"], ids=str)
    def make(self, request: pytest.FixtureRequest) -> Callable[[], Strategy]:
        return lambda: FactorizedFlow(outer=request.param, inner=SMALL, n_inner=4)


class TestHybrid(StrategyContract):
    @pytest.fixture(params=[SMALL, "local_search"], ids=str)
    def make(self, request: pytest.FixtureRequest) -> Callable[[], Strategy]:
        return lambda: HybridFlow(outer=request.param, joint=SMALL, n_outer=10, n_inner=3, n_kept=3)


class TestHybridOfTrees(StrategyContract):
    """Each group has the strategy that suits it: only the one with floats needs one that can do them."""

    @pytest.fixture
    def make(self) -> Callable[[], Strategy]:
        return lambda: HybridFlow(outer="mcts", joint=SMALL, n_outer=10, n_inner=3, n_kept=3)

    @pytest.mark.parametrize("space", ["floats"], indirect=True)
    def test_floats_are_searched_or_refused(self, make: Callable[[], Strategy], space: SearchSpace) -> None:
        with pytest.raises(ConfigError, match=r"^outer: MonteCarloTreeSearch cannot do floats, .* has lr"):
            Study(space, make(), lambda point: 1.0, {"score": "maximize"}).run(trials=1)
        outside = HybridFlow(groups=[["op"]], outer="mcts", n_outer=2, n_inner=3)
        two = SearchSpace(pg.Dict(op=pg.oneof(["a", "b"]), lr=pg.floatv(0.1, 1.0)))
        study = Study(two, outside, lambda point: point.value.lr, {"score": "maximize"}).run(trials=20)
        assert study.n_evaluations == 20


class TestFlowOfFlows(StrategyContract):
    @pytest.fixture
    def make(self) -> Callable[[], Strategy]:
        inside = {"name": "archloom.strategies.flows.separate:SeparateFlow", "strategy": SMALL, "n_each": 3}
        return lambda: FactorizedFlow(outer=inside, inner=SMALL, n_inner=4)
