# SPDX-License-Identifier: Apache-2.0
"""The network of a flow: which action next, which column last, and how much flows through a state."""

from __future__ import annotations

from typing import NamedTuple, final

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

__all__ = ["FlowNetwork", "FlowOutput", "seeded"]


class FlowOutput(NamedTuple):
    """What a network says of ``s`` states.

    Args:
        forward: ``s x a`` logits of the actions.
        backward: ``s x d`` logits of the columns.
        log_flow: ``s``.
    """

    forward: Tensor
    backward: Tensor
    log_flow: Tensor


@final
class FlowNetwork(nn.Module):
    """A multilayer perceptron with three heads, and ``log_z``.

    Args:
        n_actions: ``a``; a state is ``a`` indicators of the actions taken.
        n_columns: ``d``.
        width: of both hidden layers.
        n_conditions: numbers that a state is seen together with, such as an encoded preference; ``log_z`` is
            then a function of them.
    """

    def __init__(self, n_actions: int, n_columns: int, *, width: int = 256, n_conditions: int = 0):
        super().__init__()
        self.torso = nn.Sequential(
            nn.Linear(n_actions + n_conditions, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU()
        )
        self.head = nn.Linear(width, n_actions + n_columns + 1)
        self._split = (n_actions, n_columns, 1)
        self.log_z = nn.Parameter(torch.zeros(()))
        self.conditioned_log_z = (
            nn.Sequential(nn.Linear(n_conditions, 64), nn.ReLU(), nn.Linear(64, 1)) if n_conditions else None
        )

    def forward(self, states: Tensor) -> FlowOutput:
        """Return what it says of states, ``s x (a + conditions)``."""
        forward, backward, log_flow = self.head(self.torso(states)).split(self._split, dim=-1)
        return FlowOutput(forward, backward, log_flow.squeeze(-1))

    def log_partition(self, conditions: Tensor | None = None) -> Tensor:
        """Return ``log Z``, one number, or one for each of ``n`` conditions."""
        if self.conditioned_log_z is None or conditions is None:
            return self.log_z
        more: Tensor = self.conditioned_log_z(conditions)
        return self.log_z + more.squeeze(-1)


def seeded(seed: int, n_actions: int, n_columns: int, *, width: int, n_conditions: int = 0) -> FlowNetwork:
    """Make a network whose weights are a function of a seed; torch's own generator is left as it is."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return FlowNetwork(n_actions, n_columns, width=width, n_conditions=n_conditions)


def tensor(array: npt.NDArray[np.generic]) -> Tensor:
    """Return an array as a tensor, indicators as float32."""
    found = torch.from_numpy(np.ascontiguousarray(array))
    return found.float() if found.is_floating_point() else found
