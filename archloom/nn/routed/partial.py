# SPDX-License-Identifier: Apache-2.0
"""Choices that see some of the channels while the others pass by, and what else a relaxed search has."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import final

import torch
from torch import Tensor, nn
from torch.nn import functional

from archloom.nn.cells import TwoInputCell
from archloom.nn.routed.choice import Choice, Routed
from archloom.nn.routed.slab import SlabLayer
from archloom.nn.shortcuts import Pool

__all__ = ["NormedPool", "PartialChannels", "for_search"]


@final
class PartialChannels(Routed):
    """A choice on the first channels; the others pass by, and all are shuffled.

    Xu et al., "PC-DARTS", ICLR 2020, arXiv:1907.05737. Its weights are of another network than the decoded
    one's, and are not handed on.

    Args:
        choice: from ``c / n`` to ``c / n`` channels.
        n: one channel in so many is seen.
        out: channels in and out.
        stride: of the choice; 2 halves what passes by with a pooling.
    """

    def __init__(self, choice: nn.Module, n: int, out: int, stride: int = 1):
        super().__init__()
        self.choice = choice
        self.n = n
        self.out = out
        self.stride = stride

    def plain_children(self) -> Iterable[nn.Module]:
        """Refuse.

        Raises:
            ValueError: always.
        """
        raise ValueError(f"a supernet that mixes one channel in {self.n} does not hand its weights on")

    def weighed(self) -> Iterator[tuple[Tensor | None, nn.Module]]:
        """Yield the choice."""
        yield None, self.choice

    def forward(self, x: Tensor) -> Tensor:
        """Map ``b x c x h x w`` to ``b x c x h' x w'``."""
        seen, passing = x.tensor_split([x.shape[1] // self.n], dim=1)
        if self.stride > 1:
            passing = functional.max_pool2d(passing, self.stride, self.stride, ceil_mode=True)
        return _shuffled(torch.cat([self.choice(seen), passing], dim=1), self.n)


def _shuffled(x: Tensor, n: int) -> Tensor:
    """Deal the channels out as cards of ``n`` heaps, one of each in turn; memory keeps its order."""
    b, c, h, w = x.shape
    if not x.is_contiguous(memory_format=torch.channels_last):
        return x.reshape(b, n, c // n, h, w).transpose(1, 2).reshape(b, c, h, w)
    last = x.permute(0, 2, 3, 1)
    return last.reshape(b, h, w, n, c // n).transpose(3, 4).reshape(b, h, w, c).permute(0, 3, 1, 2)


@final
class NormedPool(Routed):
    """A pooling whose output is normalised while it competes with operations that are.

    The decoded network has the pooling alone.

    Args:
        pool: the pooling.
    """

    def __init__(self, pool: Pool):
        super().__init__()
        self.pool = pool
        self.norm = nn.BatchNorm2d(pool.out, affine=False)

    @property
    def out(self) -> int:
        """Channels out."""
        return self.pool.out

    def plain_children(self) -> Iterable[nn.Module]:
        """Yield the pooling."""
        yield self.pool

    def in_order(self) -> tuple[nn.Module, ...]:
        """Return both."""
        return self.pool, self.norm

    def forward(self, x: Tensor) -> Tensor:
        """Pool and normalise."""
        y: Tensor = self.norm(self.pool(x))
        return y


def for_search(network: nn.Module, *, norms_pools: bool = True) -> nn.Module:
    """Have the candidates of all choices compete on even terms, and return the network.

    Batch norms in candidates learn no scale, by which an operation could make up for its coefficient;
    poolings are normalised as the convolutions are. Nor do those that bring the inputs of a cell to its width
    (Liu et al., "DARTS", ICLR 2019).

    Args:
        network: a routed network, before it is trained; it is changed.
        norms_pools: whether poolings are normalised.
    """
    for choice in [module for module in network.modules() if isinstance(module, Choice | SlabLayer)]:
        for index, candidate in enumerate(choice.candidates):
            if norms_pools and isinstance(candidate, Pool):
                choice.candidates[index] = NormedPool(candidate)
            _fix_scales(candidate)
    for cell in network.modules():
        if isinstance(cell, TwoInputCell):
            _fix_scales(cell)
    return network


def _fix_scales(module: nn.Module) -> None:
    for norm in module.modules():
        if isinstance(norm, nn.modules.batchnorm._BatchNorm):
            for learned in norm.parameters():
                learned.requires_grad_(False)
