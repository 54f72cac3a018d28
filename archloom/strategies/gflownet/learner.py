# SPDX-License-Identifier: Apache-2.0
"""A network and what trains it; a function of its seed and of what it is shown."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import final

import torch
from torch import Tensor

from archloom.search_spaces.filling import Filling
from archloom.strategies.gflownet.network import seeded

__all__ = ["Learner", "one_thread"]


@contextmanager
def one_thread() -> Iterator[None]:
    """Compute with one thread: these networks are small, and another number of threads rounds otherwise."""
    n = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(n)


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
        self._optimizer = torch.optim.Adam(
            [{"params": others, "lr": lr}, {"params": totals, "lr": lr_log_z}], foreach=True
        )

    def step(self, loss: Tensor) -> None:
        """Take one step down a loss; one that is not a number is passed over."""
        if not torch.isfinite(loss):
            return
        self._optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), 10.0)
        self._optimizer.step()
