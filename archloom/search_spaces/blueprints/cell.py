# SPDX-License-Identifier: Apache-2.0
"""A cell: a small directed acyclic graph with one input."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

from archloom.errors import SpaceError
from archloom.search_spaces.blueprint import Blueprint, build, sized
from archloom.search_spaces.blueprints.checks import check_parts
from archloom.search_spaces.blueprints.layer import Layer, Place, part

if TYPE_CHECKING:
    from torch import nn

__all__ = ["Cell", "Edge"]


class Edge(Blueprint):
    """An operation on one earlier state of a cell.

    Args:
        source: the state it reads: 0 is the cell's input, ``i + 1`` is node ``i``.
        op: the operation: any layer, or the name of one of ``OPERATIONS``.
    """

    source: int
    op: Any

    def _on_bound(self) -> None:
        super()._on_bound()
        check_parts(self.sym_init_args.get("op"), "op")

    @property
    def label(self) -> str:
        """``input``, ``node_0``, ``node_1``, ..."""
        return "input" if self.source == 0 else f"node_{self.source - 1}"

    def build(self, c_in: int, *, c_out: int, stride: int = 1, affine: bool = True) -> nn.Module:
        """Build the operation, from ``c_in`` to ``c_out`` channels."""
        return part(self.op, Place(c_in, c_out, stride, affine), self.sym_path + "op")


class Cell(Layer):
    """Nodes that each sum operations on earlier states; state 0 is the input, state ``i + 1`` node ``i``.

    An edge is an ``edge``, or just an operation: the first of a node then reads the input, the second node 0,
    and so on. A stride is taken by the operations on the input.

    NAS-Bench-201's cell is ``nodes: [[op], [op, op], [op, op, op]]`` (Dong and Yang, ICLR 2020); in DARTS'
    manner, each node is a ``manyof`` over edges, and ``output`` is ``concat`` (Liu et al., ICLR 2019).

    Args:
        nodes: for each node the list of its edges.
        output: ``last`` node, or ``concat`` of all nodes.
        width: channels of each node; by default what the parent asks for (shared out among the nodes of a
            ``concat``, where it can be), else as many as come in.
    """

    nodes: list[Any]
    output: Literal["last", "concat"] = "last"
    width: int | None = None

    _parts = ("nodes",)
    _takes = frozenset({"c_out", "stride"})

    def _build(self, place: Place) -> nn.Module:
        from archloom.nn import DagCell, SumNode

        if not self.nodes:
            raise SpaceError("a cell needs at least one node, got none")
        width = self._width(place)
        nodes = []
        for index, edges in enumerate(self.nodes):
            sources, operations = [], []
            for source, edge, at in self._edges(edges, index):
                at_input = source == 0
                told = replace(
                    place,
                    c_in=place.c_in if at_input else width,
                    c_out=width,
                    stride=(place.stride or 1) if at_input else 1,
                )
                sources.append(source)
                operations.append(_operation(edge, told, at))
            nodes.append(SumNode(sources, operations))
        out = width if self.output == "last" else width * len(nodes)
        return sized(DagCell(nodes, self.output), out)

    def _width(self, place: Place) -> int:
        n_nodes = len(self.nodes)
        if self.output == "last" or self.width is not None or place.c_out is None:
            return place.c_out or place.c_in
        return place.c_out // n_nodes if place.c_out % n_nodes == 0 else place.c_in

    def _edges(self, edges: Any, index: int) -> Iterator[tuple[int, Any, Any]]:
        """Yield the edges of node ``index``: the states they read, themselves, their symbolic paths."""
        listed = list(_spread(edges, self.sym_path + "nodes" + index))
        if not listed:
            raise SpaceError(f"nodes[{index}] needs at least one edge, got none")
        for position, (edge, at) in enumerate(listed):
            source = edge.source if isinstance(edge, Edge) else position
            if not 0 <= source <= index:
                raise SpaceError(
                    f"nodes[{index}][{position}] reads state {source}; there are 0, the input, "
                    f"to {index}" + (f", node {index - 1}" if index else "")
                )
            yield source, edge, at


def _spread(edges: Any, at: Any) -> Iterator[tuple[Any, Any]]:
    """Yield edges with their symbolic paths; lists of ``edge``, as ``manyof`` makes, are laid out."""
    if not isinstance(edges, list):
        yield edges, at
        return
    for index, edge in enumerate(edges):
        if isinstance(edge, list) and any(isinstance(part, Edge) for part in edge):
            yield from _spread(edge, at + index)
        else:
            yield edge, at + index


def _operation(edge: Any, place: Place, at: Any) -> nn.Module:
    if isinstance(edge, Edge):
        return build(edge, place.c_in, c_out=place.c_out, stride=place.stride, affine=place.affine)
    return part(edge, place, at)
