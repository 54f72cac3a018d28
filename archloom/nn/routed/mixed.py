# SPDX-License-Identifier: Apache-2.0
"""Sums over a subset of kernels, and batch norms that know how many there are."""

from __future__ import annotations

from collections.abc import Iterator
from typing import final

from torch import Tensor, nn

from archloom.nn.routed.choice import Routed
from archloom.nn.routed.elastic import Knob

__all__ = ["RoutedMixedConv", "ShadowBatchNorm"]


@final
class RoutedMixedConv(Routed):
    """A ``MixedConv`` whose kernels are chosen; each has one weight, whatever it is summed with.

    Args:
        width: channels.
        knob: the kernels' sides, a tuple a candidate.
        stride: 1 or 2.
    """

    def __init__(self, width: int, knob: Knob, stride: int = 1):
        super().__init__()
        self.knob = knob
        self.out = width
        sides = sorted({side for sides in knob.values for side in sides})
        self.convs = nn.ModuleDict(
            {str(k): nn.Conv2d(width, width, k, stride, k // 2, groups=width, bias=False) for k in sides}
        )

    def plain_children(self) -> Iterator[nn.Module]:
        """Yield the convolutions that are summed."""
        for side in self.knob.now:
            yield self.convs[str(side)]

    def forward(self, x: Tensor) -> Tensor:
        """Sum the chosen ones, ``b x c x h x w`` to ``b x c x h' x w'``."""
        first, *others = self.plain_children()
        total: Tensor = first(x)
        for conv in others:
            total = total + conv(x)
        return total


@final
class ShadowBatchNorm(Routed):
    """One batch norm for each number of summed paths (Chu et al., "MixPath", ICCV 2023, arXiv:2001.05887).

    What single paths give is nearly parallel, so that a sum of ``m`` has about ``m`` times their mean and
    scale: no one set of statistics fits. There are as many as paths, not as subsets of them.

    Args:
        width: channels.
        knob: the paths, a tuple a candidate.
    """

    def __init__(self, width: int, knob: Knob):
        super().__init__()
        self.knob = knob
        self.out = width
        most = max(len(paths) for paths in knob.values)
        self.norms = nn.ModuleList(nn.BatchNorm2d(width) for _ in range(most))

    @property
    def taken(self) -> nn.Module:
        """The norm for as many paths as are chosen now."""
        return self.norms[len(self.knob.now) - 1]

    def plain_children(self) -> Iterator[nn.Module]:
        """Yield the norm that stands here."""
        yield self.taken

    def forward(self, x: Tensor) -> Tensor:
        """Keep the shape."""
        y: Tensor = self.taken(x)
        return y
