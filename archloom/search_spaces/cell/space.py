# SPDX-License-Identifier: Apache-2.0
"""The space of DARTS-like cells, and which of them are the same."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby, permutations, product
from typing import TypeAlias

import pyglove as pg

from archloom.errors import ConfigError
from archloom.search_spaces.cell.network import Cell, CellNetwork, DropPathCellNetwork, Edge
from archloom.search_spaces.operations import DARTS, OPERATIONS
from archloom.search_spaces.space import SearchSpace

__all__ = ["canonical_cell", "cell", "chosen_cell", "read_nodes", "spell_nodes"]

N_EDGES = 2

Node: TypeAlias = Sequence[tuple[str, str]]
"""A node as (source label, operation) pairs."""


def cell(
    *,
    nodes: int = 4,
    operations: Sequence[str] | None = None,
    channels: int = 16,
    n_cells: int = 3,
    keep_path: float = 1.0,
) -> SearchSpace:
    """Make a space of cells as in DARTS (Liu et al., ICLR 2019), stacked into a small network.

    Each node sums two edges: from which two of the inputs and earlier nodes, and by which operation each.
    The same cell serves as normal and as reduction cell. Cells that differ only in the order of their nodes
    share a key, as do an edge of operation ``none`` and no edge.

    Args:
        nodes: nodes of the cell.
        operations: names of the operations to choose from; ``None`` for DARTS' seven without ``none``.
        channels: channels of a node in the first cells.
        n_cells: cells in the network; reductions are at one and two thirds of the depth.
        keep_path: below 1, edges other than skip connections are dropped while a network is trained, by
            NASNet's schedule (Zoph et al., CVPR 2018, arXiv:1707.07012): at its end the last cell keeps each
            for this share of the examples, earlier cells for more. 1 drops nothing; NASNet took 0.6.

    Raises:
        ConfigError: a count below 1, no operation, or a ``keep_path`` that is not above 0 and at most 1.
        UnknownNameError: an operation that does not exist.

    >>> cell(nodes=2, operations=["sep_conv_3x3", "skip_connect"]).size
    48
    """
    names = list(DARTS if operations is None else operations)
    if nodes < 1 or channels < 1 or n_cells < 1 or not names:
        raise ConfigError(
            "cell needs nodes >= 1, channels >= 1, n_cells >= 1 and at least one operation, "
            f"got nodes={nodes}, channels={channels}, n_cells={n_cells}, operations={names}"
        )
    if not 0 < keep_path <= 1:
        raise ConfigError(f"cell needs 0 < keep_path <= 1, got keep_path={keep_path}")
    for name in names:
        OPERATIONS.get(name)
    body = {"cell": chosen_cell(nodes, names), "channels": channels, "n_cells": n_cells}
    template = (
        CellNetwork(**body) if keep_path == 1 else DropPathCellNetwork(**body, keep_path=float(keep_path))
    )

    def canonical(choices: Mapping[str, str | float]) -> str:
        return canonical_cell(read_nodes(choices, nodes))

    def text(choices: Mapping[str, str | float]) -> str:
        return spell_nodes(read_nodes(choices, nodes))

    return SearchSpace(template, canonical=canonical, text=text)


def canonical_cell(nodes: Sequence[Node]) -> str:
    """Return a string that two cells share exactly when one is the other with its nodes renumbered.

    Because the output is all nodes side by side and whatever reads it is fully connected, their order means
    nothing. Edges of operation ``none`` are left out. Nodes are first told apart by all that flows into
    them; only those that look alike are permuted, and the smallest spelling wins.

    Args:
        nodes: for each node its (source label, operation) pairs; labels as in ``Edge.label``.

    >>> swapped = [[("input_1", "b")], [("input_0", "a")]]
    >>> canonical_cell([[("input_0", "a")], [("input_1", "b")]]) == canonical_cell(swapped)
    True
    """
    kept = [[(source, op) for source, op in edges if op != "none"] for edges in nodes]
    inflow: dict[str, str] = {}
    for index, edges in enumerate(kept):
        terms = sorted(f"{op}({inflow.get(source, source)})" for source, op in edges)
        inflow[f"node_{index}"] = f"[{'+'.join(terms)}]"
    return min(
        spell_nodes(_renumbered(kept, order), is_sorted=True) for order in _orders(list(inflow.values()))
    )


def _orders(colours: Sequence[str]) -> Iterator[list[int]]:
    """Yield every order of the nodes that is sorted by colour."""
    by_colour = sorted(range(len(colours)), key=lambda index: (len(colours[index]), colours[index]))
    ties = [permutations(tie) for _, tie in groupby(by_colour, key=lambda index: colours[index])]
    for parts in product(*ties):
        yield [index for part in parts for index in part]


def _renumbered(nodes: Sequence[Node], order: Sequence[int]) -> Iterator[Node]:
    """Yield the nodes in the given order, their sources renamed to match."""
    names = {f"node_{old}": f"node_{new}" for new, old in enumerate(order)}
    for old in order:
        yield [(names.get(source, source), op) for source, op in nodes[old]]


def chosen_cell(nodes: int, operations: Sequence[str]) -> Cell:
    """Make a cell whose nodes each choose two edges from earlier states, and an operation for each."""
    return Cell(
        nodes=[
            pg.manyof(
                N_EDGES,
                [Edge(source=j, op=pg.oneof(list(operations))) for j in range(i)],
                distinct=True,
                sorted=True,
            )
            for i in range(2, nodes + 2)
        ]
    )


def read_nodes(
    choices: Mapping[str, str | float], n_nodes: int, cell: str = "cell"
) -> list[list[tuple[str, str]]]:
    """Read the edges of each node of a cell from the choices of an architecture."""
    nodes = []
    for index in range(n_nodes):
        path = f"{cell}.nodes[{index}]"
        sources = [str(choices[f"{path}[{slot}]"]) for slot in range(N_EDGES)]
        nodes.append([(source, str(choices[f"{path}({source}).op"])) for source in sources])
    return nodes


def spell_nodes(nodes: Iterable[Node], *, is_sorted: bool = False) -> str:
    """Spell nodes as ``node_0 = a(input_0) + b(input_1); node_1 = ...``."""
    lines = []
    for index, edges in enumerate(nodes):
        terms = [f"{op}({source})" for source, op in (sorted(edges) if is_sorted else edges)]
        lines.append(f"node_{index} = {' + '.join(terms) or 'none'}")
    return "; ".join(lines)
