# SPDX-License-Identifier: Apache-2.0
"""How sharply a loss bends where a search stands, and when that says it has gone too far."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

__all__ = ["dominant_eigenvalue", "has_grown"]

WINDOW = 5
"""Epochs over which eigenvalues are averaged, and that lie between what is compared."""


def dominant_eigenvalue(
    loss: Tensor, parameters: Sequence[Tensor], rng: torch.Generator, *, n_steps: int = 10
) -> float:
    """Return the eigenvalue of a loss's Hessian that is the largest in size, by power iteration.

    It rises before a search for operations collapses to skip connections (Zela et al., "Understanding and
    robustifying differentiable architecture search", ICLR 2020, arXiv:1909.09656).

    Args:
        loss: a scalar that can be differentiated twice.
        parameters: what the Hessian is taken for.
        rng: draws where the iteration starts.
        n_steps: products with the Hessian.

    >>> x = torch.tensor([1.0, 2.0], requires_grad=True)
    >>> round(dominant_eigenvalue((torch.tensor([3.0, -5.0]) * x**2).sum(), [x], torch.Generator()), 2)
    -10.0
    """
    found = torch.autograd.grad(loss, parameters, create_graph=True, allow_unused=True)
    pairs = [(g, p) for g, p in zip(found, parameters, strict=True) if g is not None and g.requires_grad]
    if not pairs:
        return 0.0
    gradient = torch.cat([g.flatten() for g, _ in pairs])
    held = [p for _, p in pairs]
    direction = torch.randn(gradient.shape, generator=rng).to(gradient)
    value = 0.0
    for _ in range(n_steps):
        direction = direction / direction.norm().clamp_min(1e-12)
        product = torch.autograd.grad(gradient @ direction, held, retain_graph=True, allow_unused=True)
        bent = torch.cat(
            [(torch.zeros_like(p) if h is None else h).flatten() for h, p in zip(product, held, strict=True)]
        )
        value = float(bent @ direction)
        direction = bent
    return value


def has_grown(values: Sequence[float], most: float) -> bool:
    """Whether the mean of the last epochs' eigenvalues is above so many times that of as many before.

    >>> has_grown([1.0] * 10, 1.3), has_grown([1.0] * 5 + [2.0] * 5, 1.3), has_grown([1.0, 9.0], 1.3)
    (False, True, False)
    """
    if len(values) < 2 * WINDOW:
        return False
    now, before = sum(values[-WINDOW:]), sum(values[-2 * WINDOW : -WINDOW])
    return now > most * before > 0
