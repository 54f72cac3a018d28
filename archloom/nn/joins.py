# SPDX-License-Identifier: Apache-2.0
"""Where ways through a network meet: branches side by side, and the residual connection."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from archloom.nn.ranks import channel_dim, refuse_different

__all__ = ["Parallel", "Residual"]


class Parallel(nn.Module):
    """Several branches over one input, summed or side by side.

    Args:
        branches: the modules; for ``sum`` of one output width.
        join: ``sum``, or ``concat`` along the channels.
    """

    def __init__(self, branches: Sequence[nn.Module], join: str = "sum", *, out: int):
        super().__init__()
        self.branches = nn.ModuleList(branches)
        self.join = join
        self.out = out

    def forward(self, x: Tensor) -> Tensor:
        """Map an image, tokens or a vector to one of ``out`` channels."""
        states = [branch(x) for branch in self.branches]
        if self.join == "concat":
            return torch.cat(states, dim=channel_dim(states[0]))
        total: Tensor = states[0]
        for state in states[1:]:
            refuse_different(total, state, "branches are summed that are")
            total = total + state
        return total


class Residual(nn.Module):
    """``y = activation(shortcut(x) + body(x))`` (He et al., "Deep residual learning", CVPR 2016).

    Where the body makes an image smaller, the shortcut's input is average pooled to its size (He et al., "Bag
    of tricks", CVPR 2019): every pixel is seen, and any body will do.

    Args:
        body: the module to go around.
        shortcut: ``nn.Identity``, or what makes the body's width.
        activation: what follows the sum.
    """

    def __init__(self, body: nn.Module, shortcut: nn.Module, activation: nn.Module, *, out: int):
        super().__init__()
        self.body = body
        self.shortcut = shortcut
        self.activation = activation
        self.out = out

    def forward(self, x: Tensor) -> Tensor:
        """Map an image, tokens or a vector to the body's shape."""
        y = self.body(x)
        short = self.shortcut(pooled_to(x, y))
        refuse_different(short, y, "a shortcut and a body are summed that are")
        total: Tensor = self.activation(short + y)
        return total


def pooled_to(x: Tensor, y: Tensor) -> Tensor:
    """Average an image down to the height and width of another, ``ceil(h / h')`` pixels at a time."""
    if x.ndim != 4 or y.ndim != 4 or x.shape[-2:] == y.shape[-2:]:
        return x
    sides = [max(-(-a // b), 1) for a, b in zip(x.shape[-2:], y.shape[-2:], strict=True)]
    return functional.avg_pool2d(x, sides, ceil_mode=True, count_include_pad=False)
