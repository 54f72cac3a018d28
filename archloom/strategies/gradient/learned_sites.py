# SPDX-License-Identifier: Apache-2.0
"""What a search by gradients learns coefficients of: choice sites, and slabs of sites weighed together."""

from __future__ import annotations

from itertools import product
from typing import Any, NamedTuple

from archloom.errors import ConfigError
from archloom.search_spaces.points import ChoicePoint, FloatPoint, walk

__all__ = ["LearnedSite", "learned_sites"]


class LearnedSite(NamedTuple):
    """A site or slab.

    Args:
        labels: of its candidates; those of a slab have the labels of its sites, joined by commas.
        k: how many candidates are taken.
        is_slab: whether it stands for several sites.
    """

    labels: tuple[str, ...]
    k: int = 1
    is_slab: bool = False


def learned_sites(space: Any) -> dict[str, LearnedSite]:
    """Return what there is to learn in a compiled ``SearchSpace``, by name: slabs in place of their sites.

    Raises:
        ConfigError: a float, which has no coefficients; or one candidate everywhere.

    >>> from archloom.search_spaces.hypercuboid import hypercuboid
    >>> sites = learned_sites(hypercuboid(widths=[8, 16], strides=[1], operations=["none", "skip_connect"]))
    >>> sites["layers[0]"].labels
    ('8,none', '8,skip_connect', '16,none', '16,skip_connect')
    """
    points = list(walk(space.points))
    for point in points:
        if isinstance(point, FloatPoint):
            raise ConfigError(f"{point.name} is a number of any size, which has no coefficients to learn")
    choices = {point.path: point for point in points if isinstance(point, ChoicePoint)}
    joint = {site for members in space.slabs.values() for site in members}
    found = {
        path: LearnedSite(point.labels, point.k)
        for path, point in choices.items()
        if point.m > 1 and path not in joint
    }
    for name, members in space.slabs.items():
        labels = tuple(map(",".join, product(*(choices[site].labels for site in members))))
        found[name] = LearnedSite(labels, is_slab=True)
    if not found:
        raise ConfigError("every site of this space has one candidate: there is nothing to learn")
    return found
