# SPDX-License-Identifier: Apache-2.0
"""The search space of NAS-Bench-Graph as decisions: three links and four operations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pyglove as pg

from archloom.errors import ConfigError, UnknownNameError, did_you_mean
from archloom.search_spaces.nasbenchgraph.canonical import N_NODES, OPERATIONS, canonical_keys
from archloom.search_spaces.sketch import Edge, Node, Sketch
from archloom.search_spaces.space import SearchSpace

__all__ = ["DECISIONS", "PROTEINS_OPERATIONS", "GraphCell", "encode", "nasbenchgraph"]

PROTEINS_OPERATIONS = ("gcn", "sage", "arma", "fc", "skip")
"""The operations with which the benchmark measured its ninth dataset, ``proteins``."""

_LINKS = tuple(f"link_{node}" for node in range(2, N_NODES + 1))
_OPERATIONS = tuple(f"operation_{node}" for node in range(1, N_NODES + 1))

DECISIONS = (*_LINKS, *_OPERATIONS)
"""The names of the decisions. The first node has no link to decide: only the input is before it."""

_DIGIT = {name: digit for digit, name in enumerate(OPERATIONS)}


class GraphCell(pg.Object):
    """A graph neural network of NAS-Bench-Graph: four nodes, each with one parent and one operation.

    It says what was measured and is not built: the table knows how good it is.

    Args:
        link_2: the parent of node 2: 0 for the input, 1 for node 1; ``link_3`` and ``link_4`` likewise.
        operation_1: the operation of node 1, which the input feeds; the other three likewise.
    """

    link_2: Any
    link_3: Any
    link_4: Any
    operation_1: Any
    operation_2: Any
    operation_3: Any
    operation_4: Any

    def drawn(self) -> Sketch:
        """Return the tree of operations, of which those that feed no other are the output."""
        places = range(1, N_NODES + 1)
        parents = [0, *(int(getattr(self, name)) for name in _LINKS)]
        boxes = [Node(str(getattr(self, name))) for name in _OPERATIONS]
        nodes = (Node("input", "input"), *boxes, Node("concat", "output"))
        edges = [Edge(parent, place) for place, parent in zip(places, parents, strict=True)]
        edges += [Edge(place, N_NODES + 1) for place in places if place not in parents]
        return Sketch(nodes, tuple(edges), flow="right")

    def sketches(self) -> list[Sketch]:
        """Return the tree alone."""
        return [self.drawn().titled("cell")]


def nasbenchgraph(*, operations: Sequence[str] = OPERATIONS) -> SearchSpace:
    """Make the space of NAS-Bench-Graph: a link and an operation for each of four nodes.

    Qin, Zhang, Wang, Zhang and Zhu, "NAS-Bench-Graph: Benchmarking Graph Neural Architecture Search", NeurIPS
    2022 (datasets and benchmarks), arXiv:2206.09166.

    Each of four nodes has one parent, the input or an earlier node, and one operation; nodes that feed no
    other are concatenated to the output. There are 24 x 9^4 = 157,464 such encodings of 26,206 networks:
    those of one network share a key. Four skips are no network; evaluating them fails, with that reason.

    Args:
        operations: names of the operations to choose from; for the dataset ``proteins`` those of
            ``PROTEINS_OPERATIONS``.

    Raises:
        ConfigError: no operation, or one twice.
        UnknownNameError: an operation that the benchmark does not have.

    >>> space = nasbenchgraph()
    >>> space.size
    157464
    >>> space.architecture(space.at([157463])).text
    '0123 skip skip skip skip'
    """
    if not operations or len(set(operations)) < len(operations):
        raise ConfigError(
            f"nasbenchgraph needs at least one operation, each once, got operations={list(operations)}"
        )
    for name in operations:
        if name not in _DIGIT:
            raise UnknownNameError(
                f"NAS-Bench-Graph has no operation {name!r}{did_you_mean(name, OPERATIONS)}"
            )
    links = {name: pg.oneof(list(range(n))) for n, name in enumerate(_LINKS, start=2)}
    template = GraphCell(**links, **{name: pg.oneof(list(operations)) for name in _OPERATIONS})
    return SearchSpace(template, canonical=_canonical, text=_text)


def encode(choices: Mapping[str, str | float]) -> tuple[list[int], list[int]]:
    """Return four links and four operations, as ``canonical_keys`` takes them, of an architecture's choices.

    >>> space = nasbenchgraph()
    >>> encode(space.architecture(space.at([0])).choices)
    ([0, 0, 0, 0], [0, 0, 0, 0])
    """
    return [0, *(int(choices[name]) for name in _LINKS)], [_DIGIT[str(choices[name])] for name in _OPERATIONS]


def _canonical(choices: Mapping[str, str | float]) -> str:
    links, operations = encode(choices)
    return f"{canonical_keys([links], [operations])[0]:05d}"


def _text(choices: Mapping[str, str | float]) -> str:
    links, operations = encode(choices)
    return " ".join(["".join(map(str, links)), *(OPERATIONS[digit] for digit in operations)])
