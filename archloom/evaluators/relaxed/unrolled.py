# SPDX-License-Identifier: Apache-2.0
"""The loss after one step of the weights, with its gradient for what the step was taken under.

With ``w' = w - lr (m v + dL_train/dw + decay w)`` the gradient of ``L_val(w'(a), a)`` is
``dL_val(w', a)/da - lr d2 L_train(w, a)/da dw . dL_val(w', a)/dw'``; the product is a central difference at
``w +- e g``, ``e = 0.01 / |g|`` (Liu, Simonyan, Yang: "DARTS", ICLR 2019, arXiv:1806.09055, section 2.3).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

__all__ = ["unrolled"]

Loss = Callable[[], Tensor]


def unrolled(
    train: Loss,
    validation: Loss,
    weights: Sequence[nn.Parameter],
    coefficients: Sequence[Tensor],
    *,
    lr: float,
    momentum: float,
    weight_decay: float,
    velocities: Sequence[Tensor | None],
) -> tuple[Tensor, list[Tensor]]:
    """Return the validation loss after one step, and its gradient for each of the coefficients.

    Args:
        train: the training loss, under the coefficients.
        validation: the validation loss, under the coefficients.
        weights: what is moved; they are as they were afterwards.
        coefficients: leaves that require gradients, which both losses depend on.
        lr: of the step.
        momentum: ``m``.
        weight_decay: of the step.
        velocities: ``v``, one a weight.
    """
    kept = [weight.detach().clone() for weight in weights]
    gradients = torch.autograd.grad(train(), weights, allow_unused=True)
    with torch.no_grad():
        for weight, gradient, velocity in zip(weights, gradients, velocities, strict=True):
            if gradient is None:
                continue
            step = gradient + weight_decay * weight
            weight.sub_(lr * (step if velocity is None else step + momentum * velocity))
    loss = validation()
    found = torch.autograd.grad(loss, [*coefficients, *weights], allow_unused=True)
    direct, direction = found[: len(coefficients)], found[len(coefficients) :]
    norm = torch.sqrt(sum((g.square().sum() for g in direction if g is not None), torch.zeros(())))
    away = 0.01 / float(norm.clamp_min(1e-12))
    sides = []
    for sign in (1.0, -1.0):
        with torch.no_grad():
            for weight, before, gradient in zip(weights, kept, direction, strict=True):
                weight.copy_(before if gradient is None else before + sign * away * gradient)
        sides.append(torch.autograd.grad(train(), coefficients, allow_unused=True))
    with torch.no_grad():
        for weight, before in zip(weights, kept, strict=True):
            weight.copy_(before)
    total = [
        _or_zero(first, c) - lr * (_or_zero(high, c) - _or_zero(low, c)) / (2 * away)
        for c, first, high, low in zip(coefficients, direct, *sides, strict=True)
    ]
    return loss.detach(), total


def _or_zero(gradient: Tensor | None, like: Tensor) -> Tensor:
    return torch.zeros_like(like) if gradient is None else gradient
