# SPDX-License-Identifier: Apache-2.0
"""The blueprints of a network of stacked cells, as in DARTS (Liu et al., ICLR 2019)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from archloom.search_spaces.blueprint import Blueprint, build, out_of
from archloom.search_spaces.nodes import sum_node
from archloom.search_spaces.sharing import routed
from archloom.search_spaces.sketch import Edge as Arrow
from archloom.search_spaces.sketch import Node, Sketch
from archloom.search_spaces.sketching import drawn, word

if TYPE_CHECKING:
    from torch import nn

__all__ = [
    "Cell",
    "CellNetwork",
    "DropPathCellNetwork",
    "Edge",
    "counted",
    "dropping",
    "preprocessed",
    "stacked",
    "two_input_sketch",
]

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

    def build(
        self, c_in: int, *, c_out: int, stride: int, keep_path: float = 1.0, layer_ratio: float = 1.0
    ) -> nn.Module:
        """Build the operation; only an edge from an input takes the stride."""
        step = stride if self.source < 2 else 1
        if keep_path == 1:
            return build(self.op, c_in, c_out=c_out, stride=step)

        def made(op: Any) -> nn.Module:
            return dropping(build(op, c_in, c_out=c_out, stride=step), keep_path, layer_ratio)

        return routed(self.op, made)


class Cell(Blueprint):
    """A cell of two inputs: each node sums its edges, and all nodes side by side are the output.

    Args:
        nodes: for each node, its edges.
    """

    nodes: list[Any]

    def drawn(self) -> Sketch:
        """Return the graph as in the paper: both inputs, the nodes by number, an operation on each edge."""
        pairs = [[(edge.source, edge.op) for edge in edges] for edges in self.nodes]
        names = [str(index) for index in range(len(pairs))]
        return two_input_sketch(pairs, names, range(2, len(pairs) + 2))

    def sketches(self) -> list[Sketch]:
        """Return the graph alone."""
        return [self.drawn().titled("cell")]

    def build(
        self,
        c_in: int,
        *,
        c_before_last: int,
        c_out: int,
        stride: int = 1,
        stride_before_last: int = 1,
        keep_path: float = 1.0,
        layer_ratio: float = 1.0,
    ) -> nn.Module:
        """Build the cell.

        Args:
            c_in: channels of the last cell's output.
            c_before_last: channels of the output of the cell before it.
            c_out: channels of each node.
            stride: 2 for a reduction; taken by the edges from the inputs.
            stride_before_last: 2 where the last cell was a reduction, so that the inputs differ in size.
            keep_path: the final keep of a ``ScheduledDropPath`` on every edge; 1 for none.
            layer_ratio: how deep the cell is, for the same.
        """
        from archloom.nn import ReluConvBN, TwoInputCell

        first = preprocessed(c_before_last, c_out, stride_before_last)
        drop = {} if keep_path == 1 else {"keep_path": keep_path, "layer_ratio": layer_ratio}

        def made(edge: Any) -> tuple[int, nn.Module]:
            return edge.source, build(edge, c_out, c_out=c_out, stride=stride, **drop)

        nodes = [sum_node(edges, made) for edges in self.nodes]
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

    def sketches(self) -> list[Sketch]:
        """Return the cell."""
        return [_one_cell(self.cell, self.n_cells)]

    def build(self, c_in: int, n_outputs: int, *, input_shape: Sequence[int] | None = None) -> nn.Module:
        """Build the network for images of ``c_in`` channels, ``b x c_in x h x w`` to ``b x n_outputs``."""
        del input_shape
        return stacked(_parts(self.cell, self.n_cells), c_in, n_outputs, channels=self.channels)


class DropPathCellNetwork(Blueprint):
    """A ``CellNetwork`` that drops paths while it is trained (``archloom.nn.ScheduledDropPath``).

    It is a blueprint of its own, so that the description of a network which drops none, and with it the
    fingerprint of its space, has no word about paths.

    Args:
        cell: the cell.
        channels: channels of a node in the first cells.
        n_cells: how many cells.
        keep_path: the share of the examples that keep a path in the last cell at the end of training.
    """

    cell: Any
    channels: int = 16
    n_cells: int = 3
    keep_path: float = 1.0

    def sketches(self) -> list[Sketch]:
        """Return the cell."""
        return [_one_cell(self.cell, self.n_cells)]

    def build(self, c_in: int, n_outputs: int, *, input_shape: Sequence[int] | None = None) -> nn.Module:
        """Build the network for images of ``c_in`` channels, ``b x c_in x h x w`` to ``b x n_outputs``."""
        del input_shape
        parts = _parts(self.cell, self.n_cells)
        return stacked(parts, c_in, n_outputs, channels=self.channels, keep_path=self.keep_path)


def stacked(
    parts: Sequence[tuple[Any, int]],
    c_in: int,
    n_outputs: int,
    *,
    channels: int,
    keep_path: float = 1.0,
    auxiliary: float = 0.0,
) -> nn.Module:
    """Stack cells that each read the two before, between a 3x3 stem and a pooled linear head.

    Args:
        parts: (cell, stride) pairs; a cell of stride 2 has twice the channels, and so have those after it.
        c_in: channels of the images.
        n_outputs: outputs of the head.
        channels: channels of a node in the first cells.
        keep_path: what cells are told of dropped paths; 1 for nothing.
        auxiliary: the weight of an auxiliary head's loss, at two thirds of the depth; 0 for none.
    """
    from archloom.nn import AuxiliaryHead, ConvBN, PooledHead, TwoInputNetwork
    from archloom.nn.routed import picking

    stem = ConvBN(c_in, STEM_MULTIPLIER * channels, 3, activation=False)
    cells: list[nn.Module] = []
    c_before_last = c_last = out_of(stem)
    width, stride_before_last = channels, 1
    for number, (cell, stride) in enumerate(parts, start=1):
        width *= stride
        drop = {} if keep_path == 1 else {"keep_path": keep_path, "layer_ratio": number / len(parts)}
        module = build(
            cell,
            c_last,
            c_before_last=c_before_last,
            c_out=width,
            stride=stride,
            stride_before_last=stride_before_last,
            **drop,
        )
        cells.append(module)
        c_before_last, c_last, stride_before_last = c_last, out_of(module), stride
    head = picking(PooledHead(c_last, n_outputs), c_last)
    if not auxiliary:
        return TwoInputNetwork(stem, cells, head)
    at = 2 * len(cells) // 3
    width = out_of(cells[at])
    return TwoInputNetwork(stem, cells, head, picking(AuxiliaryHead(width, n_outputs), width), at, auxiliary)


def preprocessed(c_before_last: int, c_out: int, stride_before_last: int) -> nn.Module:
    """Make what brings the output of the cell before the last to a cell's width and size."""
    from archloom.nn import FactorizedReduce, ReluConvBN

    if stride_before_last == 2:
        return FactorizedReduce(c_before_last, c_out)
    return ReluConvBN(c_before_last, c_out, 1)


def dropping(operation: nn.Module, keep_path: float, layer_ratio: float) -> nn.Module:
    """Have an operation dropped on a schedule, unless it is a skip connection or nothing at all."""
    from torch import nn

    from archloom.nn import ScheduledDropPath, Skip, Zero

    if keep_path == 1 or isinstance(operation, Skip | Zero | nn.Identity):
        return operation
    return ScheduledDropPath(operation, keep_path, layer_ratio)


def two_input_sketch(
    pairs: Sequence[Sequence[tuple[int, Any]]], names: Sequence[str], loose_ends: Iterable[int]
) -> Sketch:
    """Return the graph of a cell of two inputs, ``c_{k-2}`` and ``c_{k-1}``; edges of ``none`` are left out.

    Args:
        pairs: for each node (source, operation) pairs; sources 0 and 1 are the inputs, ``i + 2`` node ``i``.
        names: of the nodes.
        loose_ends: the states, numbered as sources are, that are the output side by side.
    """
    inputs = [Node("c_{k-2}", "input"), Node("c_{k-1}", "input")]
    nodes = [*inputs, *(Node(name, "node") for name in names), Node("c_{k}", "output")]
    edges = [
        Arrow(source, index, word(op))
        for index, edges in enumerate(pairs, start=2)
        for source, op in edges
        if op != "none"
    ]
    edges += [Arrow(state, len(nodes) - 1) for state in loose_ends]
    return Sketch(tuple(nodes), tuple(edges), flow="right")


def counted(n_cells: int, reductions: Iterable[int]) -> tuple[str, str]:
    """Return the titles of a network's normal and reduction cells, which say how many there are of each.

    >>> counted(8, {2, 5})
    ('normal cell (6 of 8)', 'reduction cell (2 of 8: the 3rd and the 6th)')
    """
    places = sorted(index + 1 for index in set(reductions) if index < n_cells)
    told = " and ".join(f"the {_ordinal(place)}" for place in places)
    normal = f"normal cell ({n_cells - len(places)} of {n_cells})"
    return normal, f"reduction cell ({len(places)} of {n_cells}{': ' if told else ''}{told})"


def _ordinal(number: int) -> str:
    ending = {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th") if number % 100 not in (11, 12, 13) else "th"
    return f"{number}{ending}"


def _one_cell(cell: Any, n_cells: int) -> Sketch:
    return drawn(cell).titled("cell" if n_cells == 1 else f"cell ({n_cells} in a row)")


def _parts(cell: Any, n_cells: int) -> list[tuple[Any, int]]:
    """Return one cell many times, reducing at one and two thirds of the depth."""
    reductions = {n_cells // 3, 2 * n_cells // 3}
    return [(cell, 2 if index in reductions else 1) for index in range(n_cells)]
