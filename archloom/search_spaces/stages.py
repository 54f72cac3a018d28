# SPDX-License-Identifier: Apache-2.0
"""How networks in stages are drawn: stem, stages, a 1x1 convolution, pooling and a linear head."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from archloom.search_spaces.sketch import Sketch, box, chain, framed

__all__ = ["stage_title", "staged"]


def stage_title(number: int, channels: int, stride: int) -> str:
    r"""Return what stands above a stage.

    >>> stage_title(2, 40, 2)
    'stage 2\n40 channels, stride 2'
    """
    return f"stage {number}\n{channels} channels, stride {stride}"


def staged(stages: Sequence[Sketch], *, stem: tuple[int, int], head: int) -> Sketch:
    """Return a whole network.

    Args:
        stages: its stages, each grouped under its title.
        stem: channels and stride of the 3x3 stem.
        head: channels of the 1x1 convolution before the pooling.
    """
    channels, stride = stem
    before = box("conv 3x3").grouped(f"stem\n{channels} channels, stride {stride}")
    after = chain(box(f"conv 1x1\n{head} channels"), box("global pool"), box("linear")).grouped("head")
    whole = framed(chain(before, *stages, after), "network")
    inner = whole.nodes[1:-1]
    # The ends stand in the panels beside them, and need none of their own.
    first = replace(whole.nodes[0], group=inner[0].group)
    last = replace(whole.nodes[-1], group=inner[-1].group)
    return replace(whole, nodes=(first, *inner, last))
