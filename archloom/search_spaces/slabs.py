# SPDX-License-Identifier: Apache-2.0
"""Slabs: choice sites that are weighed together, one coefficient for each combination of their candidates.

A site may stand in several slabs, as the width between two layers stands in those of both: slabs are the
factors of a graph, and an architecture's worth is the sum of its coefficients, one a slab. Where each slab
shares a site with the one before, it is the length of a path (Hundt, Jain and Hager, "sharpDARTS", 2019,
arXiv:1903.09900).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

from archloom.errors import SpaceError, did_you_mean
from archloom.search_spaces.points import ChoicePoint, Points

__all__ = ["Slabs", "checked_slabs"]

Slabs: TypeAlias = Mapping[str, Sequence[str]]
"""Name to the sites that are weighed together, the last one fastest."""


def checked_slabs(slabs: Slabs, points: Points) -> dict[str, tuple[str, ...]]:
    """Return slabs as they are kept.

    Raises:
        SpaceError: a site that is no ``oneof`` at the root of the space, or a name that a site has.
    """
    roots = {point.path: point for point in points if isinstance(point, ChoicePoint)}
    for name, members in slabs.items():
        if name in roots or not members:
            raise SpaceError(f"slab {name!r} needs a name of its own, and sites")
        for site in members:
            if site not in roots or roots[site].k > 1:
                raise SpaceError(
                    f"slab {name!r} weighs sites that are a oneof at the root of the space; {site!r} is "
                    f"none{did_you_mean(site, list(roots))}"
                )
    return {name: tuple(members) for name, members in slabs.items()}
