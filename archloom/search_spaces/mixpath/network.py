# SPDX-License-Identifier: Apache-2.0
"""The blueprint of a block of MixPath (Chu et al., ICCV 2023, arXiv:2001.05887)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from archloom.search_spaces.blueprint import Blueprint
from archloom.search_spaces.sharing import knob, routed
from archloom.search_spaces.sketch import Sketch, box

if TYPE_CHECKING:
    from torch import nn

__all__ = ["MixedBlock"]


class MixedBlock(Blueprint):
    """An inverted bottleneck of several depthwise kernels, summed.

    In a supernet each kernel has one weight, whatever it is summed with.

    Args:
        kernels: odd sides of the kernels.
        expansion: channels inside for each channel in.
        shadow: whether a supernet has a batch norm for each number of kernels, or one for all.
    """

    kernels: list[int]
    expansion: int = 6
    shadow: bool = True

    elastic = frozenset({"kernels", "expansion"})

    def drawn(self) -> Sketch:
        """Return a box such as ``k3+7 e6``: its kernels and expansion."""
        return box(f"k{'+'.join(map(str, self.kernels))} e{self.expansion}")

    def build(self, c_in: int, *, c_out: int, stride: int = 1) -> nn.Module:
        """Build the block, ``c_in`` to ``c_out`` channels."""
        kernels = knob(self.kernels)

        def made(expansion: Any) -> nn.Module:
            return self._block(c_in, c_out, c_in * expansion, kernels, stride)

        return routed(self.expansion, made)

    def _block(self, c_in: int, c_out: int, mid: int, kernels: Any, stride: int) -> nn.Module:
        from torch import nn

        from archloom.nn import MixedBottleneck, MixedConv
        from archloom.nn.routed import Knob, RoutedMixedConv, ShadowBatchNorm

        mixed: nn.Module
        norm: nn.Module
        if isinstance(kernels, Knob):
            mixed = RoutedMixedConv(mid, kernels, stride)
            norm = ShadowBatchNorm(c_out, kernels) if self.shadow else nn.BatchNorm2d(c_out)
        else:
            mixed, norm = MixedConv(mid, kernels, stride), nn.BatchNorm2d(c_out)
        return MixedBottleneck(c_in, c_out, mid, mixed, norm, stride)
