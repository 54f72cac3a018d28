# SPDX-License-Identifier: Apache-2.0
"""The space of "Single path one-shot neural architecture search" (Guo et al., ECCV 2020)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

from archloom.errors import ConfigError, UnknownNameError, did_you_mean
from archloom.search_spaces.choosing import among
from archloom.search_spaces.space import SearchSpace
from archloom.search_spaces.spos.network import UNITS, WIDTHS_PER_UNIT, ShuffleBlock, ShuffleNetwork

__all__ = ["spos"]

_FIELDS = ("unit", "tenths")


def spos(
    *,
    stages: Sequence[int] = (4, 4, 8, 4),
    channels: Sequence[int] = (64, 160, 320, 640),
    units: Sequence[str] = tuple(UNITS),
    tenths: Sequence[int] = (WIDTHS_PER_UNIT,),
    stem: int = 16,
    stem_stride: int = 2,
    first_stride: int = 2,
    head: int = 1024,
) -> SearchSpace:
    """Make the space of single-path one-shot search: a ShuffleNetV2 with one of four units at each place.

    The defaults are the paper's (Guo et al., ECCV 2020, arXiv:1904.00420) for 224x224 images: ``4 ** 20``
    networks. Its search of channels is ``tenths: [2, 4, 6, 8, 10, 12, 14, 16, 18, 20]``, the width inside a
    unit. For small images take ``stem_stride: 1`` and fewer, narrower stages.

    Args:
        stages: units of each stage.
        channels: of each stage; even, and rising.
        units: names of the units to choose from: ``shuffle_3``, ``shuffle_5``, ``shuffle_7``, ``xception``.
        tenths: widths inside a unit to choose from, in tenths of half its channels.
        stem: channels of the 3x3 stem.
        stem_stride: of the stem.
        first_stride: of the first stage; the others have 2.
        head: channels of the 1x1 convolution before the pooling.

    Raises:
        ConfigError: numbers that do not go together.
        UnknownNameError: a unit that does not exist.

    >>> spos().size == 4 ** 20
    True
    >>> small = spos(stages=[2, 2], channels=[16, 32], tenths=[5, 10], stem_stride=1, first_stride=1, head=64)
    >>> small.architecture(small.at([0])).text
    'shuffle_3 5, shuffle_3 5 | shuffle_3 5, shuffle_3 5'
    """
    _check(stages, channels, units, tenths, [stem, *channels] if first_stride == 2 else channels)
    if {stem_stride, first_stride} - {1, 2}:
        raise ConfigError(f"strides are 1 or 2, got stem_stride={stem_stride}, first_stride={first_stride}")
    blocks = [[ShuffleBlock(among(units), among(tenths)) for _ in range(n)] for n in stages]
    template = ShuffleNetwork(
        blocks, list(channels), stem=stem, stem_stride=stem_stride, first_stride=first_stride, head=head
    )

    def describe(choices: Mapping[str, str | float]) -> str:
        spelled = []
        for stage, n in enumerate(stages):
            places = [f"stages[{stage}][{i}]" for i in range(n)]
            units = [[choices.get(f"{place}.{field}") for field in _FIELDS] for place in places]
            spelled.append(
                ", ".join(" ".join(str(v) for v in unit if v is not None) or "-" for unit in units)
            )
        return " | ".join(spelled)

    return SearchSpace(template, text=describe)


def _check(
    stages: Sequence[int],
    channels: Sequence[int],
    units: Sequence[str],
    tenths: Sequence[int],
    widths: Sequence[int],
) -> None:
    if not stages or len(stages) != len(channels) or min(stages) < 1:
        raise ConfigError(
            f"spos needs one or more units for each stage and a width for each, got stages={list(stages)}, "
            f"channels={list(channels)}"
        )
    if min(widths) < 1 or any(width % 2 for width in channels) or any(a >= b for a, b in pairwise(widths)):
        raise ConfigError(
            f"the channels of stages are even, and rise wherever the size is halved, got {list(widths)}"
        )
    if not units or not tenths or min(tenths) < 1:
        raise ConfigError(
            f"spos needs at least one unit and widths from 1 tenth on, got units={list(units)}, "
            f"tenths={list(tenths)}"
        )
    for name in units:
        if name not in UNITS:
            raise UnknownNameError(f"{name!r} is not one of the units{did_you_mean(name, UNITS)}")
