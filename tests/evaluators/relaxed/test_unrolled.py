# SPDX-License-Identifier: Apache-2.0
"""The gradient through one step of the weights, beside torch's own through that step."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from archloom.evaluators.relaxed.unrolled import unrolled

LR, MOMENTUM, DECAY = 0.5, 0.9, 3e-4


class Toy(nn.Module):
    """A mixture of two smooth maps, twice."""

    def __init__(self) -> None:
        super().__init__()
        rng = torch.Generator().manual_seed(0)
        self.maps = nn.ParameterList(0.5 * torch.randn(2, 4, 4, generator=rng) for _ in range(2))

    def forward(self, x: torch.Tensor, coefficients: list[torch.Tensor]) -> torch.Tensor:
        for maps, weights in zip(self.maps, coefficients, strict=True):
            x = torch.tanh(weights[0] * x @ maps[0] + weights[1] * torch.sin(x @ maps[1]))
        return x


def batch(seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    rng = torch.Generator().manual_seed(seed)
    return torch.randn(8, 4, generator=rng), torch.randn(8, 4, generator=rng)


@pytest.mark.parametrize("has_velocity", [False, True])
def test_it_agrees_with_autograd_through_the_step(has_velocity: bool) -> None:
    net = Toy()
    weights = list(net.parameters())
    before = [weight.detach().clone() for weight in weights]
    coefficients = [
        torch.tensor([0.3, 0.7], requires_grad=True),
        torch.tensor([0.6, 0.4], requires_grad=True),
    ]
    velocities = [0.1 * torch.ones_like(weight) if has_velocity else None for weight in weights]
    (x, y), (u, v) = batch(1), batch(2)

    def square(inputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        outputs: torch.Tensor = net(inputs, coefficients)
        return (outputs - targets).square().mean()

    loss, found = unrolled(
        lambda: square(x, y),
        lambda: square(u, v),
        weights,
        coefficients,
        lr=LR,
        momentum=MOMENTUM,
        weight_decay=DECAY,
        velocities=velocities,
    )
    assert all(torch.equal(weight, kept) for weight, kept in zip(weights, before, strict=True))

    inner = torch.autograd.grad(square(x, y), weights, create_graph=True)
    moved = {
        f"maps.{i}": w - LR * (g + DECAY * w + (0.0 if velocity is None else MOMENTUM * velocity))
        for i, (w, g, velocity) in enumerate(zip(weights, inner, velocities, strict=True))
    }
    outer = (torch.func.functional_call(net, moved, (u, coefficients)) - v).square().mean()
    exact = torch.autograd.grad(outer, coefficients)
    assert float(loss) == pytest.approx(float(outer.detach()), rel=1e-6)
    for ours, theirs in zip(found, exact, strict=True):
        assert float((ours - theirs).norm() / theirs.norm()) < 1e-3
    first_order = torch.autograd.grad(square(u, v), coefficients)
    assert all(
        float((ours - plain).norm() / plain.norm()) > 1e-2
        for ours, plain in zip(found, first_order, strict=True)
    )
