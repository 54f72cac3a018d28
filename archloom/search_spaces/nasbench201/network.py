# SPDX-License-Identifier: Apache-2.0
"""The blueprint of a NAS-Bench-201 network."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from archloom.search_spaces.blueprint import Blueprint, build, out_of
from archloom.search_spaces.sketch import Edge, Node, Sketch
from archloom.search_spaces.sketching import word

if TYPE_CHECKING:
    from torch import nn

__all__ = ["EDGES", "NasBench201"]

EDGES = ((1, 0), (2, 0), (2, 1), (3, 0), (3, 1), (3, 2))
"""The edges of the cell as (node, source), in the benchmark's order; node 0 is the input."""


class NasBench201(Blueprint):
    """The macro network of NAS-Bench-201 around one cell (Dong and Yang, ICLR 2020).

    A 3x3 stem; three stages of ``n_cells`` equal cells with ``channels``, twice and four times as many
    channels; a residual block of stride 2 between stages; batch norm, ReLU, global pooling, linear head.

    Args:
        edge_1_0: the operation from node 0 to node 1; the other five edges likewise.
        channels: channels of the first stage.
        n_cells: cells a stage.

    >>> net = build(NasBench201(*["skip_connect"] * 6, channels=4, n_cells=1), 3, 10)
    >>> net.out, len(net.cells)
    (10, 5)
    """

    edge_1_0: Any
    edge_2_0: Any
    edge_2_1: Any
    edge_3_0: Any
    edge_3_1: Any
    edge_3_2: Any
    channels: int = 16
    n_cells: int = 5

    def sketches(self) -> list[Sketch]:
        """Return the cell: four nodes, an operation on each edge, edges of ``none`` left out."""
        nodes = (Node("0", "input"), Node("1", "node"), Node("2", "node"), Node("3", "output"))
        operations = [(getattr(self, f"edge_{node}_{source}"), source, node) for node, source in EDGES]
        edges = tuple(Edge(source, node, word(op)) for op, source, node in operations if op != "none")
        title = f"cell ({self.n_cells} in each of 3 stages)"
        return [Sketch(nodes, edges, title, flow="right")]

    def build(self, c_in: int, n_outputs: int, *, input_shape: Sequence[int] | None = None) -> nn.Module:
        """Build the network for images of ``c_in`` channels, ``b x c_in x h x w`` to ``b x n_outputs``."""
        from archloom.nn import ChainNetwork, ConvBN, PooledHead, ResidualReduction

        del input_shape
        stem = ConvBN(c_in, self.channels, 3, activation=False)
        cells: list[nn.Module] = []
        for stage in range(3):
            if stage:
                width = out_of(cells[-1])
                cells.append(ResidualReduction(width, 2 * width))
            for _ in range(self.n_cells):
                cells.append(self._cell(out_of(cells[-1] if cells else stem)))
        return ChainNetwork(stem, cells, PooledHead(out_of(cells[-1]), n_outputs, norm=True))

    def _cell(self, width: int) -> nn.Module:
        from archloom.nn import DagCell, SumNode

        nodes = []
        for node in (1, 2, 3):
            edges = [
                build(getattr(self, f"edge_{node}_{source}"), width, c_out=width) for source in range(node)
            ]
            nodes.append(SumNode(range(node), edges))
        return DagCell(nodes)
