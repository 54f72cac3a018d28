"""Every registered strategy keeps the laws."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from archloom.contracts import Strategy
from archloom.strategies import STRATEGIES, RegularizedEvolution
from archloom.testing.strategies import StrategyContract

FLOW: dict[str, Any] = {
    "n_initial": 8,
    "n_round": 4,
    "n_steps": 2,
    "restart_every": 3,
    "restart_steps": 6,
    "batch_size": 16,
    "width": 16,
}
# What learns from many trials begins with the suite's few.
SMALL: dict[str, dict[str, Any]] = {
    "mogfn_pc": {**FLOW, "n_bins": 4},
    "nsga2": {"population_size": 6},
    "op_gfn": {**FLOW, "augmentation": False},
}

OWN = {"pyglove"}
"""Their own tests inherit the suite for each of their kinds."""


class TestRegistered(StrategyContract):
    @pytest.fixture(params=sorted({*STRATEGIES.names()} - OWN))
    def make(self, request: pytest.FixtureRequest) -> Callable[[], Strategy]:
        options = SMALL.get(request.param, {})
        return lambda: STRATEGIES.get(request.param)(**options)


class TestSmallPopulation(StrategyContract):
    """With the default population the suite's short histories would all be random."""

    @pytest.fixture(params=[0.0, 0.5])
    def make(self, request: pytest.FixtureRequest) -> Callable[[], Strategy]:
        return lambda: RegularizedEvolution(population_size=5, sample_size=2, crossover=request.param)
