# SPDX-License-Identifier: Apache-2.0
"""The path through slabs whose coefficients sum to the most."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product

import numpy as np
import numpy.typing as npt

__all__ = ["longest_path"]

Choices = dict[str, int]


def longest_path(
    slabs: Mapping[str, Sequence[str]],
    sizes: Mapping[str, int],
    weights: Mapping[str, npt.NDArray[np.float64]],
) -> Choices:
    """Return the candidates, one a site, for which the sum of the slabs' coefficients is the largest.

    Exact, by dynamic programming over the slabs in order (Hundt et al., arXiv:1903.09900, extract the longest
    path of a directed graph): for each way to hold the sites that later slabs share, the best so far is kept.

    Args:
        slabs: name to the sites that are weighed together.
        sizes: site to how many candidates it has.
        weights: slab to one coefficient a combination, the last site fastest.

    >>> slabs = {"first": ["a"], "second": ["a", "b"]}
    >>> weights = {"first": np.array([0.6, 0.4]), "second": np.array([0.1, 0.1, 0.2, 0.6])}
    >>> longest_path(slabs, {"a": 2, "b": 2}, weights)
    {'a': 1, 'b': 1}
    """
    best: dict[tuple[int, ...], tuple[float, Choices]] = {(): (0.0, {})}
    names = list(slabs)
    for position, name in enumerate(names):
        later = {site for other in names[position + 1 :] for site in slabs[other]}
        best = _longer(best, slabs[name], sizes, weights[name].tolist(), later)
    return max(best.values(), key=lambda found: found[0])[1]


def _longer(
    best: Mapping[tuple[int, ...], tuple[float, Choices]],
    members: Sequence[str],
    sizes: Mapping[str, int],
    weights: Sequence[float],
    later: set[str],
) -> dict[tuple[int, ...], tuple[float, Choices]]:
    """Go on by one slab from every way to hold the sites that are shared."""
    found: dict[tuple[int, ...], tuple[float, Choices]] = {}
    ways = list(zip(product(*(range(sizes[site]) for site in members)), weights, strict=True))
    for length, before in best.values():
        for way, weight in ways:
            held = dict(zip(members, way, strict=True))
            if any(before.get(site, choice) != choice for site, choice in held.items()):
                continue
            choices = {**before, **held}
            key = tuple(choice for site, choice in choices.items() if site in later)
            if key not in found or length + weight > found[key][0]:
                found[key] = (length + weight, choices)
    return found
