# SPDX-License-Identifier: Apache-2.0
"""A cell: a small directed acyclic graph with one input."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

from archloom.errors import SpaceError
from archloom.search_spaces.blueprint import Blueprint, build, sized
from archloom.search_spaces.blueprints.checks import ABSENT, check_parts
from archloom.search_spaces.blueprints.layer import Layer, Place, part
from archloom.search_spaces.nodes import plain_node, routed_node, wire
from archloom.search_spaces.sharing import alternatives, is_shared, n_slots, routed, row, spread
from archloom.search_spaces.sketch import Edge as Arrow
from archloom.search_spaces.sketch import Node, Sketch
from archloom.search_spaces.sketching import word

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

    def drawn(self) -> Sketch:
        """Return the graph: its input, its nodes by number, and an operation on each edge."""
        nodes, edges = [Node("in", "node")], list[Arrow]()
        for index, operations in enumerate(self.nodes):
            nodes.append(Node(str(index), "node"))
            for position, (edge, _) in enumerate(_spread(operations, self.sym_path)):
                operation = edge.op if isinstance(edge, Edge) else edge
                if operation not in (None, ABSENT):
                    arrow = Arrow(_source(edge, position, index), index + 1, word(operation))
                    edges.append(arrow)
        if self.output == "concat" and len(nodes) > 2:
            edges += [Arrow(i, len(nodes)) for i in range(1, len(nodes))]
            nodes.append(Node("concat", "join"))
        return Sketch(tuple(nodes), tuple(edges), flow="right")

    def sketches(self) -> list[Sketch]:
        """Return the graph alone."""
        return [self.drawn().titled("cell")]

    def _build(self, place: Place) -> nn.Module:
        from archloom.nn import DagCell

        if not self.nodes:
            raise SpaceError("a cell needs at least one node, got none")
        width = self._width(place)
        nodes = [self._node(edges, index, place, width) for index, edges in enumerate(self.nodes)]
        out = width if self.output == "last" else width * len(nodes)
        return sized(DagCell(nodes, self.output), out)

    def _node(self, edges: Any, index: int, place: Place, width: int) -> nn.Module:
        at = self.sym_path + "nodes" + index

        def made(edge: Any, position: int, at: Any = None) -> tuple[int, nn.Module]:
            source = _source(edge, position, index)
            told = replace(place, c_out=width)
            told = told if source == 0 else replace(told, c_in=width, stride=1)
            return source, _operation(edge, replace(told, stride=told.stride or 1), at)

        if is_shared():
            return routed(edges, lambda chosen: routed_node(_wires(chosen, made)))
        listed = list(_spread(edges, at))
        if not listed:
            raise SpaceError(f"nodes[{index}] needs at least one edge, got none")
        return plain_node([made(edge, position, at) for position, (edge, at) in enumerate(listed)])

    def _width(self, place: Place) -> int:
        n_nodes = len(self.nodes)
        if self.output == "last" or self.width is not None or place.c_out is None:
            return place.c_out or place.c_in
        return place.c_out // n_nodes if place.c_out % n_nodes == 0 else place.c_in


def _source(edge: Any, position: int, index: int) -> int:
    """Return the state that an edge of node ``index`` reads."""
    source = edge.source if isinstance(edge, Edge) else position
    if not 0 <= source <= index:
        raise SpaceError(
            f"nodes[{index}][{position}] reads state {source}; there are 0, the input, "
            f"to {index}" + (f", node {index - 1}" if index else "")
        )
    return int(source)


def _wires(edges: Any, made: Callable[..., tuple[int, nn.Module]]) -> list[nn.Module]:
    """Make the edges of a node of a supernet; what has no source of its own goes by its position."""
    wires: list[nn.Module] = []
    for child in edges if isinstance(edges, list) else [edges]:
        position = sum(map(n_slots, wires))
        if all(isinstance(candidate, Edge) for candidate in alternatives(child) or [child]):
            wires += row([child], partial(_wire, made, position))
            continue
        for here, slot in enumerate(spread([child]), start=position):
            if any(isinstance(candidate, Edge) for candidate in alternatives(slot) or [slot]):
                wires.append(routed(slot, partial(_wire, made, here)))
            else:  # all candidates read the same state
                wires.append(_wire(made, here, slot))
    return wires


def _wire(made: Callable[..., tuple[int, nn.Module]], position: int, edge: Any, at: Any = None) -> nn.Module:
    return wire(*made(edge, position, at))


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
