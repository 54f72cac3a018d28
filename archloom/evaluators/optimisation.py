# SPDX-License-Identifier: Apache-2.0
"""Optimisers and learning-rate schedules, by name."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal, get_args

from torch import nn, optim

from archloom.errors import ConfigError
from archloom.evaluators.options import known

__all__ = ["OPTIMIZERS", "SCHEDULES", "Optimisation", "OptimizerName", "ScheduleName", "cosine_power"]

OptimizerName = Literal["adam", "adamw", "sgd"]
ScheduleName = Literal["constant", "cosine", "cosine_power", "linear"]

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


def _cosine(progress: float) -> float:
    return 0.5 * (1.0 + math.cos(math.pi * progress))


SCHEDULES: dict[str, Callable[[float], float]] = {
    "constant": lambda progress: 1.0,
    "cosine": _cosine,
    "linear": lambda progress: 1.0 - progress,
}
"""Name to the height of the learning rate, from ``lr_min`` (0) to ``lr`` (1), at a progress in ``[0, 1]``
after the warm-up. ``cosine_power`` is none of them: it depends on the number of steps too."""


def cosine_power(
    i: int, n: int, *, high: float, low: float = 0.0, power: float = 2.0, n_warm: int = 0
) -> float:
    """Return value ``i`` of the ``n`` of a cosine that is raised to a power.

    With ``c(s) = (1 + cos(pi * s)) / 2`` and ``p(s) = power ** (c(s) + 1)`` (``p = c`` where the power is 1),
    value ``i`` is ``p`` at ``s = (i - n_warm) / (n - n_warm)``, rescaled so that the first value is ``high``
    and the last is ``low``. A warm-up goes before it in equal steps: ``i / (n_warm + 1)`` of the way from
    ``low`` to ``high``, which comes right after it.

    These are the values of the authors' code, which counts epochs from 1 (Hundt, Jain and Hager 2019,
    *sharpDARTS*, arXiv:1903.09900). They ask for a power of at least 1. Below it the curve, rescaled by its
    ends, falls later than the cosine.

    Args:
        i: which value, from 1 to ``n``.
        n: how many there are, of epochs or of steps.
        high: the highest value.
        low: the lowest.
        power: how early the values fall; 1 is the cosine.
        n_warm: how many of them are a warm-up.

    >>> [round(cosine_power(i, 5, high=1.0, power=10.0, n_warm=1), 3) for i in range(1, 6)]
    [0.5, 1.0, 0.24, 0.045, 0.0]
    """
    if i <= n_warm + 1:
        return _between(low, high, i / (n_warm + 1))
    crest = 0.0 if n_warm else 1 / n  # after a warm-up they rescale by c = 1, which no value has
    return _between(low, high, _powered((i - n_warm) / (n - n_warm), power) / _powered(crest, power))


def _powered(progress: float, power: float) -> float:
    """Return ``p - p(1)`` up to a factor, which rescaling takes out: no power overflows, nor is 1 a gap."""
    return _cosine(progress) if power == 1 else math.expm1(_cosine(progress) * math.log(power))


def _between(low: float, high: float, height: float) -> float:
    """Return the value at a height from 0 to 1, at both ends exactly."""
    return low * (1.0 - height) + high * height


@dataclass(frozen=True, kw_only=True)
class Optimisation:
    """How a network's weights are moved.

    The learning rate of step ``s`` of ``S`` is ``lr * (s + 1) / W`` in the first ``W`` steps, the warm-up,
    and ``lr_min + (lr - lr_min) * schedule((s - W) / (S - W))`` after them. That of ``cosine_power`` is its
    value ``s + 1`` of ``S``, whose warm-up starts from ``lr_min``.

    Args:
        optimizer: ``adamw`` (Loshchilov and Hutter 2019), ``adam`` (Kingma and Ba 2015) or ``sgd`` (with
            Nesterov's momentum).
        lr: the highest learning rate.
        weight_decay: ``None`` takes the customary one: adamw 0.01, adam 0, sgd 0.0005.
        momentum: sgd's momentum; the first beta of the other two.
        schedule: of the learning rate: ``cosine``, ``linear``, ``cosine_power`` (Hundt et al. 2019,
            arXiv:1903.09900), or ``constant``, the only one that does not fall.
        power: of ``cosine_power`` alone: 1 is the cosine, higher ones fall earlier. Its authors take 2 for
            CIFAR-10 and 10 for ImageNet.
        lr_min: where a schedule that falls ends.
        warmup_epochs: length of the linear warm-up; a fraction will do.
        gradient_clip: the highest norm of the gradient; ``None`` does not clip.

    Raises:
        ConfigError: an unknown name or a number out of its range.
    """

    optimizer: OptimizerName = "adamw"
    lr: float = 1e-3
    weight_decay: float | None = None
    momentum: float = 0.9
    schedule: ScheduleName = "cosine"
    power: float = 2.0
    lr_min: float = 0.0
    warmup_epochs: float = 0.0
    gradient_clip: float | None = None

    def __post_init__(self) -> None:
        known(self.optimizer, sorted(OPTIMIZERS), "optimizer")
        known(self.schedule, get_args(ScheduleName), "schedule")
        rules = {
            "lr": (self.lr, self.lr > 0, "above 0"),
            "power": (self.power, 0 < self.power < math.inf, "above 0 and finite"),
            "lr_min": (self.lr_min, 0 <= self.lr_min <= self.lr, f"from 0 to the highest rate, {self.lr}"),
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
        if self.schedule == "cosine_power":
            return cosine_power(
                step + 1, n_steps, high=self.lr, low=self.lr_min, power=self.power, n_warm=n_warm
            )
        if step < n_warm:
            return self.lr * (step + 1) / n_warm
        height = SCHEDULES[self.schedule]((step - n_warm) / max(1, n_steps - n_warm))
        return _between(self.lr_min, self.lr, height)
