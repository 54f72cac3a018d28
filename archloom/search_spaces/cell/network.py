# SPDX-License-Identifier: Apache-2.0
"""The blueprints of a network of stacked cells, as in DARTS (Liu et al., ICLR 2019)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from archloom.search_spaces.blueprint import Blueprint, build, out_of

if TYPE_CHECKING:
    from torch import nn

__all__ = ["Cell", "CellNetwork", "Edge"]

STEM_MULTIPLIER = 3


class Edge(Blueprint):
    """An operation on one earlier state of a cell.

    Args:
        source: the state it reads: 0 and 1 are the cell's inputs, ``i + 2`` is node ``i``.
        op: the operation.
    """

    source: int
    op: Any

    @property
    def label(self) -> str:
        """``input_0``, ``input_1``, ``node_0``, ..."""
        return f"input_{self.source}" if self.source < 2 else f"node_{self.source - 2}"

    def build(self, c_in: int, *, c_out: int, stride: int) -> nn.Module:
        """Build the operation; only an edge from an input takes the stride."""
        return build(self.op, c_in, c_out=c_out, stride=stride if self.source < 2 else 1)


class Cell(Blueprint):
    """A cell of two inputs: each node sums its edges, and all nodes side by side are the output.

    Args:
        nodes: for each node, its edges.
    """

    nodes: list[Any]

    def build(
        self, c_in: int, *, c_before_last: int, c_out: int, stride: int = 1, stride_before_last: int = 1
    ) -> nn.Module:
        """Build the cell.

        Args:
            c_in: channels of the last cell's output.
            c_before_last: channels of the output of the cell before it.
            c_out: channels of each node.
            stride: 2 for a reduction; taken by the edges from the inputs.
            stride_before_last: 2 where the last cell was a reduction, so that the inputs differ in size.
        """
        from archloom.nn import FactorizedReduce, ReluConvBN, SumNode, TwoInputCell

        first: nn.Module
        if stride_before_last == 2:
            first = FactorizedReduce(c_before_last, c_out)
        else:
            first = ReluConvBN(c_before_last, c_out, 1)
        nodes = []
        for edges in self.nodes:
            operations = [build(edge, c_out, c_out=c_out, stride=stride) for edge in edges]
            nodes.append(SumNode([edge.source for edge in edges], operations))
        return TwoInputCell(first, ReluConvBN(c_in, c_out, 1), nodes)


class CellNetwork(Blueprint):
    """One cell stacked ``n_cells`` times, reducing at one and two thirds of the depth.

    The reductions are the same cell, with stride 2 on the edges from its inputs and twice the channels
    from there on. A 3x3 stem of ``3 * channels`` comes before, global pooling and a linear layer after.

    Args:
        cell: the cell.
        channels: channels of a node in the first cells.
        n_cells: how many cells.
    """

    cell: Any
    channels: int = 16
    n_cells: int = 3

    def build(self, c_in: int, n_outputs: int, *, input_shape: Sequence[int] | None = None) -> nn.Module:
        """Build the network for images of ``c_in`` channels, ``b x c_in x h x w`` to ``b x n_outputs``."""
        from archloom.nn import ConvBN, PooledHead, TwoInputNetwork

        del input_shape
        stem = ConvBN(c_in, STEM_MULTIPLIER * self.channels, 3, activation=False)
        reductions = {self.n_cells // 3, 2 * self.n_cells // 3}
        cells: list[nn.Module] = []
        c_before_last = c_last = out_of(stem)
        width = self.channels
        for index in range(self.n_cells):
            stride = 2 if index in reductions else 1
            width *= stride
            module = build(
                self.cell,
                c_last,
                c_before_last=c_before_last,
                c_out=width,
                stride=stride,
                stride_before_last=2 if index - 1 in reductions else 1,
            )
            cells.append(module)
            c_before_last, c_last = c_last, out_of(module)
        return TwoInputNetwork(stem, cells, PooledHead(c_last, n_outputs))
