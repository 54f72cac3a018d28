# SPDX-License-Identifier: Apache-2.0
"""One epoch of training, and one pass of measuring."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import nn

from archloom.contracts import Task
from archloom.errors import ArchloomError
from archloom.evaluators.batches import Batches
from archloom.evaluators.optimisation import Optimisation

__all__ = ["Trainer", "measure"]

_CHECK_EVERY = 64
"""Steps between two looks at the losses: each look makes a GPU wait."""


class Trainer:
    """Trains one network, epoch by epoch.

    Args:
        network: what learns; it and the batches are on one device.
        batches: the training split.
        task: gives the loss.
        optimisation: how the weights are moved.
        n_epochs: how many epochs the learning-rate schedule spans.
    """

    def __init__(
        self, network: nn.Module, batches: Batches, task: Task, optimisation: Optimisation, *, n_epochs: int
    ):
        self._network = network
        self._batches = batches
        self._task = task
        self._optimisation = optimisation
        self._n_epochs = n_epochs
        self._optimizer = optimisation.make(network)
        self._lrs: list[float] = []

    def epoch(self, number: int) -> float:
        """Train for the epoch ``number`` (from 1) and return its mean loss a sample.

        Raises:
            ArchloomError: the loss is no longer finite; the message names epoch, step and learning rate.
        """
        self._network.train()
        losses: list[torch.Tensor] = []
        sizes: list[int] = []
        self._lrs = []
        for batch in self._batches:
            outputs, targets = self._task.forward_batch(self._network, batch)
            losses.append(self._step(outputs, targets, number))
            sizes.append(len(targets))
            if len(losses) % _CHECK_EVERY == 0:
                self._check(losses, number)
        self._check(losses, number)
        weights = torch.tensor(sizes, dtype=torch.float64)
        return float(torch.stack(losses).cpu().double() @ weights / weights.sum())

    def _step(self, outputs: Any, targets: Any, epoch: int) -> torch.Tensor:
        n_batches = len(self._batches)
        step = (epoch - 1) * n_batches + len(self._lrs)
        lr = self._optimisation.lr_at(step, self._n_epochs * n_batches, self._n_epochs)
        self._lrs.append(lr)
        for group in self._optimizer.param_groups:
            group["lr"] = lr
        self._optimizer.zero_grad(set_to_none=True)
        loss: torch.Tensor = self._task.loss(outputs, targets)
        loss.backward()  # type: ignore[no-untyped-call]
        if self._optimisation.gradient_clip is not None:
            nn.utils.clip_grad_norm_(self._network.parameters(), self._optimisation.gradient_clip)
        self._optimizer.step()
        return loss.detach()

    def _check(self, losses: list[torch.Tensor], epoch: int) -> None:
        start = max(0, (len(losses) - 1) // _CHECK_EVERY * _CHECK_EVERY)
        recent = torch.stack(losses[start:]).tolist()
        for step, loss in enumerate(recent, start):
            if not abs(loss) < float("inf"):  # NaN compares as false
                raise ArchloomError(
                    f"diverged at epoch {epoch}, step {step + 1}: loss is {loss} (lr={self._lrs[step]:.3g})"
                )


@torch.no_grad()
def measure(network: nn.Module, batches: Iterable[Any], task: Task) -> dict[str, float]:
    """Return the task's metrics of a whole split, in evaluation mode."""
    network.eval()
    pairs = [task.forward_batch(network, batch) for batch in batches]
    outputs, targets = (torch.cat(parts) for parts in zip(*pairs, strict=True))
    return task.metrics(outputs, targets)
