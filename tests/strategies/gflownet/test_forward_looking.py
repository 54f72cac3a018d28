# SPDX-License-Identifier: Apache-2.0
"""Forward-looking flows: with the boundary at finished rows they reach the target, from half the steps too.

The exact test of the fact sheet: choose 5 of 10 items, 252 sets, the energy is additive over them.
"""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
import torch

from archloom.contracts import ChoiceArray
from archloom.strategies.gflownet.exact import policy_of, terminal_distribution
from archloom.strategies.gflownet.flows import follow
from archloom.strategies.gflownet.learner import Learner
from archloom.strategies.gflownet.losses import balance_steps
from archloom.strategies.gflownet.trajectories import backward_at_random
from archloom.strategies.numerics import one_thread

N, K = 10, 5
WEIGHTS = 1.5 * np.sin(3.0 * np.arange(N))


class Subsets:
    """Sets of ``K`` of ``N`` items, in the words of a filling: an item is a column with one candidate."""

    n_columns = n_actions = N
    columns = np.arange(N)
    candidates = np.zeros(N, dtype=np.intp)
    offsets = np.arange(N + 1)

    def empty(self, n: int) -> ChoiceArray:
        return np.full((n, N), -1, dtype=np.int16)

    def one_hot(self, choices: ChoiceArray) -> np.ndarray:
        return choices >= 0

    def forward(self, choices: ChoiceArray) -> np.ndarray:
        return np.asarray((choices < 0) & ((choices >= 0).sum(axis=1) < K)[:, None])

    def backward(self, choices: ChoiceArray) -> np.ndarray:
        return choices >= 0


def every_set() -> ChoiceArray:
    rows = np.full((252, N), -1, dtype=np.int16)
    for row, chosen in zip(rows, itertools.combinations(range(N), K), strict=True):
        row[list(chosen)] = 0
    return rows


def distance(*, has_boundary: bool = True, share: float = 1.0, n_steps: int = 2000) -> float:
    """Train, and return the L1 distance between what is sampled and the target."""
    filling: Any = Subsets()
    rows, rng = every_set(), np.random.default_rng(0)
    learner = Learner(filling, 0, width=64, lr=3e-3, lr_log_z=0.05)
    with one_thread():
        for _ in range(n_steps):
            ways = backward_at_random(filling, rows[rng.integers(252, size=48)], rng)
            flows = follow(learner.network, filling, ways)
            energy = torch.from_numpy(((ways.states() >= 0) @ WEIGHTS).astype(np.float32))
            log_flow = flows.log_flow_ending(torch.zeros(48)) if has_boundary else flows.log_flow
            kept = torch.from_numpy(rng.random((48, K)) < share)
            learner.step(balance_steps(flows, log_flow, energy, kept))
        found, chances = terminal_distribution(policy_of(learner.network, filling), filling)
    target = np.exp(-((found >= 0) @ WEIGHTS))
    return float(np.abs(chances - target / target.sum()).sum())


@pytest.mark.slow
def test_it_reaches_the_target() -> None:
    assert distance(n_steps=0) > 0.5
    assert distance() < 0.02


@pytest.mark.slow
def test_half_of_the_steps_are_enough() -> None:
    assert distance(share=0.5) < 0.02


@pytest.mark.slow
def test_without_the_boundary_it_does_not() -> None:
    assert distance(has_boundary=False) > 0.1
