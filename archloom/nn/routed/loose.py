# SPDX-License-Identifier: Apache-2.0
"""Cells whose output is what no other node reads, and maps that take whatever that is.

Which nodes are loose ends depends on the route, and so does the width of the output. What reads it has a
weight for every node, and uses those of the nodes that are there.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import final

import torch
from torch import Tensor, nn
from torch.nn import functional

from archloom.nn.routed.choice import Choice, Routed, Wire
from archloom.nn.routed.elastic import Width
from archloom.nn.routed.nodes import RoutedParallel, RoutedSumNode
from archloom.nn.routed.switch import Switch

__all__ = ["LooseWidth", "RoutedLooseEndsCell", "picking"]


@final
class LooseWidth(Width):
    """The width of a cell's output when all of its nodes are loose ends.

    Args:
        value: that width.
        cell: whose output it is.
    """

    cell: RoutedLooseEndsCell

    def __new__(cls, value: int, cell: RoutedLooseEndsCell) -> LooseWidth:
        """Make the number."""
        width = super().__new__(cls, value)
        width.cell = cell
        return width


@final
class RoutedLooseEndsCell(Routed):
    """A ``LooseEndsCell`` whose nodes choose what they read.

    Args:
        preprocess_0: brings the output of the cell before the last to the cell's width and size.
        preprocess_1: the same for the last cell.
        nodes: nodes of one width that each read the list of states.
        width: of a node.
    """

    def __init__(
        self, preprocess_0: nn.Module, preprocess_1: nn.Module, nodes: Sequence[nn.Module], width: int
    ):
        super().__init__()
        self.preprocess_0 = preprocess_0
        self.preprocess_1 = preprocess_1
        self.nodes = nn.ModuleList(nodes)
        self.width = width
        self.out = LooseWidth(width * len(nodes), self)
        for switch in {switch for node in nodes for switch in _reading(node)}:
            switch.has_no_mixture = "which states no other node reads depends on it"

    def plain_children(self) -> Iterator[nn.Module]:
        """Yield what the plain cell has."""
        yield from (self.preprocess_0, self.preprocess_1, *self.nodes)

    @property
    def loose(self) -> list[int]:
        """The nodes that no other node reads now, from 0."""
        read = {source for node in self.nodes for source in _sources(node)}
        return [index for index in range(len(self.nodes)) if index + 2 not in read]

    @property
    def channels(self) -> list[int]:
        """The channels of the full output that are there now."""
        return [index * self.width + c for index in self.loose for c in range(self.width)]

    def forward(self, before_last: Tensor, last: Tensor) -> Tensor:
        """Map two ``b x c x h x w`` inputs to the loose ends, side by side."""
        states = [self.preprocess_0(before_last), self.preprocess_1(last)]
        for node in self.nodes:
            states.append(node(states))
        return torch.cat([states[index + 2] for index in self.loose], dim=1)


@final
class _PickedConv2d(nn.Conv2d):
    """A convolution of the channels that are there."""

    cell: RoutedLooseEndsCell

    def forward(self, x: Tensor) -> Tensor:
        if x.shape[1] == self.in_channels:
            return super().forward(x)
        weight = self.weight[:, self.cell.channels]
        return functional.conv2d(x, weight, self.bias, self.stride, self.padding, self.dilation)

    def sliced(self, name: str, shape: Sequence[int]) -> Tensor:
        """Return the part of the weight that the plain convolution has."""
        del name, shape
        return self.weight[:, self.cell.channels]


@final
class _PickedLinear(nn.Linear):
    """A linear map of the features that are there."""

    cell: RoutedLooseEndsCell

    def forward(self, x: Tensor) -> Tensor:
        if x.shape[1] == self.in_features:
            return super().forward(x)
        return functional.linear(x, self.weight[:, self.cell.channels], self.bias)

    def sliced(self, name: str, shape: Sequence[int]) -> Tensor:
        """Return the part of the weight that the plain layer has."""
        del name, shape
        return self.weight[:, self.cell.channels]


def picking(module: nn.Module, width: int) -> nn.Module:
    """Have the maps of a module that read a ``LooseWidth`` use the channels that are there; return it.

    Args:
        module: is changed.
        width: of its input; where it is fixed, nothing is done.
    """
    if not isinstance(width, LooseWidth):
        return module
    for name, child in module.named_children():
        if isinstance(child, nn.Conv2d) and child.in_channels == width:
            conv = _PickedConv2d(
                child.in_channels,
                child.out_channels,
                child.kernel_size,  # type: ignore[arg-type]
                child.stride,  # type: ignore[arg-type]
                child.padding,  # type: ignore[arg-type]
                child.dilation,  # type: ignore[arg-type]
                bias=child.bias is not None,
            )
            setattr(module, name, _picked(conv, child, width.cell))
        elif isinstance(child, nn.Linear) and child.in_features == width:
            linear = _PickedLinear(child.in_features, child.out_features)
            setattr(module, name, _picked(linear, child, width.cell))
        else:
            picking(child, width)
    return module


def _picked(picked: _PickedConv2d | _PickedLinear, plain: nn.Module, cell: RoutedLooseEndsCell) -> nn.Module:
    picked.load_state_dict(plain.state_dict())
    object.__setattr__(picked, "cell", cell)  # not as a part of it, whose weights these would be
    return picked


def _reading(node: nn.Module) -> Iterator[Switch]:
    """Yield what chooses the states that a node reads."""
    for module in node.modules():
        if isinstance(module, Choice) and any(isinstance(each, Wire) for each in module.candidates):
            yield module.switch


def _sources(node: nn.Module) -> Iterator[int]:
    """Yield the states that a node reads now."""
    assert isinstance(node, RoutedSumNode | RoutedParallel)
    for edge in node.plain_children():
        while isinstance(edge, Choice):
            edge = edge.taken
        assert isinstance(edge, Wire)
        yield edge.source
