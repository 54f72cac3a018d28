# SPDX-License-Identifier: Apache-2.0
"""Parts of a space: some of its decisions as a search space of their own, the others held.

What is cut is the compiled space, not its template: the root points that are asked for, with everything below
them, renumbered. So names and the order of the candidates stay what they are; a field that is tied to another
(``pg.hyper.reference``) is no decision and follows when the merged row is decoded; and the decisions outside
the network are cut like all others.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, final

import numpy as np
import numpy.typing as npt
import pyglove as pg

from archloom.contracts import Genotypes
from archloom.errors import SpaceError, did_you_mean
from archloom.search_spaces.compiler import Part as CompiledPart
from archloom.search_spaces.points import ChoicePoint, FloatPoint, Point, Points, When, decision_names, walk
from archloom.search_spaces.space import SearchSpace

__all__ = ["Part", "Shortlist", "every_root", "root_names"]

SHORTLIST = "(shortlist)"
"""The decision between the rows of a shortlist; no path in a template reads so."""
_BOUNDARY = (".", "[", "(")


def every_root(space: SearchSpace) -> list[str]:
    """Return the names of all root decisions, in the order of the space; a ``manyof`` has one.

    >>> every_root(SearchSpace(pg.Dict(a=pg.oneof([pg.oneof([1, 2]), 3]), b=pg.manyof(2, [1, 2, 3]))))
    ['a', 'b']
    """
    return [_name(point) for point in space.points]


def root_names(space: SearchSpace, names: Sequence[str]) -> list[str]:
    """Return the root decisions that names or leading paths stand for, in the order of the space.

    >>> space = SearchSpace(pg.Dict(stem=pg.Dict(k=pg.oneof([1, 3]), w=pg.oneof([8, 16])), op=pg.oneof("ab")))
    >>> root_names(space, ["stem"]), root_names(space, ["op", "stem.w"])
    (['stem.k', 'stem.w'], ['stem.w', 'op'])

    Raises:
        SpaceError: a name that is no decision's, or that of one inside another, which is not cut.
    """
    found: set[str] = set()
    known = every_root(space)
    for name in names:
        mine = [root for root in known if root == name or root.startswith(tuple(name + b for b in _BOUNDARY))]
        if not mine:
            raise SpaceError(_unknown(space, name, known))
        found.update(mine)
    return [root for root in known if root in found]


@final
class Part:
    """Some root decisions of a space, with all that depends on them, as a space of their own.

    Names, labels and the order of the candidates are those of the whole. A ``manyof`` is never cut, nor is a
    decision taken from the candidate that it belongs to. A part is for searching: its points are rows, which
    decode to nothing before they are merged into the whole.

    Args:
        space: the whole.
        names: root decisions by name, or by a leading path: ``stem`` stands for ``stem.kernel`` and
            ``stem.width``. Without any it is the part that has one point, at which nothing is decided.

    Raises:
        SpaceError: a name that is no root decision's; the message has the nearest.

    Example:
        >>> whole = SearchSpace(pg.Dict(op=pg.oneof(["conv", "pool"]), width=pg.oneof([8, 16, 32])))
        >>> part = Part(whole, ["width"])
        >>> part.space
        SearchSpace(3 architectures, 1 decisions)
        >>> held = whole.from_choices({"op": "pool", "width": "8"}).genotype
        >>> [whole.architecture(part.merge(held, part.space.at([i]))).text for i in range(3)]
        ['op=pool, width=8', 'op=pool, width=16', 'op=pool, width=32']
        >>> part.space.architecture(part.project(held)).choices
        {'width': '8'}
    """

    def __init__(self, space: SearchSpace, names: Sequence[str]):
        roots = root_names(space, names)
        points = tuple(point for point in space.points if _name(point) in roots)
        self.names = tuple(roots)
        self._choices, self._floats = _columns(points)
        self.space = _space(_renumbered(points))

    def project(self, rows: Genotypes) -> Genotypes:
        """Return what ``n`` rows of the whole choose in this part."""
        return Genotypes(rows.choices[:, self._choices], rows.floats[:, self._floats])

    def merge(self, held: Genotypes, rows: Genotypes) -> Genotypes:
        """Return ``n`` rows of the whole: this part's choices from ``rows``, all others as they are held.

        Args:
            held: ``n`` rows of the whole, or one for all.
            rows: ``n`` rows of the part.
        """
        choices = np.repeat(held.choices, len(rows), axis=0) if len(held) == 1 else held.choices.copy()
        floats = np.repeat(held.floats, len(rows), axis=0) if len(held) == 1 else held.floats.copy()
        choices[:, self._choices] = rows.choices
        floats[:, self._floats] = rows.floats
        return Genotypes(choices, floats)


@final
class Shortlist:
    """The whole space with some of its decisions reduced to a short list of what they may be together.

    Its space has one decision between the listed rows, called ``(shortlist)``, in place of all the decisions
    that are listed; the others are as they were.

    Args:
        space: the whole.
        listed: the part that is reduced.
        rows: the different rows of that part that are left of it.
        free: the part of all other decisions.

    Raises:
        SpaceError: no row, or the same one twice.

    Example:
        >>> whole = SearchSpace(pg.Dict(op=pg.oneof(["conv", "pool"]), width=pg.oneof([8, 16, 32])))
        >>> widths, ops = Part(whole, ["width"]), Part(whole, ["op"])
        >>> short = Shortlist(whole, widths, widths.space.at([0, 2]), ops)
        >>> short.space.size, short.space.decisions[0].candidates
        (4, ('width=8', 'width=32'))
        >>> short.holds(whole.enumerate()).tolist()
        [True, True, False, False, True, True]
        >>> whole.architecture(short.merge(short.space.at([1]))).text
        'op=conv, width=32'
    """

    def __init__(self, space: SearchSpace, listed: Part, rows: Genotypes, free: Part):
        self.keys = rows.keys()
        if not self.keys or len(set(self.keys)) < len(self.keys):
            raise SpaceError(f"a shortlist has at least one row and none twice, got {len(self.keys)}")
        self._whole, self._listed, self._rows, self._free = space, listed, rows, free
        self._places = {key: i for i, key in enumerate(self.keys)}
        labels = tuple(listed.space.spell(listed.space.choices(rows[i])) for i in range(len(rows)))
        children = (((),) * len(labels),)
        choice = ChoicePoint(SHORTLIST, (SHORTLIST,), (0,), labels, False, False, children, None, None)
        self.space = _space((choice, *_renumbered(free.space.points, first=1)))

    def holds(self, rows: Genotypes) -> npt.NDArray[np.bool_]:
        """Return which of ``n`` rows of the whole are points of the shortened space."""
        keys = self._listed.project(rows).keys()
        return np.array([key in self._places for key in keys], dtype=bool)

    def project(self, rows: Genotypes) -> Genotypes:
        """Return ``n`` rows of the whole, all of which it holds, as rows of the shortened space."""
        keys, free = self._listed.project(rows).keys(), self._free.project(rows)
        places = [self._places[key] for key in keys]
        chosen = np.array(places, dtype=np.int16).reshape(-1, 1)
        return Genotypes(np.concatenate([chosen, free.choices], axis=1), free.floats)

    def merge(self, rows: Genotypes) -> Genotypes:
        """Return ``n`` rows of the shortened space as rows of the whole."""
        whole = self._whole.sample(len(rows), np.random.default_rng(0))  # each of its choices is replaced
        whole = self._listed.merge(whole, self._rows[rows.choices[:, 0]])
        return self._free.merge(whole, Genotypes(rows.choices[:, 1:], rows.floats))


@final
@dataclass(frozen=True, eq=False)
class _Cut:
    """Stands where PyGlove's template would stand, for points that were compiled before."""

    points: Points

    def dna_spec(self) -> Any:
        return _specification(self.points)

    def decode(self, dna: Any) -> Any:
        raise SpaceError(f"a part of a space decodes to nothing: merge its rows into the whole first ({dna})")


def _space(points: Points) -> SearchSpace:
    return SearchSpace.of_points(CompiledPart(_Cut(points), points))


def _name(point: Point) -> str:
    return point.path if isinstance(point, ChoicePoint) else point.name


def _unknown(space: SearchSpace, name: str, known: Sequence[str]) -> str:
    """Say why a name stands for no root decision."""
    for point in space.points:
        if name in decision_names((point,)):
            return f"{name!r} is a part of {_name(point)!r}, which is not cut: name {_name(point)!r}"
    return f"{name!r} is neither a decision nor the beginning of one's path{did_you_mean(name, known)}"


def _columns(points: Points) -> tuple[list[int], list[int]]:
    """Return the columns of points and of all below them: discrete, float."""
    every = list(walk(points))
    choices = [column for point in every if isinstance(point, ChoicePoint) for column in point.columns]
    return choices, [point.column for point in every if isinstance(point, FloatPoint)]


def _renumbered(points: Points, first: int = 0) -> Points:
    """Return points whose columns follow each other, the discrete ones from ``first`` on."""
    choices, floats = _columns(points)
    new = {column: first + i for i, column in enumerate(choices)}
    return _mapped(points, new, {column: i for i, column in enumerate(floats)})


def _mapped(points: Points, choices: Mapping[int, int], floats: Mapping[int, int]) -> Points:
    made: list[Point] = []
    for point in points:
        when = point.when and When(tuple(choices[c] for c in point.when.columns), point.when.choice)
        if isinstance(point, FloatPoint):
            made.append(replace(point, column=floats[point.column], when=when))
            continue
        children = tuple(tuple(_mapped(below, choices, floats) for below in slot) for slot in point.children)
        columns = tuple(choices[column] for column in point.columns)
        made.append(replace(point, columns=columns, children=children, when=when))
    return tuple(made)


def _specification(points: Points) -> Any:
    """Return PyGlove's specification of points; its numbers come in our order."""
    return pg.geno.space([_element(point) for point in points])


def _element(point: Point) -> Any:
    location = pg.KeyPath(_name(point))
    if isinstance(point, FloatPoint):
        return pg.geno.floatv(point.low, point.high, scale=point.scale, location=location)
    return pg.geno.manyof(
        point.k,
        [_specification(below) for below in point.children[0]],
        distinct=point.is_distinct,
        sorted=point.is_sorted,
        literal_values=list(point.labels),
        location=location,
    )
