# SPDX-License-Identifier: Apache-2.0
"""OC-GFN on NAS-Bench-201 with three edges frozen: 125 cells, each reached when asked for, and any reward."""

from __future__ import annotations

import os
import re

import numpy as np
import pandas
import pyglove as pg
import pytest

from archloom.contracts import FloatArray
from archloom.errors import ConfigError
from archloom.search_spaces import SearchSpace
from archloom.strategies.gflownet.exact import Policy, terminal_distribution
from archloom.strategies.gflownet.outcomes import Amortized, OutcomeFlow
from archloom.strategies.numerics import one_thread

DATA = os.environ.get("ARCHLOOM_DATA")
OPS = ["none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3"]
FROZEN = ("nor_conv_3x3", "skip_connect", "nor_conv_1x1")
SPACE = SearchSpace(pg.List([pg.oneof(OPS) for _ in range(3)]))
COLUMNS = ("cifar10_valid_12", "cifar100_valid_12", "cifar100_test_200")


@pytest.fixture(scope="module")
def flow() -> OutcomeFlow:
    """A flow that was trained once."""
    made = OutcomeFlow(SPACE.filling, SPACE.enumerate().choices, width=128, lr=2e-3)
    with one_thread():
        made.learn(1500, np.random.default_rng(0))
    return made


def target(column: str) -> FloatArray:
    """The log of ``r(x)^8`` of each cell, in the order of the space."""
    table = pandas.read_parquet(f"{DATA}/nasbench201/nb201.parquet", columns=["arch", column])
    known = {
        tuple(re.findall(r"([a-z_0-9]+)~", arch)): value
        for arch, value in zip(table["arch"], table[column], strict=True)
    }
    cells = [(*FROZEN, *(OPS[i] for i in row)) for row in SPACE.enumerate().choices]
    return np.array([8.0 * np.log(known[cell] / 100) for cell in cells])


def distance(policy: Policy, log_reward: FloatArray) -> float:
    rows, chances = terminal_distribution(policy, SPACE.filling)
    order = {row.tobytes(): i for i, row in enumerate(SPACE.enumerate().choices)}
    wanted = np.exp(log_reward[[order[row.tobytes()] for row in rows]])
    assert chances.sum() == pytest.approx(1.0, abs=1e-5)
    return float(np.abs(chances - wanted / wanted.sum()).sum())


@pytest.mark.slow
def test_what_is_asked_for_is_reached(flow: OutcomeFlow) -> None:
    asked = np.repeat(flow.outcomes, 4, axis=0)
    assert flow.reached(asked, np.random.default_rng(1)).mean() >= 0.95


@pytest.mark.slow
@pytest.mark.skipif(DATA is None, reason="needs ARCHLOOM_DATA with nasbench201")
@pytest.mark.parametrize("column", COLUMNS)
def test_another_reward_needs_no_training(flow: OutcomeFlow, column: str) -> None:
    log_reward = target(column)
    assert distance(flow.converted(np.zeros(125)), log_reward) > 0.2
    assert distance(flow.converted(log_reward), log_reward) < 0.1


@pytest.mark.slow
@pytest.mark.skipif(DATA is None, reason="needs ARCHLOOM_DATA with nasbench201")
def test_the_sum_can_be_learned(flow: OutcomeFlow) -> None:
    log_reward = target("cifar100_valid_12")
    amortized = Amortized(flow, log_reward)
    with one_thread():
        amortized.learn(1500, np.random.default_rng(2))
    assert distance(amortized.policy, log_reward) < 0.2


def test_nothing_to_ask_for_is_refused() -> None:
    with pytest.raises(ConfigError, match="there must be an outcome"):
        OutcomeFlow(SPACE.filling, SPACE.enumerate().choices[:0])
