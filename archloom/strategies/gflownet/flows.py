# SPDX-License-Identifier: Apache-2.0
"""What a network says of whole trajectories: the numbers that balance conditions are made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
import torch
from torch import Tensor

from archloom.search_spaces.filling import Filling
from archloom.strategies.gflownet.network import FlowNetwork, masked_log_softmax
from archloom.strategies.gflownet.trajectories import Trajectories

__all__ = ["Flows", "follow"]


@final
@dataclass(frozen=True, eq=False)
class Flows:
    """Log-probabilities and log-flows along ``n`` trajectories of up to ``t`` steps.

    Args:
        log_forward: ``n x t``, of each step given the state before it; 0 after the last.
        log_backward: ``n x t``, of each step given the state after it; 0 after the last.
        log_flow: ``n x (t + 1)``, of each state.
        log_z: the total, one number or ``n``.
        is_step: ``n x t``.
        lengths: ``n``.
        backward_kl: ``KL(uniform over parents || P_B)``, the mean over all states but the empty one.
    """

    log_forward: Tensor
    log_backward: Tensor
    log_flow: Tensor
    log_z: Tensor
    is_step: Tensor
    lengths: Tensor
    backward_kl: Tensor

    @property
    def gain(self) -> Tensor:
        """``sum log P_F - sum log P_B`` up to each state, ``n x (t + 1)``."""
        steps = (self.log_forward - self.log_backward).cumsum(dim=1)
        return torch.cat([torch.zeros_like(steps[:, :1]), steps], dim=1)

    @property
    def log_reward(self) -> Tensor:
        """What the trajectory implies of its end: ``log Z + sum log P_F - sum log P_B``, ``n``."""
        return self.log_z + self.gain[:, -1]

    @property
    def log_flow_at_end(self) -> Tensor:
        """The log-flow of each finished row, ``n``."""
        return self.log_flow.gather(1, self.lengths[:, None]).squeeze(1)

    def log_flow_ending(self, at_end: Tensor) -> Tensor:
        """Return ``log_flow`` with other values, ``n``, in the place of the finished rows."""
        return self.log_flow.scatter(1, self.lengths[:, None], at_end[:, None])


def follow(
    network: FlowNetwork, filling: Filling, trajectories: Trajectories, conditions: Tensor | None = None
) -> Flows:
    """Run a network along trajectories.

    Args:
        network: the network.
        filling: of the space.
        trajectories: ``n`` of them.
        conditions: ``n x c`` numbers that each is seen together with.
    """
    states = trajectories.states()
    n, n_states, d = states.shape
    flat = states.reshape(-1, d)
    inputs = torch.from_numpy(filling.one_hot(flat).astype(np.float32))
    if conditions is not None:
        inputs = torch.cat([inputs, conditions.repeat_interleave(n_states, dim=0)], dim=1)
    said = network(inputs)
    can_go = torch.from_numpy(filling.forward(flat))
    can_return = torch.from_numpy(filling.backward(flat))
    forward = masked_log_softmax(said.forward, can_go).reshape(n, n_states, -1)
    backward = masked_log_softmax(said.backward, can_return).reshape(n, n_states, -1)
    is_step = torch.from_numpy(trajectories.is_step)
    action = torch.from_numpy(trajectories.actions(filling))[:, :, None]
    column = torch.from_numpy(np.maximum(trajectories.order, 0))[:, :, None]
    return Flows(
        log_forward=forward[:, :-1].gather(2, action).squeeze(2) * is_step,
        log_backward=backward[:, 1:].gather(2, column).squeeze(2) * is_step,
        log_flow=said.log_flow.reshape(n, n_states),
        log_z=network.log_partition(conditions),
        is_step=is_step,
        lengths=torch.from_numpy(trajectories.lengths),
        backward_kl=_kl_from_uniform(backward[:, 1:], can_return.reshape(n, n_states, -1)[:, 1:], is_step),
    )


def _kl_from_uniform(log_backward: Tensor, can_return: Tensor, is_step: Tensor) -> Tensor:
    n_parents = can_return.sum(dim=2).clamp(min=1)
    mean = (log_backward * can_return).sum(dim=2) / n_parents
    each = (-mean - n_parents.log()) * is_step
    return each.sum() / is_step.sum().clamp(min=1)
