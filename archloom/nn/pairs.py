# SPDX-License-Identifier: Apache-2.0
"""The cell of NASNet: blocks that combine two operations, and loose ends side by side as the output."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from archloom.nn.ranks import refuse_different

__all__ = ["LooseEndsCell", "PairNode"]


class PairNode(nn.Module):
    """A node: two operations on earlier states, added or side by side.

    Args:
        sources: which earlier state each of the two reads.
        operations: the two modules; for ``add`` of one output width.
        combine: ``add``, or ``concat`` along the channels.
    """

    def __init__(self, sources: Sequence[int], operations: Sequence[nn.Module], combine: str = "add"):
        super().__init__()
        if len(sources) != 2 or len(operations) != 2:
            raise ValueError(
                "a pair needs two sources and two operations, "
                f"got sources {list(sources)} and {len(operations)} operations"
            )
        if combine not in ("add", "concat"):
            raise ValueError(f"combine must be 'add' or 'concat', got {combine!r}")
        self.sources = tuple(sources)
        self.operations = nn.ModuleList(operations)
        self.combine = combine

    @property
    def out(self) -> int:
        """Channels out."""
        first, second = (int(operation.out) for operation in self.operations)  # type: ignore[arg-type]
        return first if self.combine == "add" else first + second

    def forward(self, states: Sequence[Tensor]) -> Tensor:
        """Combine two earlier states, each ``b x c x h x w``."""
        first: Tensor = self.operations[0](states[self.sources[0]])
        second: Tensor = self.operations[1](states[self.sources[1]])
        if self.combine == "concat":
            return torch.cat([first, second], dim=1)
        refuse_different(first, second, "a node sums states that are")
        return first + second


class LooseEndsCell(nn.Module):
    """Two inputs, nodes in order, those that no other node reads side by side as the output.

    States 0 and 1 are the preprocessed outputs of the two cells before, state ``i + 2`` is node ``i`` (Zoph
    et al., CVPR 2018, arXiv:1707.07012).

    Args:
        preprocess_0: brings the output of the cell before the last to the cell's width and size.
        preprocess_1: the same for the last cell.
        nodes: ``PairNode`` modules.
    """

    def __init__(self, preprocess_0: nn.Module, preprocess_1: nn.Module, nodes: Sequence[nn.Module]):
        super().__init__()
        self.preprocess_0 = preprocess_0
        self.preprocess_1 = preprocess_1
        self.nodes = nn.ModuleList(nodes)
        read = {source for node in nodes for source in node.sources}  # type: ignore[union-attr]
        self.loose = [state for state in range(2, len(nodes) + 2) if state not in read]

    @property
    def out(self) -> int:
        """Channels out: those of the loose ends together."""
        widths: list[int] = [int(self.nodes[state - 2].out) for state in self.loose]  # type: ignore[arg-type]
        return sum(widths)

    def forward(self, before_last: Tensor, last: Tensor) -> Tensor:
        """Map two ``b x c x h x w`` inputs to ``b x out x h' x w'``."""
        states = [self.preprocess_0(before_last), self.preprocess_1(last)]
        for node in self.nodes:
            states.append(node(states))
        return torch.cat([states[state] for state in self.loose], dim=1)
