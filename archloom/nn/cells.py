# SPDX-License-Identifier: Apache-2.0
"""Cells: small directed acyclic graphs whose edges are operations and whose nodes are sums."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from archloom.nn.ranks import channel_dim, refuse_different

__all__ = ["DagCell", "SumNode", "TwoInputCell"]


class SumNode(nn.Module):
    """A node: the sum of its edges, ``y = sum_k operation_k(state[source_k])``.

    Args:
        sources: which earlier state each edge reads.
        operations: one module an edge, all of one output width.
    """

    def __init__(self, sources: Sequence[int], operations: Sequence[nn.Module]):
        super().__init__()
        if not sources or len(sources) != len(operations):
            raise ValueError(
                "a node needs one source an operation and at least one edge, "
                f"got sources {list(sources)} and {len(operations)} operations"
            )
        self.sources = tuple(sources)
        self.operations = nn.ModuleList(operations)

    @property
    def out(self) -> int:
        """Channels out."""
        return int(self.operations[0].out)  # type: ignore[arg-type]

    def forward(self, states: Sequence[Tensor]) -> Tensor:
        """Sum the edges over earlier states, each ``b x c x h x w``."""
        edges = list(zip(self.sources, self.operations, strict=True))
        source, operation = edges[0]
        total: Tensor = operation(states[source])
        for source, operation in edges[1:]:
            state = operation(states[source])
            refuse_different(total, state, "a node sums states that are")
            total = total + state
        return total


class DagCell(nn.Module):
    """One input, nodes in order; by default the last node is the output: the cell of NAS-Bench-201.

    State 0 is the input and state ``i`` is the ``i``-th node (Dong and Yang, ICLR 2020).

    Args:
        nodes: ``SumNode`` modules; the ``i``-th reads states below ``i``.
        output: ``last`` node, or ``concat`` of all nodes along the channels.
    """

    def __init__(self, nodes: Sequence[nn.Module], output: str = "last"):
        super().__init__()
        self.nodes = nn.ModuleList(nodes)
        self.output = output

    @property
    def out(self) -> int:
        """Channels out."""
        widths: list[int] = [int(node.out) for node in self.nodes]  # type: ignore[arg-type]
        return widths[-1] if self.output == "last" else sum(widths)

    def forward(self, x: Tensor) -> Tensor:
        """Map an image (tokens, a vector) to one of ``out`` channels."""
        states = [x]
        for node in self.nodes:
            states.append(node(states))
        return states[-1] if self.output == "last" else torch.cat(states[1:], dim=channel_dim(x))


class TwoInputCell(nn.Module):
    """Two inputs, nodes in order, all nodes side by side as the output: the cell of DARTS.

    States 0 and 1 are the preprocessed outputs of the two cells before, state ``i + 2`` is node ``i``
    (Liu et al., ICLR 2019).

    Args:
        preprocess_0: brings the output of the cell before the last to the cell's width and size.
        preprocess_1: the same for the last cell.
        nodes: ``SumNode`` modules.
    """

    def __init__(self, preprocess_0: nn.Module, preprocess_1: nn.Module, nodes: Sequence[nn.Module]):
        super().__init__()
        self.preprocess_0 = preprocess_0
        self.preprocess_1 = preprocess_1
        self.nodes = nn.ModuleList(nodes)

    @property
    def out(self) -> int:
        """Channels out: those of all nodes together."""
        widths: list[int] = [int(node.out) for node in self.nodes]  # type: ignore[arg-type]
        return sum(widths)

    def forward(self, before_last: Tensor, last: Tensor) -> Tensor:
        """Map two ``b x c x h x w`` inputs to ``b x out x h' x w'``."""
        states = [self.preprocess_0(before_last), self.preprocess_1(last)]
        for node in self.nodes:
            states.append(node(states))
        return torch.cat(states[2:], dim=1)
