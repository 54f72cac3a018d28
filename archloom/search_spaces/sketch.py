# SPDX-License-Identifier: Apache-2.0
"""Sketches: what of an architecture a picture shows, as plain data, and how small ones make large ones.

A sketch is a directed graph whose nodes stand in an order that no edge goes against, so that it cannot have
a circle. What flows into it enters at its first node, and leaves at its last.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

from archloom.errors import SpaceError

__all__ = [
    "Edge",
    "Flow",
    "Kind",
    "Node",
    "Sketch",
    "around",
    "box",
    "chain",
    "framed",
    "joined",
    "loose",
]

Kind: TypeAlias = Literal["input", "output", "operation", "node", "join", "fork"]
"""An end of the graph; a box that computes; a state of a cell; where branches meet, and where they part."""

Flow: TypeAlias = Literal["down", "right"]
"""Which way a sketch is read."""


@dataclass(frozen=True)
class Node:
    """A box of a sketch.

    Args:
        label: what stands in it; lines are kept.
        kind: what it is.
        group: what it belongs to, such as a stage; nodes of one group stand together, in order.
    """

    label: str
    kind: Kind = "operation"
    group: str = ""


@dataclass(frozen=True)
class Edge:
    """An arrow of a sketch.

    Args:
        source: the position of the node that it leaves.
        target: that of the node it leads to, a later one.
        label: what stands on it, such as an operation.
    """

    source: int
    target: int
    label: str = ""


@dataclass(frozen=True)
class Sketch:
    """A directed graph with words.

    Args:
        nodes: in an order that every edge follows.
        edges: by the positions of nodes; there may be several between two.
        title: what stands above.
        flow: which way it is read.

    Raises:
        SpaceError: an edge joins nodes that are not there, or leads back.

    >>> Sketch((Node("a"), Node("b")), (Edge(1, 0),))
    Traceback (most recent call last):
        ...
    archloom.errors.SpaceError: an edge of a sketch leads to a later one of its 2 nodes, got 1 to 0
    """

    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...] = ()
    title: str = ""
    flow: Flow = "down"

    def __post_init__(self) -> None:
        for edge in self.edges:
            if not 0 <= edge.source < edge.target < len(self.nodes):
                raise SpaceError(
                    f"an edge of a sketch leads to a later one of its {len(self.nodes)} nodes, got "
                    f"{edge.source} to {edge.target}"
                )

    def titled(self, title: str) -> Sketch:
        """Return it under another title."""
        return replace(self, title=title)

    def grouped(self, group: str) -> Sketch:
        """Return it with its nodes in a group, but for those that are in one already."""
        return replace(self, nodes=tuple(replace(node, group=node.group or group) for node in self.nodes))


def box(label: str, kind: Kind = "operation") -> Sketch:
    """Return a sketch of one node."""
    return Sketch((Node(label, kind),))


def chain(*parts: Sketch) -> Sketch:
    """Return parts one after another; of none, a box that says so.

    >>> chain(box("conv"), box("pool"), box("conv")).edges
    (Edge(source=0, target=1, label=''), Edge(source=1, target=2, label=''))
    """
    if not parts:
        return box("identity")
    nodes, edges, starts = _side_by_side(parts)
    ends = [start + len(part.nodes) - 1 for start, part in zip(starts, parts, strict=True)]
    links = [Edge(end, start) for end, start in zip(ends, starts[1:], strict=False)]
    return Sketch(tuple(nodes), tuple(edges + links))


def joined(branches: Sequence[Sketch | None], how: str) -> Sketch:
    """Return branches over one input that meet again.

    Args:
        branches: the branches; ``None`` is one that passes on what comes.
        how: what stands where they meet, such as ``add`` or ``concat``.

    >>> [node.label for node in joined([box("a"), box("b")], "concat").nodes]
    ['', 'a', 'b', 'concat']
    """
    parts = [box("", "fork"), *(branch for branch in branches if branch is not None), box(how, "join")]
    nodes, edges, starts = _side_by_side(parts)
    last, between = len(nodes) - 1, zip(starts[1:-1], parts[1:-1], strict=True)
    for start, part in between:
        edges += [Edge(0, start), Edge(start + len(part.nodes) - 1, last)]
    if any(branch is None for branch in branches):
        edges.append(Edge(0, last))
    return Sketch(tuple(nodes), tuple(edges))


def around(body: Sketch, how: str = "add") -> Sketch:
    """Return a body and a way around it, which meet again: a residual connection.

    >>> len(around(box("conv")).edges)
    3
    """
    return joined([body, None], how)


def framed(body: Sketch, title: str = "") -> Sketch:
    """Return a body between an input and an output: a whole picture.

    >>> [node.label for node in framed(box("conv")).nodes]
    ['input', 'conv', 'output']
    """
    return chain(box("input", "input"), body, box("output", "output")).titled(title or body.title)


def loose(parts: Sequence[Sketch], title: str = "") -> Sketch:
    """Return parts that stand together without arrows between them.

    >>> loose([box("lr = 0.1"), box("batch_size = 32")]).edges
    ()
    """
    nodes, edges, _ = _side_by_side(parts)
    return Sketch(tuple(nodes), tuple(edges), title)


def _side_by_side(parts: Sequence[Sketch]) -> tuple[list[Node], list[Edge], list[int]]:
    """Return the nodes and edges of all parts, and where each part's begin."""
    nodes, edges, starts = list[Node](), list[Edge](), list[int]()
    for part in parts:
        start = len(nodes)
        starts.append(start)
        nodes += part.nodes
        edges += [replace(e, source=e.source + start, target=e.target + start) for e in part.edges]
    return nodes, edges, starts
