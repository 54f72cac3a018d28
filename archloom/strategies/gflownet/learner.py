# SPDX-License-Identifier: Apache-2.0
"""A network and what trains it; a function of its seed and of what it is shown."""

from __future__ import annotations

from collections.abc import Sequence
from typing import final

import torch
from torch import Tensor, nn

from archloom.search_spaces.filling import Filling
from archloom.strategies.gflownet.network import seeded

__all__ = ["Learner"]

BETAS = (0.9, 0.999)
"""Of both running means of Adam."""
LONGEST = 10.0
"""Length to which a longer gradient is cut."""


@final
class Learner:
    """A fresh network and its optimiser (Adam).

    Args:
        filling: of the space.
        seed: of the weights.
        width: of the hidden layers.
        lr: learning rate.
        lr_log_z: learning rate of ``log Z``.
        n_conditions: numbers that states are seen together with.
    """

    def __init__(
        self, filling: Filling, seed: int, *, width: int, lr: float, lr_log_z: float, n_conditions: int = 0
    ):
        self.network = seeded(
            seed, filling.n_actions, filling.n_columns, width=width, n_conditions=n_conditions
        )
        totals = [each for name, each in self.network.named_parameters() if "log_z" in name]
        others = [each for name, each in self.network.named_parameters() if "log_z" not in name]
        self._adam = _Adam([(others, lr), (totals, lr_log_z)])

    def step(self, loss: Tensor) -> None:
        """Take one step down a loss; one that is not a number is passed over."""
        if torch.isfinite(loss):
            self._adam.step(loss)


@final
class _Adam:
    """Adam over all parameters as one vector, its gradient held to a length of at most ``LONGEST``.

    What ``torch.optim.Adam`` computes, in a few operations on one vector where that takes a few on each of
    many tensors, and without the second that it takes to import what compiles networks.

    Kingma, Ba: Adam: A Method for Stochastic Optimization, ICLR 2015, arXiv:1412.6980.

    Args:
        groups: parameters, each with a learning rate; they become views of the vector.
    """

    def __init__(self, groups: Sequence[tuple[Sequence[nn.Parameter], float]]):
        self._parameters = [each for group, _ in groups for each in group]
        self._values = torch.cat([each.detach().reshape(-1) for each in self._parameters])
        parts = torch.split(self._values, [each.numel() for each in self._parameters])
        for each, part in zip(self._parameters, parts, strict=True):
            each.data = part.view(each.shape)
        self._mean, self._square = torch.zeros_like(self._values), torch.zeros_like(self._values)
        self._rates = [lr for _, lr in groups]
        self._lengths = [sum(each.numel() for each in group) for group, _ in groups]
        self._n_steps = 0

    def step(self, loss: Tensor) -> None:
        """Take one step down a loss."""
        slopes = torch.autograd.grad(loss, self._parameters, allow_unused=True, materialize_grads=True)
        slope = torch.cat([each.reshape(-1) for each in slopes])
        slope.mul_(min(1.0, LONGEST / (float(slope.norm()) + 1e-6)))
        self._n_steps += 1
        self._mean.lerp_(slope, 1 - BETAS[0])
        self._square.mul_(BETAS[1]).addcmul_(slope, slope, value=1 - BETAS[1])
        first, second = (1 - beta**self._n_steps for beta in BETAS)
        scale = self._square.sqrt().div_(second**0.5).add_(1e-8)
        parts = [torch.split(each, self._lengths) for each in (self._values, self._mean, scale)]
        for lr, value, mean, size in zip(self._rates, *parts, strict=True):
            value.addcdiv_(mean, size, value=-lr / first)
