# SPDX-License-Identifier: Apache-2.0
"""One epoch of training, one pass of measuring, and the best epoch to go back to."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, final

import torch
from torch import nn

from archloom.contracts import Task
from archloom.errors import ArchloomError
from archloom.evaluators.augmentation import Mixed
from archloom.evaluators.batches import Batches, enough_samples
from archloom.evaluators.optimisation import Optimisation
from archloom.nn.drop_path import drop_paths
from archloom.nn.networks import Auxiliary

__all__ = ["BestEpoch", "Trainer", "measure"]

_CHECK_EVERY = 64
"""Steps between two looks at the losses: each look makes a GPU wait."""


@final
class Trainer:
    """Trains one network, epoch by epoch.

    Args:
        network: what learns; it and the batches are on one device. Its ``ScheduledDropPath`` modules are told
            before each step which share of all steps is done.
        batches: the training split.
        task: gives the loss.
        optimisation: how the weights are moved.
        n_epochs: how many epochs the learning-rate schedule spans.
        augment: changes a training batch and, where it blends samples, says how; ``None`` changes nothing.
        scaler: scales the loss, so that small gradients survive in float16; ``None`` does not.
        optimizer: one that has moved these weights before; ``None`` makes one.
        passes: for a network that is routed: called before each step, returns what routes it for each pass
            over the batch; the loss is the mean of the passes.
    """

    def __init__(
        self,
        network: nn.Module,
        batches: Batches,
        task: Task,
        optimisation: Optimisation,
        *,
        n_epochs: int,
        augment: Callable[[Any], tuple[Any, Mixed | None]] | None = None,
        scaler: torch.amp.GradScaler | None = None,
        optimizer: torch.optim.Optimizer | None = None,
        passes: Callable[[], Sequence[Callable[[], None]]] | None = None,
    ):
        self._network = network
        self._batches = batches
        self._task = task
        self._optimisation = optimisation
        self._n_epochs = n_epochs
        self._augment = augment
        self._scaler = scaler
        self._passes = passes
        self._optimizer = optimizer or optimisation.make(network)
        self._parameters = list(network.parameters())
        self._drop_paths = drop_paths(network)

    def epoch(self, number: int) -> float:
        """Train for the epoch ``number`` (from 1) and return its mean loss a sample.

        Raises:
            ArchloomError: the loss is no longer finite; the message names epoch, step and learning rate.
        """
        self._network.train()
        losses: list[float] = []
        recent: list[torch.Tensor] = []
        sizes: list[int] = []
        for batch in self._batches:
            loss, n = self.step(batch, number, len(sizes))
            recent.append(loss)
            sizes.append(n)
            if len(recent) == _CHECK_EVERY:
                losses += self._finite(recent, number, len(losses))
                recent = []
        if recent:
            losses += self._finite(recent, number, len(losses))
        return sum(loss * n for loss, n in zip(losses, sizes, strict=True)) / sum(sizes)

    def step(self, batch: Any, number: int, step: int) -> tuple[torch.Tensor, int]:
        """Take step ``step`` (from 0) of the epoch ``number``; return the loss and the number of samples."""
        self._set_lr(self.lr(number, step))
        self._set_progress(number, step)
        return self._learn(batch)

    def loss(self, batch: Any) -> torch.Tensor:
        """Return the loss of a batch as it is; nothing is moved."""
        return self._loss(batch, None)[0]

    def _learn(self, batch: Any) -> tuple[torch.Tensor, int]:
        for parameter in self._parameters:  # as zero_grad does, which takes longer to say so
            parameter.grad = None
        batch, mixed = (batch, None) if self._augment is None else self._augment(batch)
        if self._passes is None:
            loss, n = self._loss(batch, mixed)
            self._backward(loss)
        else:
            losses, routes = [], self._passes()
            for route in routes:
                route()
                loss, n = self._loss(batch, mixed)
                self._backward(loss / len(routes))
                losses.append(loss.detach())
            loss = torch.stack(losses).mean()
        self._move()
        return loss.detach(), n

    def _loss(self, batch: Any, mixed: Mixed | None) -> tuple[torch.Tensor, int]:
        with enough_samples():
            outputs, targets = self._task.forward_batch(self._network, batch)
        if isinstance(outputs, Auxiliary):
            main, second = (self._blended(each, targets, mixed) for each in outputs[:2])
            return main + outputs.weight * second, len(targets)
        return self._blended(outputs, targets, mixed), len(targets)

    def _blended(self, outputs: Any, targets: Any, mixed: Mixed | None) -> torch.Tensor:
        loss: torch.Tensor = self._task.loss(outputs, targets)
        if mixed is not None:
            loss = mixed.share * loss + (1 - mixed.share) * self._task.loss(outputs, targets[mixed.partners])
        return loss

    def _backward(self, loss: torch.Tensor) -> None:
        (loss if self._scaler is None else self._scaler.scale(loss)).backward()  # type: ignore[no-untyped-call]

    def _move(self) -> None:
        """Have the optimiser move the weights by their gradients."""
        scaler = self._scaler
        if self._optimisation.gradient_clip is not None:
            if scaler is not None:
                scaler.unscale_(self._optimizer)
            nn.utils.clip_grad_norm_(self._parameters, self._optimisation.gradient_clip)
        if scaler is None:
            self._optimizer.step()
        else:
            scaler.step(self._optimizer)
            scaler.update()

    def lr(self, epoch: int, step: int) -> float:
        """Return the learning rate of a step (from 0) of an epoch (from 1)."""
        n_batches = len(self._batches)
        step += (epoch - 1) * n_batches
        return self._optimisation.lr_at(step, self._n_epochs * n_batches, self._n_epochs)

    def _set_progress(self, epoch: int, step: int) -> None:
        if not self._drop_paths:
            return
        n_batches = len(self._batches)
        share = ((epoch - 1) * n_batches + step) / (self._n_epochs * n_batches)
        for path in self._drop_paths:
            path.progress = min(1.0, share)

    def _set_lr(self, lr: float) -> None:
        for group in self._optimizer.param_groups:
            group["lr"] = lr

    def _finite(self, losses: list[torch.Tensor], epoch: int, n_before: int) -> list[float]:
        found: list[float] = torch.stack(losses).tolist()
        for step, loss in enumerate(found, n_before):
            if not abs(loss) < float("inf"):  # NaN compares as false
                lr = self.lr(epoch, step)
                raise ArchloomError(
                    f"diverged at epoch {epoch}, step {step + 1}: loss is {loss} (lr={lr:.3g})"
                )
        return found


@torch.no_grad()
def measure(network: nn.Module, batches: Iterable[Any], task: Task) -> dict[str, float]:
    """Return the task's metrics of a whole split, in evaluation mode."""
    network.eval()
    pairs = [task.forward_batch(network, batch) for batch in batches]
    outputs, targets = (torch.cat(parts) for parts in zip(*pairs, strict=True))
    return task.metrics(outputs, targets)


@final
class BestEpoch:
    """The epoch of the lowest validation loss, with its weights."""

    def __init__(self, network: nn.Module):
        self._network = network
        self._epoch = 0
        self._metrics: Mapping[str, float] = {"validation/loss": float("inf")}
        self._weights: dict[str, torch.Tensor] = {}

    def n_since(self, epoch: int, metrics: Mapping[str, float]) -> int:
        """Take note of an epoch; return for how many there has been no improvement."""
        if not self._weights or metrics["validation/loss"] < self._metrics["validation/loss"]:
            self._epoch = epoch
            self._metrics = metrics
            self._weights = {name: tensor.clone() for name, tensor in self._network.state_dict().items()}
        return epoch - self._epoch

    def restore(self) -> dict[str, float]:
        """Put the weights of that epoch back and return its metrics."""
        self._network.load_state_dict(self._weights)
        return dict(self._metrics)
