# SPDX-License-Identifier: Apache-2.0
"""OP-GFN as a strategy: the laws, every balance, several objectives, and what it finds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pyglove as pg
import pytest

from archloom.contracts import Genotypes, Objective, State, Strategy
from archloom.errors import ConfigError
from archloom.search_spaces import SearchSpace
from archloom.strategies.gflownet.order_preserving import BALANCES, OrderPreservingGFlowNet
from archloom.testing.strategies import StrategyContract, finished

SHORT: dict[str, Any] = {
    "n_initial": 8,
    "n_round": 4,
    "n_steps": 2,
    "restart_every": 3,
    "restart_steps": 6,
    "batch_size": 16,
    "width": 16,
    "augmentation": False,
}


class TestContract(StrategyContract):
    @pytest.fixture
    def make(self) -> Callable[[], Strategy]:
        return lambda: OrderPreservingGFlowNet(**SHORT)


SPACE = SearchSpace(pg.List([pg.oneof(list(range(5))) for _ in range(5)]))


def score(rows: Genotypes) -> np.ndarray:
    return np.asarray(rows.choices @ np.array([1.0, 2.0, 3.0, 2.0, 1.0]))


def run(strategy: Strategy, n: int, *, value: Callable[[Genotypes], np.ndarray] = score) -> list[float]:
    strategy.setup(SPACE, [Objective("v", "maximize")], 0)
    found = []
    for i in range(n):
        row = strategy.ask(1)
        found.append(float(value(row)[0]))
        strategy.tell(finished(row, value(row), first=i))
    return found


@pytest.mark.parametrize("balance", BALANCES)
def test_every_balance_goes_on_exactly_where_it_stopped(balance: Any) -> None:
    whole, rows = OrderPreservingGFlowNet(**SHORT, balance=balance), []
    whole.setup(SPACE, [Objective("v", "maximize")], 3)
    for i in range(24):
        rows.append(whole.ask(1))
        whole.tell(finished(rows[-1], score(rows[-1]), first=i))
    resumed = OrderPreservingGFlowNet(**SHORT, balance=balance)
    resumed.setup(SPACE, [Objective("v", "maximize")], 3)
    history = Genotypes.concatenate(rows)
    resumed.recover(history, finished(history, score(history)))
    assert resumed.ask(5).keys() == whole.ask(5).keys()


@pytest.mark.slow
@pytest.mark.parametrize("balance", BALANCES)
def test_it_learns_what_is_better(balance: Any) -> None:
    strategy = OrderPreservingGFlowNet(
        balance=balance, order=1.0, n_initial=40, n_steps=30, restart_steps=100, width=64, batch_size=64
    )
    found = run(strategy, 120)
    assert np.mean(found[-20:]) > np.mean(found[:40]) + 6


@pytest.mark.parametrize("value", [lambda rows: np.full(len(rows), 3.0), lambda rows: -score(rows) - 1e6])
def test_equal_and_negative_scores_are_scores(value: Callable[[Genotypes], np.ndarray]) -> None:
    assert len(run(OrderPreservingGFlowNet(**SHORT), 30, value=value)) == 30


def test_what_failed_is_the_worst() -> None:
    strategy = OrderPreservingGFlowNet(**{**SHORT, "n_initial": 30, "restart_steps": 150, "width": 64})
    strategy.setup(SPACE, [Objective("v", "maximize")], 0)
    rows = strategy.ask(30)
    fails = rows.choices[:, 0] >= 2
    states = tuple(State.FAIL if fail else State.COMPLETE for fail in fails)
    strategy.tell(finished(rows, np.where(fails, np.nan, 1.0), states=states))
    assert (strategy.ask(40).choices[:, 0] < 2).mean() > 0.7


def test_every_trial_failing_and_a_space_of_one_point() -> None:
    one = SearchSpace(pg.Dict(x=pg.oneof([1]), y=3))
    for space in (one, SearchSpace(pg.Dict(y=3)), SPACE):
        strategy = OrderPreservingGFlowNet(**SHORT)
        strategy.setup(space, [Objective("v", "maximize")], 0)
        rows = strategy.ask(12)
        strategy.tell(finished(rows, np.full(len(rows), np.nan), states=(State.FAIL,) * len(rows)))
        assert space.is_legal(strategy.ask(3)).all()


@pytest.mark.slow
def test_several_objectives_lead_to_their_front() -> None:
    strategy = OrderPreservingGFlowNet(n_initial=60, n_steps=60, restart_steps=300, width=64)
    strategy.setup(SPACE, [Objective("v", "maximize"), Objective("c", "minimize")], 0)

    def values(rows: Genotypes) -> np.ndarray:
        costs = rows.choices[:, :2].sum(axis=1) + 5.0 * (rows.choices[:, 4] > 0)
        return np.stack([rows.choices[:, :3].sum(axis=1), costs], axis=1)

    for i in range(14):
        rows = strategy.ask(10)
        strategy.tell(finished(rows, values(rows), first=10 * i))
    # On the front the third choice is the largest, and the fifth the first.
    last = strategy.ask(100).choices
    assert (last[:, 2] == 4).mean() > 0.5
    assert (last[:, 4] == 0).mean() > 0.5


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"balance": "trajectry"}, "did you mean 'trajectory'"),
        ({"n_initial": 1}, "n_initial is a whole number of at least 2, got 1"),
        ({"order": 0.0}, "order is above zero"),
        ({"epsilon": 1.5}, "epsilon is a probability"),
        ({"temperature": 0.0}, "temperature above zero"),
        ({"width": 0}, "width, lr and lr_log_z are above zero"),
    ],
)
def test_options_out_of_range(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        OrderPreservingGFlowNet(**options)
