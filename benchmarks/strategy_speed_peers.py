# SPDX-License-Identifier: Apache-2.0
"""A step of learning of OP-GFN on NAS-Bench-201, written as research code mostly writes it.

One trajectory after the other, the network called for every state (``one state a call``) or for the states
of a trajectory (``one trajectory a call``); the loss is the same number as ours, which
``tests/bench/test_strategy_speed.py`` holds it to. torch's Adam, its gradient cut to the same length.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property, partial

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from archloom.contracts import FloatArray, Genotypes
from archloom.search_spaces.nasbench201 import nasbench201
from archloom.strategies.gflownet.flows import follow
from archloom.strategies.gflownet.learner import Learner
from archloom.strategies.gflownet.network import FlowNetwork, seeded
from archloom.strategies.gflownet.ordering import pair_loss
from archloom.strategies.gflownet.trajectories import Trajectories, backward_at_random
from benchmarks.measuring import Row, compared, in_turn
from benchmarks.strategy_speed_words import seconds_of

__all__ = ["OursRound", "PlainRound", "measure", "some_points"]

N_COLUMNS, N_CANDIDATES = 6, 5
N_ACTIONS = N_COLUMNS * N_CANDIDATES
WIDTH, BATCH, KL = 256, 128, 0.1


def some_points(n: int = 264) -> tuple[Genotypes, FloatArray]:
    """Return different points of NAS-Bench-201 and a number for each, higher is better."""
    space = nasbench201()
    rng = np.random.default_rng(0)
    rows = space.at(rng.choice(N_CANDIDATES**N_COLUMNS, n, replace=False).tolist())
    worth = rng.normal(size=(N_COLUMNS, N_CANDIDATES))
    return rows, np.asarray(worth[np.arange(N_COLUMNS), rows.choices].sum(axis=1))


class OursRound:
    """Steps by the parts that ``OrderPreservingGFlowNet`` is made of."""

    def __init__(self, seed: int, *, width: int = WIDTH):
        self.filling = nasbench201().filling
        self.learner = Learner(self.filling, seed, width=width, lr=1e-3, lr_log_z=0.1)
        self.points, self.better = some_points()
        self.rng = np.random.default_rng(seed)

    def loss(self, ways: Trajectories, better: FloatArray, partner: Sequence[int]) -> Tensor:
        """Return the loss of a batch."""
        flows = follow(self.learner.network, self.filling, ways)
        order = pair_loss(torch.from_numpy(better), flows.log_reward, torch.tensor(partner))
        return order + KL * flows.backward_kl

    def step(self) -> None:
        """Draw a batch and ways to it, and learn from them."""
        index = self.rng.choice(len(self.points), BATCH, replace=False)
        ways = backward_at_random(self.filling, self.points.choices[index], self.rng)
        self.learner.step(self.loss(ways, self.better[index], self.rng.permutation(BATCH).tolist()))


class PlainRound:
    """Steps trajectory by trajectory.

    Args:
        seed: of the weights, the same as ours get.
        is_by_state: whether the network is called for every state, and not for every trajectory.
        width: of both hidden layers.
    """

    def __init__(self, seed: int, *, is_by_state: bool, width: int = WIDTH):
        self.network: FlowNetwork = seeded(seed, N_ACTIONS, N_COLUMNS, width=width)
        self.is_by_state = is_by_state
        self.points, self.better = some_points()
        self.rng = np.random.default_rng(seed)

    @cached_property
    def optimizer(self) -> torch.optim.Optimizer:
        """Adam; made when it is needed, for its first import takes seconds."""
        others = [each for name, each in self.network.named_parameters() if name != "log_z"]
        return torch.optim.Adam([{"params": others, "lr": 1e-3}, {"params": [self.network.log_z], "lr": 0.1}])

    def loss(
        self,
        rows: Sequence[Sequence[int]],
        orders: Sequence[Sequence[int]],
        better: Sequence[float],
        partner: Sequence[int],
    ) -> Tensor:
        """Return the loss of a batch: finished rows, and in which order their columns were set."""
        implied, divergences = [], []
        for row, order in zip(rows, orders, strict=True):
            log_reward, divergence = self._trajectory(row, order)
            implied.append(log_reward)
            divergences += divergence
        total = torch.zeros(())
        for i, j in enumerate(partner):
            label = 0.5 if better[i] == better[j] else float(better[i] > better[j])
            gap = implied[i] - implied[j]
            total = total - label * functional.logsigmoid(gap) - (1 - label) * functional.logsigmoid(-gap)
        return total / len(rows) + KL * torch.stack(divergences).mean()

    def _trajectory(self, row: Sequence[int], order: Sequence[int]) -> tuple[Tensor, list[Tensor]]:
        """Return the log-reward that a trajectory implies, and ``KL(uniform || P_B)`` of its states."""
        states = [[-1] * len(row)]
        for column in order:
            states.append([*states[-1]])
            states[-1][column] = row[column]
        said = self._said(states)
        log_reward: Tensor = self.network.log_z
        divergences = []
        for step, column in enumerate(order):
            log_forward = self._log_forward(said[step], states[step])
            log_backward, is_set = self._log_backward(said[step + 1], states[step + 1])
            log_reward = log_reward + log_forward[column * N_CANDIDATES + row[column]] - log_backward[column]
            divergences.append(-log_backward[is_set].mean() - np.log(int(is_set.sum())))
        return log_reward, divergences

    def _said(self, states: list[list[int]]) -> list[tuple[Tensor, Tensor]]:
        """Return the logits of ``P_F`` and of ``P_B`` in each state."""
        inputs = []
        for state in states:
            one_hot = torch.zeros(N_ACTIONS)
            for column, candidate in enumerate(state):
                if candidate >= 0:
                    one_hot[column * N_CANDIDATES + candidate] = 1.0
            inputs.append(one_hot)
        if self.is_by_state:
            return [self.network(each)[:2] for each in inputs]
        forward, backward, _ = self.network(torch.stack(inputs))
        return list(zip(forward, backward, strict=True))

    @staticmethod
    def _log_forward(said: tuple[Tensor, Tensor], state: list[int]) -> Tensor:
        is_set = torch.tensor(state).ge(0).repeat_interleave(N_CANDIDATES)
        return said[0].masked_fill(is_set, -torch.inf).log_softmax(dim=0)

    @staticmethod
    def _log_backward(said: tuple[Tensor, Tensor], state: list[int]) -> tuple[Tensor, Tensor]:
        is_set = torch.tensor(state).ge(0)
        return said[1].masked_fill(~is_set, -torch.inf).log_softmax(dim=0), is_set

    def step(self) -> None:
        """Draw a batch and ways to it, and learn from them."""
        index = self.rng.choice(len(self.points), BATCH, replace=False)
        rows = self.points.choices[index].tolist()
        orders = [self.rng.permutation(N_COLUMNS).tolist() for _ in rows]
        loss = self.loss(rows, orders, self.better[index].tolist(), self.rng.permutation(BATCH).tolist())
        self.optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), 10.0)
        self.optimizer.step()


def measure(n_rounds: int = 7) -> list[Row]:
    """Compare steps, one thread each."""
    ours = OursRound(0)
    peers = {
        "one trajectory a call": PlainRound(0, is_by_state=False),
        "one state a call": PlainRound(0, is_by_state=True),
    }
    mine, theirs = in_turn(
        partial(seconds_of, ours.step, 40),
        [partial(seconds_of, peer.step, 2) for peer in peers.values()],
        n_rounds,
    )
    return [
        compared("a step of learning, OP-GFN", mine, f"plain, {name}", times, 3.0)
        for name, times in zip(peers, theirs, strict=True)
    ]
