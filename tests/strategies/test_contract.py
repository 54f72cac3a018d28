"""Every registered strategy keeps the laws."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from archloom.contracts import Strategy
from archloom.strategies import STRATEGIES, RegularizedEvolution
from archloom.testing.strategies import StrategyContract


class TestRegistered(StrategyContract):
    @pytest.fixture(params=STRATEGIES.names())
    def make(self, request: pytest.FixtureRequest) -> Callable[[], Strategy]:
        made: Callable[[], Strategy] = STRATEGIES.get(request.param)
        return made


class TestSmallPopulation(StrategyContract):
    """With the default population the suite's short histories would all be random."""

    @pytest.fixture(params=[0.0, 0.5])
    def make(self, request: pytest.FixtureRequest) -> Callable[[], Strategy]:
        return lambda: RegularizedEvolution(population_size=5, sample_size=2, crossover=request.param)
