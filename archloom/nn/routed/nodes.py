# SPDX-License-Identifier: Apache-2.0
"""Sums of operations of which some are chosen."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import final

import torch
from torch import Tensor, nn

from archloom.nn.ranks import channel_dim
from archloom.nn.routed.choice import Many, Routed, mixed
from archloom.nn.routed.guards import untouched

__all__ = ["RoutedParallel", "RoutedSumNode"]


@final
class RoutedSumNode(Routed):
    """A ``SumNode`` whose edges may be chosen: ``y = sum_k w_k edge_k(states)``, ``w`` 1 without a mixture.

    Args:
        edges: modules that each read the list of states, or a ``Many`` of such.
        out: channels out.
    """

    def __init__(self, edges: Sequence[nn.Module], *, out: int):
        super().__init__()
        self.edges = nn.ModuleList(edges)
        self.out = out

    def plain_children(self) -> Iterator[nn.Module]:
        """Yield the edges."""
        yield from self.edges

    def forward(self, states: Sequence[Tensor]) -> Tensor:
        """Sum the active edges over earlier states."""
        return mixed((weight, untouched(edge, states)) for edge, weight in _active(self.edges))


@final
class RoutedParallel(Routed):
    """A ``Parallel`` whose branches may be chosen.

    Args:
        branches: modules, or a ``Many`` of such.
        join: ``sum``, or ``concat`` along the channels, which no mixture can do.
        out: width of the output.
    """

    def __init__(self, branches: Sequence[nn.Module], join: str = "sum", *, out: int):
        super().__init__()
        self.branches = nn.ModuleList(branches)
        self.join = join
        self.out = out
        for branch in branches:
            if join != "sum" and isinstance(branch, Many):
                branch.switch.has_no_mixture = "its candidates stand side by side"

    def plain_children(self) -> Iterator[nn.Module]:
        """Yield the branches."""
        yield from self.branches

    def forward(self, x: Tensor) -> Tensor:
        """Join the active branches."""
        parts = ((weight, untouched(branch, x)) for branch, weight in _active(self.branches))
        if self.join == "sum":
            return mixed(parts)
        states = [state for _, state in parts]
        return torch.cat(states, dim=channel_dim(states[0]))


def _active(modules: Iterable[nn.Module]) -> Iterator[tuple[nn.Module, Tensor | None]]:
    for module in modules:
        if isinstance(module, Many):
            yield from module
        else:
            yield module, None
