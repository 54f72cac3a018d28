# SPDX-License-Identifier: Apache-2.0
"""What a network says of whole trajectories: the numbers that balance conditions are made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
import torch
from torch import Tensor

from archloom.search_spaces.filling import Filling
from archloom.strategies.gflownet.network import FlowNetwork
from archloom.strategies.gflownet.trajectories import Indices, Trajectories
from archloom.strategies.numerics import masked_log_softmax

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

    A state on several of them is looked at once where nothing but the state is seen.

    Args:
        network: the network.
        filling: of the space.
        trajectories: ``n`` of them.
        conditions: ``n x c`` numbers that each is seen together with.
    """
    states, at = trajectories.visited() if conditions is None else trajectories.every_visit()
    inputs = torch.from_numpy(filling.one_hot(states).astype(np.float32))
    if conditions is not None:
        inputs = torch.cat([inputs, conditions.repeat_interleave(at.shape[1], dim=0)], dim=1)
    said = network(inputs)
    can_go, can_return = filling.forward(states), filling.backward(states)
    forward = masked_log_softmax(said.forward, torch.from_numpy(can_go))
    backward = masked_log_softmax(said.backward, torch.from_numpy(can_return))
    is_step = torch.from_numpy(trajectories.is_step)
    column = np.maximum(trajectories.order, 0)
    kl = _kl_from_uniform(backward, torch.from_numpy(can_return))
    return Flows(
        log_forward=_picked(forward, at[:, :-1], trajectories.actions(filling)) * is_step,
        log_backward=_picked(backward, at[:, 1:], column) * is_step,
        log_flow=_picked(said.log_flow[:, None], at, 0),
        log_z=network.log_partition(conditions),
        is_step=is_step,
        lengths=torch.from_numpy(trajectories.lengths),
        backward_kl=(_picked(kl[:, None], at[:, 1:], 0) * is_step).sum() / is_step.sum().clamp(min=1),
    )


def _picked(table: Tensor, row: Indices, column: Indices | int) -> Tensor:
    """Return entries of a table; much quicker to differentiate than to index with two tensors."""
    place = torch.from_numpy(row * table.shape[1] + column)
    return table.reshape(-1).index_select(0, place.reshape(-1)).reshape(place.shape)


def _kl_from_uniform(log_backward: Tensor, can_return: Tensor) -> Tensor:
    """Return ``KL(uniform || P_B)`` in each of ``u`` states."""
    n_parents = can_return.sum(dim=1).clamp(min=1)
    return -(log_backward * can_return).sum(dim=1) / n_parents - n_parents.log()
