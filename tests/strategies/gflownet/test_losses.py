# SPDX-License-Identifier: Apache-2.0
"""Balance conditions reach their target, by exact enumeration of small spaces."""

from __future__ import annotations

import functools
from collections.abc import Callable

import numpy as np
import pyglove as pg
import pytest
import torch
from torch import Tensor

from archloom.contracts import ChoiceArray
from archloom.search_spaces import SearchSpace
from archloom.search_spaces.filling import Filling
from archloom.strategies.gflownet.exact import policy_of, terminal_distribution
from archloom.strategies.gflownet.flows import Flows, follow
from archloom.strategies.gflownet.learner import Learner
from archloom.strategies.gflownet.losses import balance_parts, balance_steps, trajectory_balance
from archloom.strategies.gflownet.matching import match_flows, mismatch
from archloom.strategies.gflownet.ordering import pair_loss
from archloom.strategies.gflownet.trajectories import Trajectories, backward_at_random
from archloom.strategies.numerics import one_thread

SLOTS = SearchSpace(pg.List([pg.oneof([0, 1, 2]) for _ in range(3)]))
NESTED = SearchSpace(pg.Dict(a=pg.oneof([pg.Dict(b=pg.oneof([1, 2, 3])), 4]), c=pg.oneof([5, 6])))


def reward_of(rows: ChoiceArray) -> np.ndarray:
    """A log-reward between about -2 and 2."""
    weights = np.sin(1.0 + np.arange(rows.shape[1] * 4)).reshape(rows.shape[1], 4)
    return np.asarray(sum(weights[i, column] for i, column in enumerate(rows.T)))


Loss = Callable[[Learner, Filling, Trajectories, Flows, Tensor], Tensor]


def by_trajectories(learner: Learner, filling: Filling, ways: Trajectories, f: Flows, r: Tensor) -> Tensor:
    return trajectory_balance(f, r)


def by_steps(learner: Learner, filling: Filling, ways: Trajectories, flows: Flows, r: Tensor) -> Tensor:
    return balance_steps(flows, flows.log_flow_ending(r))


def by_parts(learner: Learner, filling: Filling, ways: Trajectories, flows: Flows, r: Tensor) -> Tensor:
    return balance_parts(flows, flows.log_flow_ending(r))


def by_states(learner: Learner, filling: Filling, ways: Trajectories, flows: Flows, r: Tensor) -> Tensor:
    states = ways.states()[:, 1:]
    rewards = r[:, None].expand(-1, states.shape[1]).reshape(-1)
    return mismatch(match_flows(learner.network, filling, states.reshape(-1, filling.n_columns)), rewards)


def trained(space: SearchSpace, loss: Loss, n_steps: int, seed: int = 0) -> Learner:
    filling, rng = space.filling, np.random.default_rng(seed)
    rows = space.enumerate().choices
    learner = Learner(filling, seed, width=64, lr=3e-3, lr_log_z=0.05)
    with one_thread():
        for _ in range(n_steps):
            seen = rows[rng.integers(len(rows), size=32)]
            ways = backward_at_random(filling, seen, rng)
            flows = follow(learner.network, filling, ways)
            log_reward = torch.from_numpy(reward_of(seen).astype(np.float32))
            learner.step(loss(learner, filling, ways, flows, log_reward))
    return learner


def distance(space: SearchSpace, learner: Learner) -> float:
    """The L1 distance between what is sampled and what is proportional to the reward."""
    rows, chances = terminal_distribution(policy_of(learner.network, space.filling), space.filling)
    target = np.exp(reward_of(rows))
    assert chances.sum() == pytest.approx(1.0)
    return float(np.abs(chances - target / target.sum()).sum())


@pytest.mark.slow
@pytest.mark.parametrize("space", [SLOTS, NESTED], ids=["slots", "nested"])
@pytest.mark.parametrize("loss", [by_trajectories, by_steps, by_parts, by_states], ids=lambda f: f.__name__)
def test_what_is_sampled_is_proportional_to_the_reward(space: SearchSpace, loss: Loss) -> None:
    assert distance(space, trained(space, loss, 10)) > 0.1
    assert distance(space, trained(space, loss, 600)) < 0.03


def test_a_state_that_is_met_twice_is_looked_at_once_and_says_the_same() -> None:
    for space in (SLOTS, NESTED):
        filling, rng = space.filling, np.random.default_rng(2)
        rows = space.enumerate().choices[:6].repeat(2, axis=0)
        network = Learner(filling, 0, width=16, lr=1e-3, lr_log_z=0.1).network
        ways = backward_at_random(filling, rows, rng)
        states, at = ways.visited()
        assert len(states) < at.size
        assert len(np.unique(states, axis=0)) == len(states)
        assert (states[at] == ways.states()).all()
        together = follow(network, filling, ways)
        for i in range(len(rows)):
            alone = follow(network, filling, ways[[i]])
            assert torch.allclose(alone.log_reward, together.log_reward[i], atol=1e-5)
            assert torch.allclose(alone.log_flow, together.log_flow[i], atol=1e-5)


def test_rows_too_long_to_number_are_told_apart() -> None:
    rows = np.full((4, 80), 6, dtype=np.int16)
    rows[1, 0], rows[2, 79] = 5, 5
    ways = Trajectories(rows, np.tile(np.arange(80), (4, 1)))
    states, at = ways.visited()
    assert len(states) == 3 + sum(len({tuple(row[:i]) for row in rows}) for i in range(80))
    assert (states[at] == ways.states()).all()


@pytest.mark.slow  # torch.optim takes seconds to import what it does not use
def test_its_adam_is_that_of_torch() -> None:
    filling, rng = SLOTS.filling, np.random.default_rng(4)
    rows = SLOTS.enumerate().choices
    log_reward = 40.0 + torch.from_numpy(reward_of(rows).astype(np.float32))  # so far off that slopes are cut
    ours, theirs = (Learner(filling, 0, width=16, lr=1e-2, lr_log_z=0.1) for _ in range(2))
    weights = [each for name, each in theirs.network.named_parameters() if name != "log_z"]
    groups = [{"params": weights, "lr": 1e-2}, {"params": [theirs.network.log_z], "lr": 0.1}]
    adam = torch.optim.Adam(groups)
    for _ in range(20):
        ways = backward_at_random(filling, rows, rng)
        ours.step(trajectory_balance(follow(ours.network, filling, ways), log_reward))
        adam.zero_grad()
        trajectory_balance(follow(theirs.network, filling, ways), log_reward).backward()  # type: ignore[no-untyped-call]
        assert torch.nn.utils.clip_grad_norm_(theirs.network.parameters(), 10.0) > 10.0
        adam.step()
    for mine, other in zip(ours.network.parameters(), theirs.network.parameters(), strict=True):
        assert torch.allclose(mine, other, atol=1e-4)


def test_a_loss_that_is_no_number_changes_nothing() -> None:
    learner = Learner(SLOTS.filling, 0, width=8, lr=1e-2, lr_log_z=0.1)
    before = [each.detach().clone() for each in learner.network.parameters()]
    learner.step(learner.network.log_z * torch.nan)
    for mine, old in zip(learner.network.parameters(), before, strict=True):
        assert torch.equal(mine, old)


def test_a_shift_of_log_z_is_no_news_to_an_order() -> None:
    filling, rng = SLOTS.filling, np.random.default_rng(0)
    rows = SLOTS.enumerate().choices
    learner = Learner(filling, 0, width=16, lr=1e-3, lr_log_z=0.1)
    ways = backward_at_random(filling, rows, rng)
    better, partner = torch.from_numpy(reward_of(rows)), torch.from_numpy(rng.permutation(len(rows)))
    losses = []
    for shift in (0.0, 5.0):
        learner.network.log_z.data.fill_(shift)
        losses.append(pair_loss(better, follow(learner.network, filling, ways).log_reward, partner).item())
    assert losses[0] == pytest.approx(losses[1], abs=1e-5)


@pytest.mark.slow
def test_the_best_gain_mass_while_an_order_is_learned() -> None:
    filling = SLOTS.filling
    rows = SLOTS.enumerate().choices
    better = np.round(reward_of(rows), 1)

    @functools.cache
    def mass(n_steps: int) -> float:
        rng = np.random.default_rng(1)
        learner = Learner(filling, 1, width=64, lr=1e-3, lr_log_z=0.1)
        for _ in range(n_steps):
            index = rng.integers(len(rows), size=64)
            ways = backward_at_random(filling, rows[index], rng)
            flows = follow(learner.network, filling, ways)
            partner = torch.from_numpy(rng.permutation(64))
            loss = pair_loss(torch.from_numpy(better[index]), flows.log_reward, partner)
            learner.step(loss + 0.1 * flows.backward_kl)
        found, chances = terminal_distribution(policy_of(learner.network, filling), filling)
        value = np.round(reward_of(found), 1)
        return float(chances[value == value.max()].sum())

    with one_thread():
        masses = [mass(n) for n in (0, 60, 150, 300)]
    assert masses == sorted(masses)
    assert masses[-1] > 0.5
