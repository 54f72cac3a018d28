# SPDX-License-Identifier: Apache-2.0
"""OP-GFN: a flow that learns in what order architectures are, not how good they are."""

from __future__ import annotations

from typing import ClassVar, Literal, final

import numpy as np
import torch
from torch import Tensor

from archloom.contracts import FloatArray
from archloom.errors import ConfigError, did_you_mean
from archloom.strategies.gflownet.flows import Flows, follow
from archloom.strategies.gflownet.learner import Learner
from archloom.strategies.gflownet.losses import Judge, balance_parts, balance_steps, order_parts
from archloom.strategies.gflownet.matching import match_flows, mismatch
from archloom.strategies.gflownet.ordering import front_loss, pair_loss
from archloom.strategies.gflownet.replay import best_of, ranked
from archloom.strategies.gflownet.search import FlowSearch, Known, Schedule
from archloom.strategies.gflownet.trajectories import Trajectories

__all__ = ["OrderPreservingGFlowNet"]

Balance = Literal["trajectory", "detailed", "flow", "sub_trajectory"]
BALANCES = ("trajectory", "detailed", "flow", "sub_trajectory")
FRONT_SHARE = 0.1
"""Of a batch, what is drawn from the Pareto front where there are several objectives."""


@final
class OrderPreservingGFlowNet(FlowSearch):
    """Samples architectures with a flow whose reward is only known by its order (OP-GFN).

    What a trajectory implies of its end, ``log Z + sum log P_F - sum log P_B``, is trained to have the order
    of the measured objective: no reward is regressed, and no temperature has to be tuned. With several
    objectives it is trained to agree with the uniform distribution over the Pareto front.

    Chen, Mauch: Order-Preserving GFlowNets, ICLR 2024, arXiv:2310.00386; the defaults are those of its
    architecture search, but for a quarter of its steps (200 and 2,000 there), minibatches in the place of the
    whole history, and ways drawn anew (``FlowSearch``): on NAS-Bench-201 that finds the same architectures.

    Args:
        balance: which condition holds beside the order: ``trajectory`` (none), ``detailed``, ``flow`` or
            ``sub_trajectory``.
        order: weight of the order in the last three.
        kl: weight of ``KL(uniform || P_B)``, which keeps ``P_B`` from taking up the order.
        n_initial: random proposals at the start.
        n_round: finished trials between two rounds of learning.
        n_steps: gradient steps a round.
        restart_every: rounds after which the network is made anew; 0 for never.
        restart_steps: gradient steps of such a round.
        batch_size: trajectories a step.
        width: of both hidden layers.
        lr: learning rate (Adam).
        lr_log_z: learning rate of ``log Z``.
        augmentation: whether each round ends with 20 steps on ways that ``P_B`` draws to 20 rows, half of
            them from the best tenth.
        epsilon: probability of a random step in a proposal.
        temperature: by which a proposal's logits are divided.

    Raises:
        ConfigError: an option out of its range.
    """

    supports: ClassVar[frozenset[str]] = frozenset({"several_objectives", "constraints"})

    def __init__(
        self,
        *,
        balance: Balance = "trajectory",
        order: float = 0.1,
        kl: float = 0.1,
        n_initial: int = 64,
        n_round: int = 10,
        n_steps: int = 50,
        restart_every: int = 10,
        restart_steps: int = 500,
        batch_size: int = 64,
        width: int = 256,
        lr: float = 1e-3,
        lr_log_z: float = 0.1,
        augmentation: bool = True,
        epsilon: float = 0.0,
        temperature: float = 1.0,
    ):
        if balance not in BALANCES:
            raise ConfigError(f"there is no balance {balance!r}{did_you_mean(balance, BALANCES)}")
        if order <= 0 or kl < 0:
            raise ConfigError(f"order is above zero and kl not below, got {order} and {kl}")
        super().__init__(
            Schedule(n_initial, n_round, n_steps, restart_every, restart_steps, batch_size),
            width=width,
            lr=lr,
            lr_log_z=lr_log_z,
            augmentation=augmentation,
            epsilon=epsilon,
            temperature=temperature,
        )
        self._balance, self._order, self._kl = balance, order, kl

    def _better(self, known: Known) -> FloatArray:
        if len(self.objectives) > 1:
            return np.asarray(best_of(known.costs, known.violations), dtype=float)
        return ranked(known.costs, known.violations)

    def _pick(self, known: Known, rng: np.random.Generator) -> Known:
        seen = super()._pick(known, rng)
        if len(self.objectives) == 1 or len(seen.rows) == len(known.rows):
            return seen
        front = np.flatnonzero(best_of(known.costs, known.violations))
        n = max(1, round(FRONT_SHARE * len(seen.rows)))
        more = known.pick(rng.choice(front, n))
        return Known(
            np.concatenate([seen.rows[:-n], more.rows]),
            np.concatenate([seen.costs[:-n], more.costs]),
            np.concatenate([seen.violations[:-n], more.violations]),
        )

    def _loss(self, learner: Learner, batch: Trajectories, known: Known, rng: np.random.Generator) -> Tensor:
        judge = self._judge(known, rng)
        flows = follow(learner.network, self._filling, batch)
        loss = self._ordered(learner, batch, flows, judge)
        return loss + self._kl * flows.backward_kl if self._kl else loss

    def _ordered(self, learner: Learner, batch: Trajectories, flows: Flows, judge: Judge) -> Tensor:
        if self._balance == "trajectory":
            return judge(flows.log_reward)
        if self._balance == "detailed":
            return balance_steps(flows, flows.log_flow) + self._order * judge(flows.log_flow_at_end)
        if self._balance == "sub_trajectory":
            return balance_parts(flows, flows.log_flow) + self._order * order_parts(flows, judge)
        visited = batch.states()[:, 1:].reshape(-1, self._filling.n_columns)
        matched = match_flows(learner.network, self._filling, visited)
        return mismatch(matched) + self._order * judge(flows.log_flow_at_end)

    def _judge(self, known: Known, rng: np.random.Generator) -> Judge:
        if len(self.objectives) > 1:
            is_front = torch.from_numpy(best_of(known.costs, known.violations))
            return lambda implied: front_loss(is_front, implied)
        better = torch.from_numpy(ranked(known.costs, known.violations))
        partner = torch.from_numpy(rng.permutation(len(better)))
        return lambda implied: pair_loss(better, implied, partner)
