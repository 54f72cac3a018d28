# SPDX-License-Identifier: Apache-2.0
"""The space of MobileNets of searched depths, kernels and expansions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from archloom.errors import ConfigError
from archloom.search_spaces.choosing import among
from archloom.search_spaces.mobilenet.network import Bottleneck, MobileNetwork, Stage
from archloom.search_spaces.space import SearchSpace

__all__ = ["check_stages", "mobilenet"]


def mobilenet(
    *,
    channels: Sequence[int] = (24, 40, 80, 112, 160),
    strides: Sequence[int] = (2, 2, 2, 1, 2),
    depths: Sequence[int] = (2, 3, 4),
    kernels: Sequence[int] = (3, 5, 7),
    expansions: Sequence[int] = (3, 4, 6),
    stem: int = 16,
    stem_stride: int = 2,
    head: int = 960,
) -> SearchSpace:
    """Make a space of MobileNets: how deep each stage is, and each block's kernel and expansion.

    The defaults are the choices of Cai et al. ("Once-for-all", ICLR 2020, arXiv:1908.09791) without input
    sizes; blocks are those of MobileNetV2. In a supernet all choices are slices of one weight. Networks that
    differ in blocks which are not there share a key.

    Args:
        channels: of each stage.
        strides: of each stage; 2 halves the size.
        depths: numbers of blocks of a stage to choose from.
        kernels: odd sides of depthwise kernels to choose from.
        expansions: channels inside a block for each channel in, to choose from.
        stem: channels of the 3x3 stem.
        stem_stride: of the stem.
        head: channels of the 1x1 convolution before the pooling.

    Raises:
        ConfigError: numbers that do not go together.

    >>> space = mobilenet(channels=[16, 32], strides=[1, 2], depths=[1, 2], kernels=[3, 5], expansions=[2, 4])
    >>> len(space.decisions), space.architecture(space.at([0])).text
    (10, 'k3 e2 | k3 e2')
    """
    check_stages("mobilenet", channels, strides)
    _check(depths, kernels, expansions)
    deepest = max(depths)
    stages = [
        Stage([Bottleneck(among(kernels), among(expansions)) for _ in range(deepest)], among(depths))
        for _ in channels
    ]
    template = MobileNetwork(
        stages, list(channels), list(strides), stem=stem, stem_stride=stem_stride, head=head
    )

    def describe(choices: Mapping[str, str | float]) -> str:
        spelled = []
        for stage in range(len(channels)):
            depth = int(choices.get(f"stages[{stage}].depth", deepest))
            spelled.append(", ".join(_block(choices, f"stages[{stage}].blocks[{i}]") for i in range(depth)))
        return " | ".join(spelled)

    return SearchSpace(template, canonical=describe, text=describe)


def _block(choices: Mapping[str, str | float], path: str) -> str:
    words = (("k", f"{path}.kernel_size"), ("e", f"{path}.expansion"))
    return " ".join(f"{letter}{choices[name]}" for letter, name in words if name in choices) or "block"


def check_stages(space: str, channels: Sequence[int], strides: Sequence[int]) -> None:
    """Check widths and strides of the stages of a space.

    Raises:
        ConfigError: there are none, not as many of one as of the other, or one that cannot be.
    """
    if not channels or len(channels) != len(strides) or set(strides) - {1, 2} or min(channels) < 1:
        raise ConfigError(
            f"{space} needs a width and a stride of 1 or 2 for each stage, got channels={list(channels)}, "
            f"strides={list(strides)}"
        )


def _check(depths: Sequence[int], kernels: Sequence[int], expansions: Sequence[int]) -> None:
    for name, options in (("depths", depths), ("kernels", kernels), ("expansions", expansions)):
        if not options or min(options) < 1:
            raise ConfigError(f"mobilenet needs at least one of {name}, from 1 on; got {list(options)}")
    if any(kernel % 2 == 0 for kernel in kernels):
        raise ConfigError(f"the sides of kernels are odd, got {list(kernels)}")
