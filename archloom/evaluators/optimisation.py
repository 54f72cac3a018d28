# SPDX-License-Identifier: Apache-2.0
"""Optimisers and learning-rate schedules, by name."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

from torch import nn, optim

from archloom.errors import ConfigError
from archloom.evaluators.options import known

__all__ = ["OPTIMIZERS", "SCHEDULES", "Optimisation", "OptimizerName", "ScheduleName"]

OptimizerName = Literal["adam", "adamw", "sgd"]
ScheduleName = Literal["constant", "cosine", "linear"]

Parameters = Iterable[nn.Parameter]


def _adam(parameters: Parameters, lr: float, weight_decay: float | None, momentum: float) -> optim.Optimizer:
    decay = 0.0 if weight_decay is None else weight_decay
    return optim.Adam(parameters, lr=lr, weight_decay=decay, betas=(momentum, 0.999), fused=True)


def _adamw(parameters: Parameters, lr: float, weight_decay: float | None, momentum: float) -> optim.Optimizer:
    decay = 0.01 if weight_decay is None else weight_decay
    return optim.AdamW(parameters, lr=lr, weight_decay=decay, betas=(momentum, 0.999), fused=True)


def _sgd(parameters: Parameters, lr: float, weight_decay: float | None, momentum: float) -> optim.Optimizer:
    decay = 5e-4 if weight_decay is None else weight_decay
    return optim.SGD(
        parameters, lr=lr, weight_decay=decay, momentum=momentum, nesterov=momentum > 0, fused=True
    )


OPTIMIZERS: dict[str, Callable[[Parameters, float, float | None, float], optim.Optimizer]] = {
    "adam": _adam,
    "adamw": _adamw,
    "sgd": _sgd,
}
"""Name to maker; ``weight_decay=None`` takes the customary one: 0, 0.01 and 0.0005."""

SCHEDULES: dict[str, Callable[[float], float]] = {
    "constant": lambda progress: 1.0,
    "cosine": lambda progress: 0.5 * (1.0 + math.cos(math.pi * progress)),
    "linear": lambda progress: 1.0 - progress,
}
"""Name to the factor of the learning rate at a progress in ``[0, 1]`` (after the warm-up)."""


@dataclass(frozen=True, kw_only=True)
class Optimisation:
    """How a network's weights are moved.

    The learning rate of step ``s`` of ``S`` is ``lr * (s + 1) / W`` in the first ``W`` steps, the warm-up,
    and ``lr * schedule((s - W) / (S - W))`` after them.

    Args:
        optimizer: ``adamw`` (Loshchilov and Hutter 2019), ``adam`` (Kingma and Ba 2015) or ``sgd`` (with
            Nesterov's momentum).
        lr: the highest learning rate.
        weight_decay: ``None`` takes the customary one: adamw 0.01, adam 0, sgd 0.0005.
        momentum: sgd's momentum; the first beta of the other two.
        schedule: ``cosine``, ``linear`` (both fall to 0) or ``constant``.
        warmup_epochs: the length of the warm-up; a fraction will do.
        gradient_clip: the highest norm of the gradient; ``None`` does not clip.

    Raises:
        ConfigError: an unknown name or a number out of its range.
    """

    optimizer: OptimizerName = "adamw"
    lr: float = 1e-3
    weight_decay: float | None = None
    momentum: float = 0.9
    schedule: ScheduleName = "cosine"
    warmup_epochs: float = 0.0
    gradient_clip: float | None = None

    def __post_init__(self) -> None:
        known(self.optimizer, sorted(OPTIMIZERS), "optimizer")
        known(self.schedule, sorted(SCHEDULES), "schedule")
        rules = {
            "lr": (self.lr, self.lr > 0, "above 0"),
            "weight_decay": (
                self.weight_decay,
                self.weight_decay is None or self.weight_decay >= 0,
                "at least 0",
            ),
            "momentum": (self.momentum, 0 <= self.momentum < 1, "in [0, 1)"),
            "warmup_epochs": (self.warmup_epochs, self.warmup_epochs >= 0, "at least 0"),
            "gradient_clip": (
                self.gradient_clip,
                self.gradient_clip is None or self.gradient_clip > 0,
                "above 0",
            ),
        }
        for name, (value, is_right, rule) in rules.items():
            if not is_right:
                raise ConfigError(f"{name} must be {rule}; got {value}")

    def make(self, network: nn.Module, *, is_routed: bool = False) -> optim.Optimizer:
        """Return an optimiser over the network's trainable parameters.

        Args:
            network: the network.
            is_routed: whether steps reach different parts of it.
        """
        trainable = [p for p in network.parameters() if p.requires_grad]
        made = OPTIMIZERS[self.optimizer](trainable, self.lr, self.weight_decay, self.momentum)
        if is_routed and self.optimizer == "sgd":  # torch's fused one cannot have moved only some weights
            made.param_groups[0].update(fused=False, foreach=True)
        return made

    def lr_at(self, step: int, n_steps: int, n_epochs: int) -> float:
        """Return the learning rate of step ``step`` of ``n_steps``, which make ``n_epochs`` epochs.

        >>> plan = Optimisation(lr=1.0, schedule="linear", warmup_epochs=1)
        >>> [plan.lr_at(step, 6, 3) for step in range(6)]
        [0.5, 1.0, 1.0, 0.75, 0.5, 0.25]
        """
        n_warm = round(self.warmup_epochs * n_steps / n_epochs)
        if step < n_warm:
            return self.lr * (step + 1) / n_warm
        return self.lr * SCHEDULES[self.schedule]((step - n_warm) / max(1, n_steps - n_warm))
