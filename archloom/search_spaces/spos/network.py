# SPDX-License-Identifier: Apache-2.0
"""The blueprints of a ShuffleNetV2 whose units are chosen (Guo et al., ECCV 2020, arXiv:1904.00420)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from archloom.errors import SpaceError, did_you_mean
from archloom.search_spaces.blueprint import Blueprint, build, out_of
from archloom.search_spaces.sharing import knob, routed
from archloom.search_spaces.sketch import Sketch, box, chain
from archloom.search_spaces.sketching import drawn
from archloom.search_spaces.stages import stage_title, staged

if TYPE_CHECKING:
    from torch import nn

__all__ = ["UNITS", "ShuffleBlock", "ShuffleNetwork"]

UNITS: dict[str, tuple[int, int]] = {
    "shuffle_3": (3, 1),
    "shuffle_5": (5, 1),
    "shuffle_7": (7, 1),
    "xception": (3, 3),
}
"""Unit name to kernel size and number of depthwise convolutions."""

WIDTHS_PER_UNIT = 10
"""Widths are given in tenths of a unit's own."""


class ShuffleBlock(Blueprint):
    """A unit of ShuffleNetV2.

    Args:
        unit: a name in ``UNITS``.
        tenths: the width inside the unit, in tenths of half the channels out. In a supernet narrower units
            are the first channels of the widest.
    """

    unit: Any
    tenths: int = WIDTHS_PER_UNIT

    elastic = frozenset({"tenths"})

    def drawn(self) -> Sketch:
        """Return a box such as ``shuffle_5``, and its width inside where that is not as usual."""
        usual = self.tenths == WIDTHS_PER_UNIT
        return box(f"{self.unit}" if usual else f"{self.unit}\nwidth x {self.tenths / WIDTHS_PER_UNIT:g}")

    def build(self, c_in: int, *, c_out: int, stride: int) -> nn.Module:
        """Build the unit, ``c_in`` to ``c_out`` channels."""
        half = c_out // 2
        tenths = knob(self.tenths)

        def made(unit: Any) -> nn.Module:
            if unit not in UNITS:
                raise SpaceError(f"{unit!r} is not one of the units{did_you_mean(str(unit), UNITS)}")
            kernel_size, n_depthwise = UNITS[unit]
            return _unit(c_in, c_out, half, tenths, kernel_size, stride, n_depthwise)

        return routed(self.unit, made)


class ShuffleNetwork(Blueprint):
    """A stem, stages of units, a 1x1 convolution, global pooling and a linear head.

    The first unit of a stage halves the size, but for that of the first where ``first_stride`` is 1.

    Args:
        stages: for each stage its units.
        channels: of each stage.
        stem: channels of the stem.
        stem_stride: of the stem: 2 for large images.
        first_stride: of the first stage.
        head: channels before the pooling.
    """

    stages: list[Any]
    channels: list[int]
    stem: int = 16
    stem_stride: int = 2
    first_stride: int = 2
    head: int = 1024

    def sketches(self) -> list[Sketch]:
        """Return the stages, and what comes before and after."""
        stages, width = [], self.stem
        for index, (units, c_out) in enumerate(zip(self.stages, self.channels, strict=True)):
            stride = 2 if index or self.first_stride == 2 else 1
            widen = [box("conv 1x1")] if stride == 1 and width != c_out else []
            title = stage_title(index + 1, c_out, stride)
            stages.append(chain(*widen, *map(drawn, units)).grouped(title))
            width = c_out
        return [staged(stages, stem=(self.stem, self.stem_stride), head=self.head)]

    def build(self, c_in: int, n_outputs: int, *, input_shape: Sequence[int] | None = None) -> nn.Module:
        """Build the network for images of ``c_in`` channels, ``b x c_in x h x w`` to ``b x n_outputs``."""
        from torch import nn

        from archloom.nn import ChainNetwork, ConvBN, PooledHead

        del input_shape
        width, cells = self.stem, list[nn.Module]()
        for index, (units, c_out) in enumerate(zip(self.stages, self.channels, strict=True)):
            for position, unit in enumerate(units):
                stride = 2 if position == 0 and (index or self.first_stride == 2) else 1
                if stride == 1 and width != c_out:
                    cells.append(ConvBN(width, c_out, 1))
                cells.append(build(unit, c_out if stride == 1 else width, c_out=c_out, stride=stride))
                width = out_of(cells[-1])
        cells.append(ConvBN(width, self.head, 1))
        return ChainNetwork(
            ConvBN(c_in, self.stem, 3, self.stem_stride), cells, PooledHead(self.head, n_outputs)
        )


def _unit(
    c_in: int, c_out: int, half: int, tenths: Any, kernel_size: int, stride: int, n_depthwise: int
) -> nn.Module:
    """Make a unit; where its width is chosen, the widest, of which narrower ones are slices."""
    from archloom.nn import ShuffleUnit
    from archloom.nn.routed import Knob, slicing

    if not isinstance(tenths, Knob):
        return ShuffleUnit(c_in, c_out, _mid(half, tenths), kernel_size, stride, n_depthwise)
    widths = Knob(tuple(_mid(half, value) for value in tenths.values), tenths.switch)
    unit = ShuffleUnit(c_in, c_out, max(widths.values), kernel_size, stride, n_depthwise)
    slicing(unit.inner, widths)
    slicing(unit.end)
    return unit


def _mid(half: int, tenths: int) -> int:
    return max(1, half * tenths // WIDTHS_PER_UNIT)
