# SPDX-License-Identifier: Apache-2.0
"""The blueprints of a MobileNet whose depths, kernels and expansions are chosen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from archloom.errors import SpaceError
from archloom.search_spaces.blueprint import Blueprint, build
from archloom.search_spaces.sharing import knob
from archloom.search_spaces.sketch import Sketch, box, chain
from archloom.search_spaces.sketching import drawn
from archloom.search_spaces.stages import stage_title, staged

if TYPE_CHECKING:
    from torch import nn

__all__ = ["Bottleneck", "MobileNetwork", "Stage"]


class Bottleneck(Blueprint):
    """An inverted bottleneck. In a supernet smaller kernels and expansions are slices of the largest.

    Args:
        kernel_size: odd side of the depthwise kernel.
        expansion: channels inside for each channel in.
    """

    kernel_size: int = 3
    expansion: int = 6

    elastic = frozenset({"kernel_size", "expansion"})

    def drawn(self) -> Sketch:
        """Return a box such as ``k5 e6``: its kernel and expansion."""
        return box(f"k{self.kernel_size} e{self.expansion}")

    def build(self, c_in: int, *, c_out: int, stride: int = 1) -> nn.Module:
        """Build the block, ``c_in`` to ``c_out`` channels."""
        from archloom.nn import InvertedBottleneck
        from archloom.nn.routed import Knob, largest, slicing

        kernel, expansion = knob(self.kernel_size), knob(self.expansion)
        mid: int | Knob
        if isinstance(expansion, Knob):
            mid = Knob(tuple(c_in * each for each in expansion.values), expansion.switch)
        else:
            mid = c_in * expansion
        block = InvertedBottleneck(c_in, c_out, largest(mid), largest(kernel), stride)
        if isinstance(mid, Knob):
            slicing(block.expand, mid)
            slicing(block.project)
        if isinstance(mid, Knob) or isinstance(kernel, Knob):
            slicing(block.depthwise, None, kernel)
        return block


class Stage(Blueprint):
    """Blocks one after another of which the first ``depth`` are there; the first takes the stride.

    Args:
        blocks: as many as the deepest has.
        depth: how many there are.
    """

    blocks: list[Any]
    depth: int

    elastic = frozenset({"depth"})

    def drawn(self) -> Sketch:
        """Return the blocks that are there."""
        return chain(*map(drawn, self.blocks[: self.depth]))

    def build(self, c_in: int, *, c_out: int, stride: int) -> nn.Module:
        """Build the stage, ``c_in`` to ``c_out`` channels."""
        from torch import nn

        from archloom.nn.routed import ElasticDepth, Knob, largest
        from archloom.search_spaces.widths import sized

        depth = knob(self.depth)
        if not 1 <= largest(depth) <= len(self.blocks):
            raise SpaceError(
                f"a stage of {len(self.blocks)} blocks has a depth from 1 on, got {largest(depth)}"
            )
        built = [
            build(block, c_in if i == 0 else c_out, c_out=c_out, stride=stride if i == 0 else 1)
            for i, block in enumerate(self.blocks[: largest(depth)])
        ]
        if isinstance(depth, Knob):
            return ElasticDepth(built, depth, out=c_out)
        return sized(nn.Sequential(*built), c_out)


class MobileNetwork(Blueprint):
    """A stem, stages of inverted bottlenecks, a 1x1 convolution, global pooling and a linear head.

    Args:
        stages: the stages.
        channels: of each stage.
        strides: of each stage.
        stem: channels of the 3x3 stem.
        stem_stride: of the stem: 2 for large images.
        head: channels before the pooling.
    """

    stages: list[Any]
    channels: list[int]
    strides: list[int]
    stem: int = 16
    stem_stride: int = 2
    head: int = 1280

    def sketches(self) -> list[Sketch]:
        """Return the stages, and what comes before and after."""
        stages = [
            drawn(stage).grouped(stage_title(number, width, stride))
            for number, (stage, width, stride) in enumerate(
                zip(self.stages, self.channels, self.strides, strict=True), start=1
            )
        ]
        return [staged(stages, stem=(self.stem, self.stem_stride), head=self.head)]

    def build(self, c_in: int, n_outputs: int, *, input_shape: Sequence[int] | None = None) -> nn.Module:
        """Build the network for images of ``c_in`` channels, ``b x c_in x h x w`` to ``b x n_outputs``."""
        from torch import nn

        from archloom.nn import ChainNetwork, ConvBN, PooledHead

        del input_shape
        width, cells = self.stem, list[nn.Module]()
        for stage, c_out, stride in zip(self.stages, self.channels, self.strides, strict=True):
            cells.append(build(stage, width, c_out=c_out, stride=stride))
            width = c_out
        cells.append(ConvBN(width, self.head, 1))
        stem = ConvBN(c_in, self.stem, 3, self.stem_stride)
        return ChainNetwork(stem, cells, PooledHead(self.head, n_outputs))
