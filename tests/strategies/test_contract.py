"""Every registered strategy keeps the laws, on every kind of space.

The pairs of strategy and space are counted by ``--collect-only -q -k Registered``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pyglove as pg
import pytest

from archloom.contracts import Strategy
from archloom.search_spaces import SearchSpace
from archloom.strategies import STRATEGIES, RegularizedEvolution
from archloom.study import Study
from archloom.testing.quick import asked, quick_options
from archloom.testing.strategies import StrategyContract

REPEATS_NOTHING = ("grid", "local_search", "mcts", "random", "smbo")
"""What they have proposed they never propose again, as their docstrings say."""


def _marked(name: str) -> Any:
    """Mark PyGlove's generators, which take their time, and whose own tests inherit the suite too."""
    return pytest.param(name, marks=pytest.mark.slow) if name == "pyglove" else name


class TestRegistered(StrategyContract):
    @pytest.fixture(params=[_marked(name) for name in asked()])
    def make(self, request: pytest.FixtureRequest) -> Callable[[], Strategy]:
        return lambda: STRATEGIES.get(request.param)(**quick_options(request.param))


class TestRegularizedEvolution(StrategyContract):
    @pytest.fixture(params=["default", "crossover"])
    def make(self, request: pytest.FixtureRequest) -> Callable[[], Strategy]:
        if request.param == "default":
            return RegularizedEvolution
        return lambda: RegularizedEvolution(population_size=5, sample_size=2, crossover=0.5)


def twelve() -> SearchSpace:
    return SearchSpace(pg.Dict(a=pg.oneof([1, 2, 3]), b=pg.oneof([pg.Dict(c=pg.oneof([1, 2, 3])), "none"])))


@pytest.mark.parametrize("name", asked())
def test_a_study_of_twelve_points_ends_by_itself(name: str) -> None:
    strategy = STRATEGIES.get(name)(**quick_options(name))
    study = Study(
        twelve(), strategy, lambda point: float(point.choices["a"]), {"score": "maximize"}, n_stall=80
    )
    study.run(trials=10_000)
    assert study.n_evaluations == len({trial.key for trial in study.trials}) <= 12
    if study.n_evaluations == 12:
        assert study.stop_reason == "all 12 architectures have been tried"
    else:
        assert study.stop_reason == "nothing new came in 80 proposals"
    if name in REPEATS_NOTHING:
        assert study.n_evaluations == study.n_proposals == 12


@pytest.mark.parametrize("name", REPEATS_NOTHING)
def test_one_that_repeats_nothing_says_that_nothing_is_left(name: str) -> None:
    """So it ends also where evaluating again is worth something, and no other limit would hold."""
    study = Study(
        twelve(),
        STRATEGIES.get(name)(**quick_options(name)),
        lambda point: float(point.choices["a"]),
        {"score": "maximize"},
        duplicates="reseed",
    )
    study.run(trials=10_000, batch_size=5)
    assert study.stop_reason == "the strategy has nothing more to propose"
    assert study.n_evaluations == len({trial.key for trial in study.trials}) == 12
