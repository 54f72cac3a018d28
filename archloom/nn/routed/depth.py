# SPDX-License-Identifier: Apache-2.0
"""Modules one after another of which smaller networks use the first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import final

from torch import Tensor, nn

from archloom.nn.routed.choice import Routed
from archloom.nn.routed.elastic import Knob

__all__ = ["ElasticDepth"]


@final
class ElasticDepth(Routed):
    """The first ``n`` of some modules, one after another (Cai et al., "Once-for-all", ICLR 2020).

    Args:
        modules: as many as the largest network has.
        knob: how many of them.
        out: width of the output of each.
    """

    def __init__(self, modules: Sequence[nn.Module], knob: Knob, *, out: int):
        super().__init__()
        self.blocks = nn.ModuleList(modules)
        self.knob = knob
        self.out = out

    def plain_children(self) -> Iterator[nn.Module]:
        """Yield the modules that are there."""
        yield from list(self.blocks)[: self.knob.now]

    def forward(self, x: Tensor) -> Tensor:
        """Run the modules that are there."""
        for block in self.plain_children():
            x = block(x)
        return x
