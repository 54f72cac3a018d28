# SPDX-License-Identifier: Apache-2.0
"""Every registered strategy that follows gradients keeps the laws."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from archloom.relaxation import GradientStrategy, Progress
from archloom.search_spaces import SearchSpace
from archloom.search_spaces.darts import darts as darts_space
from archloom.search_spaces.hypercuboid import hypercuboid
from archloom.strategies import STRATEGIES
from archloom.testing.gradient import GradientStrategyContract
from archloom.testing.quick import followers

OPTIONS: dict[str, dict[str, Any]] = {"proxyless": {"costs": {"params": 1e-3}}}


class TestRegistered(GradientStrategyContract):
    @pytest.fixture(params=followers())
    def make(self, request: pytest.FixtureRequest) -> Callable[[], GradientStrategy]:
        return lambda: STRATEGIES.get(request.param)(**OPTIONS.get(request.param, {}))


class TestOnSlabs(GradientStrategyContract):
    """Those that mix, on sites that are weighed together."""

    @pytest.fixture(params=["darts", "sharpdarts", "snas"])
    def make(self, request: pytest.FixtureRequest) -> Callable[[], GradientStrategy]:
        return lambda: STRATEGIES.get(request.param)()

    @pytest.fixture
    def space(self) -> SearchSpace:
        return hypercuboid(widths=[4, 8], strides=[1, 2], dropouts=[0.0, 0.2])


def test_there_are_some() -> None:
    assert followers() == ["darts", "gdas", "pc_darts", "proxyless", "sharpdarts", "snas"]


def test_pc_darts_weighs_the_edges_of_each_node_by_themselves() -> None:
    """Groups of 2, 3, 4 and 5 incoming edges in each cell, each of which sums to 1; DARTS weighs none."""
    for name, groups in (("pc_darts", [2, 3, 4, 5] * 2), ("darts", [])):
        method = STRATEGIES.get(name)()
        method.setup(darts_space(), 0)
        relaxation = method.relax(Progress(0, 50))
        nodes = [each for path, each in relaxation.items() if path.endswith("]")]
        assert len(nodes) == 8
        weighed = [mixture.weights.detach() for mixture in nodes if mixture.weights is not None]
        assert [len(weights) for weights in weighed] == groups
        assert all(float(weights.sum()) == pytest.approx(1, abs=1e-6) for weights in weighed)
