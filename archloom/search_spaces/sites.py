# SPDX-License-Identifier: Apache-2.0
"""Choice sites: which placeholder of a template is which point of the compiled space.

A site is a placeholder in the template; in a ``manyof`` whose candidates may be chosen twice, what lies below
is a site of its own for each slot.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeAlias

from archloom.contracts import Genotypes
from archloom.search_spaces.points import ChoicePoint, Point, Points

__all__ = ["Site", "routing", "sites"]

Site: TypeAlias = tuple[str, tuple[int, ...]]
"""A placeholder's path in the template, and the slots that lead to it where these have copies."""


def sites(template: Any, points: Points, slots: tuple[int, ...] = ()) -> Iterator[tuple[Site, Point]]:
    """Yield every site of a template (PyGlove's object) with its point.

    >>> import pyglove as pg
    >>> from archloom.search_spaces.space import SearchSpace
    >>> space = SearchSpace(pg.Dict(op=pg.oneof([pg.Dict(width=pg.oneof([8, 16])), "skip"])))
    >>> [(site, point.path) for site, point in sites(space.template, space.points)]
    [(('op', ()), 'op'), (('op.candidates[0].width', ()), 'op({width: choice}).width')]
    """
    for (_, placeholder), point in zip(template.hyper_primitives, points, strict=True):
        yield (str(placeholder.sym_path), slots), point
        if not isinstance(point, ChoicePoint):
            continue
        for slot, candidates in enumerate(point.children):
            below = (*slots, slot) if point.has_copies else slots
            for candidate, inner in zip(placeholder.candidate_templates, candidates, strict=True):
                yield from sites(candidate, inner, below)


def routing(points: Points, row: Genotypes) -> dict[str, tuple[int, ...]]:
    """Return the route of a ``1 x d`` row: what is chosen at each active choice, by its point's path."""
    chosen = row.choices[0].tolist()
    return dict(_routes(points, chosen))


def _routes(points: Points, chosen: list[int]) -> Iterator[tuple[str, tuple[int, ...]]]:
    for point in points:
        if not isinstance(point, ChoicePoint):
            continue
        held = tuple(chosen[column] for column in point.columns)
        yield point.path, held
        for slot, choice in enumerate(held):
            if point.has_copies or choice not in held[:slot]:
                yield from _routes(point.below(slot, choice), chosen)
