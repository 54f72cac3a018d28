# SPDX-License-Identifier: Apache-2.0
"""What networks are trained for.

Notation: a batch is a pair of inputs ``b x ...`` and targets; a split has ``n`` samples, ``c`` classes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import torch
from torch import nn
from torch.nn import functional

from archloom.contracts import Task
from archloom.errors import ConfigError, DataError
from archloom.evaluators.options import call_with_options
from archloom.evaluators.registries import TASKS

__all__ = ["Classification", "Regression", "as_task"]


class Classification(Task):
    """Which of ``c`` classes: logits ``b x c`` and class numbers ``b`` (or ``b x c x ...`` and ``b x ...``).

    Trained on cross-entropy. Its metrics are ``loss``, the cross-entropy *without* smoothing, so that it
    stays comparable, and ``accuracy``, the share of largest logits that are right, in ``[0, 1]``.

    Args:
        label_smoothing: the share of the target spread evenly over all classes while training, in
            ``[0, 1)`` (Szegedy et al. 2016).
    """

    gives: ClassVar[tuple[str, ...]] = ("loss", "accuracy")

    def __init__(self, *, label_smoothing: float = 0.0):
        if not 0.0 <= label_smoothing < 1.0:
            raise ConfigError(f"label_smoothing must be in [0, 1); got {label_smoothing}")
        self.label_smoothing = label_smoothing

    def forward_batch(self, network: nn.Module, batch: Any) -> tuple[torch.Tensor, torch.Tensor]:
        """Return logits and class numbers."""
        inputs, targets = batch
        return network(inputs), targets

    def loss(self, outputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        """Return the mean cross-entropy, smoothed."""
        return functional.cross_entropy(outputs, targets, label_smoothing=self.label_smoothing)

    def metrics(self, outputs: torch.Tensor, targets: torch.Tensor) -> dict[str, float]:
        """Return cross-entropy and accuracy.

        >>> logits = torch.tensor([[2.0, 0.0], [2.0, 0.0]])
        >>> Classification().metrics(logits, torch.tensor([0, 1]))["accuracy"]
        0.5
        """
        is_right = outputs.argmax(dim=1) == targets
        return {
            "loss": float(functional.cross_entropy(outputs, targets)),
            "accuracy": float(is_right.double().mean()),
        }


class Regression(Task):
    """Real targets, ``b`` or ``b x k``, trained on the mean squared error.

    Its metrics are ``loss`` (mean squared error), ``mae`` (mean absolute error) and ``r2``, the
    coefficient of determination ``1 - SSE / SST`` averaged over the ``k`` targets, where ``SST`` is taken
    around each target's mean on the measured split; a constant target has none, and counts as 0.
    """

    gives: ClassVar[tuple[str, ...]] = ("loss", "mae", "r2")

    def forward_batch(self, network: nn.Module, batch: Any) -> tuple[torch.Tensor, torch.Tensor]:
        """Return outputs and targets, ``b x k`` each.

        Raises:
            DataError: they differ in more than a trailing axis of one.
        """
        inputs, targets = batch
        outputs = network(inputs)
        outputs, targets = (t[:, None] if t.ndim == 1 else t for t in (outputs, targets))
        if outputs.shape != targets.shape:  # torch would broadcast, and learn nonsense
            raise DataError(
                f"regression needs outputs and targets of one shape; got {tuple(outputs.shape)} "
                f"and {tuple(targets.shape)}"
            )
        return outputs, targets.to(outputs.dtype)

    def loss(self, outputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        """Return the mean squared error."""
        return functional.mse_loss(outputs, targets)

    def metrics(self, outputs: torch.Tensor, targets: torch.Tensor) -> dict[str, float]:
        """Return mean squared error, mean absolute error and R^2.

        >>> y = torch.tensor([[0.0], [2.0]])
        >>> Regression().metrics(y + 0.5, y)
        {'loss': 0.25, 'mae': 0.5, 'r2': 0.75}
        """
        errors = outputs - targets
        total = (targets - targets.mean(dim=0)).square().sum(dim=0)
        r2 = torch.where(total > 0, 1.0 - errors.square().sum(dim=0) / total, torch.zeros_like(total))
        return {
            "loss": float(errors.square().mean()),
            "mae": float(errors.abs().mean()),
            "r2": float(r2.mean()),
        }


def as_task(task: Any, options: Mapping[str, Any]) -> Task:
    """Return the task that a study means.

    Args:
        task: a registered name, an import path or a live ``Task``.
        options: for what the name or path stands for.

    Raises:
        UnknownNameError: nothing is registered under the name.
        ConfigError: an option is unknown, has nothing to go to, or there is no task.
    """
    found = TASKS.get(task) if isinstance(task, str) else task
    if isinstance(found, Task) and options:
        raise ConfigError(
            f"task_options go with a task's name; {type(found).__name__} is already made: {options}"
        )
    if not isinstance(found, Task) and callable(found):
        found = call_with_options(found, options, f"the task {task!r}")
    if not isinstance(found, Task):
        raise ConfigError(
            f"task must be a name, an import path or a Task; got {task!r} ({type(found).__name__})"
        )
    return found
