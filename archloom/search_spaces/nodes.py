# SPDX-License-Identifier: Apache-2.0
"""Nodes that sum edges, some of which may be chosen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from archloom.search_spaces.sharing import is_shared, routed, row
from archloom.search_spaces.widths import out_of, sized

if TYPE_CHECKING:
    from torch import nn

__all__ = ["plain_node", "routed_node", "sum_node", "wire"]


def sum_node(edges: Any, made: Callable[[Any], tuple[int, nn.Module]]) -> nn.Module:
    """Make a node that sums its edges over earlier states.

    Args:
        edges: the edges: a list of them, or what chooses one (``oneof``) or some of them (``manyof``).
        made: makes an edge: the number of the state it reads, and its operation.
    """
    if not is_shared():
        return plain_node([made(edge) for edge in edges])
    return routed(edges, lambda chosen: routed_node(row(chosen, lambda edge, _: wire(*made(edge)))))


def plain_node(edges: Sequence[tuple[int, nn.Module]]) -> nn.Module:
    """Make a node of (state, operation) pairs."""
    from archloom.nn import SumNode

    return SumNode([source for source, _ in edges], [operation for _, operation in edges])


def routed_node(wires: Sequence[nn.Module]) -> nn.Module:
    """Make a node of a supernet of what ``row`` makes of wires."""
    from archloom.nn.routed import RoutedSumNode

    return RoutedSumNode(wires, out=out_of(wires[0]))


def wire(source: int, operation: nn.Module) -> nn.Module:
    """Make an edge of a supernet: an operation that reads one of the states."""
    from archloom.nn.routed import Wire

    return sized(Wire(source, operation), out_of(operation))
