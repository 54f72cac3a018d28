# SPDX-License-Identifier: Apache-2.0
"""How a template is built undecoded: choices become routed modules that share what is around them.

``build`` meets placeholders only inside ``shared``. Whatever describes a network reads its parts through one
of these: ``routed`` (one part), ``row`` (a list of parts, some of them chosen), ``knob`` (a number that
modules slice by), ``slab`` (sites that are weighed together). Outside ``shared`` they hand over what is
there, so that a blueprint is written once.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias, final

import pyglove as pg

from archloom.errors import SpaceError
from archloom.search_spaces.points import ChoicePoint, Point
from archloom.search_spaces.scalars import first_scalar, stamp, stamped, substituted
from archloom.search_spaces.sites import Site, sites
from archloom.search_spaces.slabs import Slabs
from archloom.search_spaces.widths import width_of

if TYPE_CHECKING:
    from torch import nn

    from archloom.nn.routed import Slab, Switch

__all__ = [
    "MAX_COMBINATIONS",
    "Slot",
    "all_channels",
    "alternatives",
    "is_shared",
    "knob",
    "n_slots",
    "partial_channels",
    "routed",
    "row",
    "shared",
    "slab",
    "spread",
]

Make: TypeAlias = "Callable[[Any], nn.Module]"

MAX_COMBINATIONS = 16
"""So many combinations of plain values (kernel, activation, ...) of one part are built beside each other."""


@final
@dataclass(frozen=True)
class Slot:
    """One slot of a ``manyof``, standing for the one part that it will hold."""

    placeholder: Any
    index: int


@final
@dataclass(frozen=True)
class _Sharing:
    """The template that is being built, and where in it."""

    root: Any
    points: dict[Site, Point]
    switches: dict[str, Switch]
    slabs: Slabs
    slots: tuple[int, ...] = ()
    fixed: dict[str, int] = field(default_factory=dict)
    n_combinations: int = 1
    partial_channels: int = 1

    def point(self, placeholder: Any) -> ChoicePoint:
        path = stamped(placeholder)
        for n in range(len(self.slots), -1, -1):
            point = self.points.get((path, self.slots[:n]))
            if isinstance(point, ChoicePoint):
                return point
        raise SpaceError(f"{path}: this choice is not one of the space that is built")

    def switch(self, point: ChoicePoint) -> Switch:
        return self.switches[point.path]


_sharing: ContextVar[_Sharing | None] = ContextVar("_sharing", default=None)


def is_shared() -> bool:
    """Whether a template is being built undecoded."""
    return _sharing.get() is not None


def partial_channels() -> int:
    """Return in how many channels operations that are chosen see one; 1 where they see all."""
    sharing = _sharing.get()
    return 1 if sharing is None else sharing.partial_channels


@contextmanager
def all_channels() -> Iterator[None]:
    """Have operations inside the block see all the channels that they are given."""
    sharing = _sharing.get()
    token = _sharing.set(None if sharing is None else replace(sharing, partial_channels=1))
    try:
        yield
    finally:
        _sharing.reset(token)


@contextmanager
def shared(
    template: Any, points: Any, *, slabs: Slabs | None = None, partial_channels: int = 1
) -> Iterator[dict[str, Switch]]:
    """Build a template undecoded inside the block; its switches are what is yielded.

    Args:
        template: PyGlove's template object of a compiled space.
        points: the space's points.
        slabs: the space's.
        partial_channels: operations that are chosen see one channel in so many.
    """
    from archloom.nn.routed import Switch

    found = dict(sites(template, points))
    stamp(template.value)
    choices = [point for point in found.values() if isinstance(point, ChoicePoint)]
    switches = {point.path: Switch(point.path, point.m, point.k) for point in choices}
    for name, members in (slabs or {}).items():
        together = switches[name] = Switch(name, math.prod(switches[each].n for each in members))
        together.has_no_mixture = "no part of the network weighs its sites together"
        for each in members:
            switches[each].slabs.append(together)
    sharing = _Sharing(template.value, found, switches, slabs or {}, partial_channels=partial_channels)
    token = _sharing.set(sharing)
    try:
        yield sharing.switches
    finally:
        _sharing.reset(token)


def routed(child: Any, make: Make) -> nn.Module:
    """Make one part of a network; where it is chosen, make each candidate and route between them.

    Args:
        child: a part, or what stands for one: a ``oneof``, a reference, a ``Slot``; or a blueprint some of
            whose plain values are chosen.
        make: makes a part; a ``manyof`` is handed to it as it is.

    Raises:
        SpaceError: (in a supernet) candidates of different widths, or too many combinations of plain values.
    """
    sharing = _sharing.get()
    if sharing is None:
        return make(child)
    child = _resolved(sharing, child)
    if isinstance(child, Slot):
        return _chosen(sharing, child.placeholder, child.index, lambda part: routed(part, make))
    if isinstance(child, pg.hyper.OneOf):
        return _chosen(sharing, child, 0, lambda part: routed(part, make))
    scalar = first_scalar(child)
    return make(child) if scalar is None else _combined(sharing, child, *scalar, make)


def knob(value: Any) -> Any:
    """Return a number, or what turns it where it is chosen: a ``Knob`` of the candidates.

    Raises:
        SpaceError: (in a supernet) the candidates are no whole numbers.
    """
    from archloom.nn.routed import Knob

    sharing = _sharing.get()
    if sharing is None:
        return value
    value = _resolved(sharing, value)
    if not isinstance(value, pg.hyper.HyperValue):
        return value
    point = sharing.point(value)
    if point.path in sharing.fixed:
        return value.candidates[sharing.fixed[point.path]]
    values = tuple(
        tuple(each) if isinstance(each, list) else each for each in getattr(value, "candidates", ())
    )
    numbers = [number for each in values for number in (each if isinstance(each, tuple) else (each,))]
    if not isinstance(value, pg.hyper.OneOf) or not all(type(number) is int for number in numbers):
        raise SpaceError(f"{point.path}: an elastic value is one of some whole numbers, got {point.labels}")
    return Knob(values, sharing.switch(point))


def slab(name: str) -> Slab | None:
    """Return the sites that are weighed together under a name; ``None`` where there is nothing to weigh."""
    from archloom.nn.routed import Slab

    sharing = _sharing.get()
    if sharing is None or name not in sharing.slabs:
        return None
    together, members = sharing.switches[name], sharing.slabs[name]
    together.has_no_mixture = ""
    return Slab(together, tuple(sharing.switches[each] for each in members))


def row(children: Any, make: Callable[[Any, Any], nn.Module]) -> list[nn.Module]:
    """Make the parts of a list, of which a ``manyof`` may choose some or all.

    Args:
        children: a list of parts, or a ``manyof``.
        make: makes a part from itself and its symbolic path.
    """
    from archloom.nn.routed import Many

    sharing = _sharing.get()
    made: list[nn.Module] = []
    for child, at in _located(children):
        if sharing is None or not isinstance(child := _resolved(sharing, child), pg.hyper.ManyOf):
            made.append(routed(child, partial(_with_path, make, at)))
            continue
        point = sharing.point(child)
        slots = []
        for slot in range(point.k if point.has_copies else 1):
            with _inside(sharing, point, slot):
                slots.append([routed(each, partial(_with_path, make, at)) for each in child.candidates])
        width = _common_width(point, [candidate for candidates in slots for candidate in candidates])
        made.append(Many(slots, sharing.switch(point), out=width))
    return made


def spread(children: Any) -> list[Any]:
    """Return the parts of a list, one for each slot of a ``manyof`` among them."""
    sharing = _sharing.get()
    if sharing is None:
        return list(children)
    parts: list[Any] = []
    for child in children if isinstance(children, list) else [children]:
        child = _resolved(sharing, child)
        is_many = isinstance(child, pg.hyper.ManyOf)
        parts += [Slot(child, slot) for slot in range(child.num_choices)] if is_many else [child]
    return parts


def alternatives(child: Any) -> list[Any] | None:
    """Return the candidates of what stands for one part in a supernet, ``None`` where it is one itself."""
    sharing = _sharing.get()
    if sharing is None:
        return None
    child = _resolved(sharing, child)
    placeholder = child.placeholder if isinstance(child, Slot) else child
    return list(placeholder.candidates) if isinstance(placeholder, pg.hyper.Choices) else None


def n_slots(module: nn.Module) -> int:
    """Return how many modules of the plain network one of a ``row`` stands for."""
    from archloom.nn.routed import Many

    return module.switch.k if isinstance(module, Many) else 1


def _located(children: Any) -> Iterator[tuple[Any, Any]]:
    if isinstance(children, pg.List):
        yield from ((child, children.sym_path + index) for index, child in enumerate(children))
    else:
        yield from ((child, None) for child in (children if isinstance(children, list) else [children]))


def _with_path(make: Callable[[Any, Any], nn.Module], at: Any, child: Any) -> nn.Module:
    return make(child, at)


def _resolved(sharing: _Sharing, child: Any) -> Any:
    """Return what a reference leads to."""
    if isinstance(child, pg.hyper.ValueReference):
        return sharing.root.sym_get(child.reference_paths[0])
    return child


def _chosen(sharing: _Sharing, placeholder: Any, slot: int, make: Make) -> nn.Module:
    """Make all candidates of a slot and a choice among them; inside a candidate of the same site, only it."""
    from archloom.nn.routed import Choice

    point = sharing.point(placeholder)
    if point.path in sharing.fixed:
        return make(placeholder.candidates[sharing.fixed[point.path]])
    candidates = []
    for index, candidate in enumerate(placeholder.candidates):
        with _inside(sharing, point, slot, index):
            candidates.append(make(candidate))
    if len(candidates) == 1:
        return candidates[0]
    return Choice(candidates, sharing.switch(point), slot, out=_common_width(point, candidates))


def _combined(sharing: _Sharing, owner: Any, path: str, scalar: Any, make: Make) -> nn.Module:
    """Make a part once for every value of one of its fields."""
    target = _resolved(sharing, scalar)
    if not isinstance(target, pg.hyper.HyperValue):
        return routed(substituted(owner, path, target), make)
    point = sharing.point(target)
    n = sharing.n_combinations * (1 if point.path in sharing.fixed else point.m)
    if n > MAX_COMBINATIONS:
        raise SpaceError(
            f"{point.path}: {n} or more combinations of plain values would be built side by side, at most "
            f"{MAX_COMBINATIONS} are: choose among fewer, make each a blueprint of its own, or take a part "
            "whose values are elastic"
        )
    if not isinstance(target, pg.hyper.OneOf):
        raise SpaceError(f"{point.path}: several plain values at once cannot be chosen in a supernet")

    counted = replace(sharing, n_combinations=n)
    return _chosen(counted, target, 0, lambda value: routed(substituted(owner, path, value), make))


@contextmanager
def _inside(sharing: _Sharing, point: ChoicePoint, slot: int, index: int | None = None) -> Iterator[None]:
    """Stand inside a candidate of a site."""
    slots = (*sharing.slots, slot) if point.has_copies else sharing.slots
    fixed = sharing.fixed
    if index is not None and point.k == 1:
        fixed = {**fixed, point.path: index}
    token = _sharing.set(replace(sharing, slots=slots, fixed=fixed))
    try:
        yield
    finally:
        _sharing.reset(token)


def _common_width(point: ChoicePoint, candidates: Sequence[nn.Module]) -> int | None:
    from archloom.nn.routed import Width

    widths = [width_of(candidate) for candidate in candidates]
    if None not in widths and any(isinstance(width, Width) for width in widths):
        return Width(max(width for width in widths if width is not None))
    known = {width for width in widths if width is not None}
    if len(known) > 1:
        told = ", ".join(f"{label} {width}" for label, width in zip(point.labels, widths, strict=False))
        raise SpaceError(
            f"{point.path}: candidates of a supernet have one width, for what comes after them is shared; "
            f"here are {told}"
        )
    return next(iter(known), None) if None not in widths else None
