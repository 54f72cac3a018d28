# SPDX-License-Identifier: Apache-2.0
"""The space of MixPath: any of several kernels at each place, summed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations

from archloom.errors import ConfigError
from archloom.search_spaces.choosing import among
from archloom.search_spaces.mixpath.network import MixedBlock
from archloom.search_spaces.mobilenet.network import MobileNetwork, Stage
from archloom.search_spaces.mobilenet.space import check_stages
from archloom.search_spaces.space import SearchSpace

__all__ = ["mixpath", "subsets"]


def mixpath(
    *,
    channels: Sequence[int] = (24, 40, 80, 96),
    strides: Sequence[int] = (2, 2, 2, 1),
    depth: int = 3,
    kernels: Sequence[int] = (3, 5, 7, 9),
    most: int = 4,
    expansions: Sequence[int] = (3, 6),
    shadow: bool = True,
    stem: int = 16,
    stem_stride: int = 2,
    head: int = 1280,
) -> SearchSpace:
    """Make the space of MixPath: for each block an expansion, and any subset of kernels that are summed.

    The defaults are twelve blocks as in the paper's search on ImageNet (Chu et al., ICCV 2023,
    arXiv:2001.05887, space S1). Its supernet is trained with the sampler ``path_count``.

    Args:
        channels: of each stage.
        strides: of each stage; 2 halves the size.
        depth: blocks of a stage.
        kernels: odd sides of depthwise kernels to choose from.
        most: how many kernels a block sums at most.
        expansions: channels inside a block for each channel in, to choose from.
        shadow: whether a supernet has a batch norm for each number of kernels, or one for all.
        stem: channels of the 3x3 stem.
        stem_stride: of the stem.
        head: channels of the 1x1 convolution before the pooling.

    Raises:
        ConfigError: numbers that do not go together.

    >>> space = mixpath(channels=[16], strides=[1], depth=1, kernels=[3, 5, 7], most=2, expansions=[2])
    >>> [space.architecture(space.at([i])).text for i in range(space.size)]
    ['k3', 'k5', 'k7', 'k3+5', 'k3+7', 'k5+7']
    """
    check_stages("mixpath", channels, strides)
    if depth < 1:
        raise ConfigError(f"mixpath needs depth >= 1, got {depth}")
    if not expansions or min(expansions) < 1:
        raise ConfigError(f"mixpath needs at least one of expansions, from 1 on; got {list(expansions)}")
    sums = subsets(kernels, most)

    def block() -> MixedBlock:
        return MixedBlock(among(sums), among(expansions), shadow)

    stages = [Stage([block() for _ in range(depth)], depth) for _ in channels]
    template = MobileNetwork(
        stages, list(channels), list(strides), stem=stem, stem_stride=stem_stride, head=head
    )

    def describe(choices: Mapping[str, str | float]) -> str:
        stages = [range(depth) for _ in channels]
        blocks = [
            [_block(choices, f"stages[{s}].blocks[{i}]") for i in stage] for s, stage in enumerate(stages)
        ]
        return " | ".join(map(", ".join, blocks))

    return SearchSpace(template, text=describe)


def subsets(kernels: Sequence[int], most: int) -> list[list[int]]:
    """Return every set of 1 to ``most`` kernels, smaller ones first.

    Raises:
        ConfigError: an even kernel, one that stands there twice, or a number of kernels that there are not.

    >>> subsets([3, 5, 7], 2)
    [[3], [5], [7], [3, 5], [3, 7], [5, 7]]
    """
    sides = sorted(kernels)
    if not sides or len(set(sides)) < len(sides) or any(side % 2 == 0 or side < 1 for side in sides):
        raise ConfigError(f"the sides of kernels are odd and different, got {list(kernels)}")
    if not 1 <= most <= len(sides):
        raise ConfigError(f"of {len(sides)} kernels 1 to {len(sides)} can be summed, got most={most}")
    return [list(chosen) for n in range(1, most + 1) for chosen in combinations(sides, n)]


def _block(choices: Mapping[str, str | float], path: str) -> str:
    kernels = str(choices.get(f"{path}.kernels", "")).strip("[]").replace(", ", "+")
    expansion = choices.get(f"{path}.expansion")
    words = [f"k{kernels}" if kernels else "", f"e{expansion}" if expansion is not None else ""]
    return " ".join(filter(None, words)) or "block"
