# SPDX-License-Identifier: Apache-2.0
"""What all layers of the library share: where they stand, what they take, and how they are joined.

A parent offers a layer a *place*: the width and stride that it wants, whether batch norms learn a scale, ...
A field of the layer (``width``, ``stride``) goes before the place; and where the place wants what a layer
cannot give by itself (a ``norm`` of another width), a 1x1 projection behind it does.
"""

from __future__ import annotations

import inspect
from abc import abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pyglove as pg

from archloom.errors import SpaceError, UnknownNameError
from archloom.search_spaces.blueprint import (
    Blueprint,
    build,
    build_at,
    out_of,
    part_seen,
    placed,
    sees_part,
    sized,
)
from archloom.search_spaces.blueprints.checks import ABSENT, check_activation, check_least, check_parts
from archloom.search_spaces.blueprints.shapes import ShapeSoFar
from archloom.search_spaces.labels import PLACEHOLDERS, candidate_label
from archloom.search_spaces.mlp.network import ACTIVATIONS
from archloom.search_spaces.operations import OPERATIONS
from archloom.search_spaces.sharing import Slot, alternatives, is_shared, knob, routed, spread
from archloom.search_spaces.sketch import Sketch, box, framed
from archloom.search_spaces.sketch import chain as chained
from archloom.search_spaces.sketching import box_of

if TYPE_CHECKING:
    from torch import nn

__all__ = [
    "CHOSEN",
    "Layer",
    "Place",
    "chain",
    "fitted",
    "fixed_width",
    "flat",
    "label_of_part",
    "made_activation",
    "part",
    "sliced",
    "takes",
    "widest",
]


CHOSEN = "..."
"""What stands in a label for what is not decided yet."""


@dataclass(frozen=True)
class Place:
    """What a parent tells a layer.

    Args:
        c_in: input width.
        c_out: the width wanted of the output; ``None`` leaves it to the layer.
        stride: the stride wanted; ``None`` leaves it to the layer.
        affine: whether norms learn a scale and a shift.
        input_shape: of one sample, where it is known and the layer takes it.
        n_outputs: the width of the network's output, for its last layer.
    """

    c_in: int
    c_out: int | None = None
    stride: int | None = None
    affine: bool = True
    input_shape: tuple[int, ...] | None = None
    n_outputs: int | None = None


class Layer(Blueprint):
    """A layer of the library. Write ``_build``."""

    _least = {"width": 1, "kernel_size": 1, "stride": 1, "dilation": 1, "groups": 1}  # noqa: RUF012
    _takes = frozenset[str]()
    _parts: tuple[str, ...] = ()
    _is_network = False
    _drawn = frozenset({"width", "kernel_size", "kind", "size", "heads", "rate"})

    def _on_bound(self) -> None:
        super()._on_bound()
        for name, least in self._least.items():
            check_least(self, name, least)
        check_activation(self, "activation")
        for name in self._parts:
            check_parts(self.sym_init_args.get(name), name)

    @property
    def label(self) -> str:
        """The registered name, with the fields that differ from their defaults; decisions are left out."""
        spelled = []
        for key, field in self.sym_init_args.items():
            default = type(self).__schema__.get_field(key).default_value
            if not isinstance(field, PLACEHOLDERS) and not pg.eq(field, default):
                spelled.append(f"{key}={label_of_part(field)}")
        return type(self).__name__.lower() + (f"({', '.join(spelled)})" if spelled else "")

    def drawn(self) -> Sketch:
        """Return a box with what tells the layer from others, and what is not as by default."""
        return box_of(self, title=type(self).__name__.lower(), fields=self._told(self._drawn))

    def sketches(self) -> list[Sketch]:
        """Return the layer as a whole network: with the head that comes behind it."""
        has_head = self._is_network or self.takes("n_outputs")
        body = self.drawn() if has_head else chained(self.drawn(), box("head"))
        return [framed(body, type(self).__name__.lower())]

    def _told(self, always: frozenset[str] = frozenset()) -> dict[str, Any]:
        """Return the fields that differ from their defaults, and those that are always told."""
        schema = type(self).__schema__
        return {
            key: field
            for key, field in self.sym_init_args.items()
            if key in always or not pg.eq(field, schema.get_field(key).default_value)
        }

    def takes(self, name: str) -> bool:
        """Whether the layer makes use of ``c_out``, ``stride``, ``input_shape`` or ``n_outputs``."""
        return name in self._takes and not (name == "c_out" and self._own("width") is not None)

    def build(
        self,
        c_in: int,
        n_outputs: int | None = None,
        *,
        input_shape: Sequence[int] | None = None,
        c_out: int | None = None,
        stride: int | None = None,
        affine: bool = True,
    ) -> nn.Module:
        """Build the layer; with ``n_outputs`` as a whole network, which ends in a head.

        Args:
            c_in: input width.
            n_outputs: outputs of the network.
            input_shape: of one sample: ``(c, h, w)``, ``(t, c)`` or ``(c,)``.
            c_out: the width wanted, where the layer has no ``width`` of its own.
            stride: the stride wanted, where the layer has no ``stride`` of its own.
            affine: whether norms learn a scale and a shift.
        """
        shape = None if input_shape is None else tuple(input_shape)
        if n_outputs is not None and shape is not None and len(shape) == 2:
            c_in = shape[-1]  # tokens hold their channels last
        place = Place(c_in, c_out, stride, affine, shape, n_outputs)
        width, own_stride = self._own("width"), self._own("stride")
        width = knob(width) if "width" in self.elastic else width
        inner = replace(place, c_out=width or c_out, stride=own_stride or stride)
        module = fitted(self._build(inner), place, takes_stride=self.takes("stride"))
        if n_outputs is None or self._is_network or self.takes("n_outputs"):
            return module
        return _with_head(module, n_outputs)

    @abstractmethod
    def _build(self, place: Place) -> nn.Module:
        """Build the layer; where fields were set, they have taken the place's width and stride."""

    def _own(self, name: str) -> Any:
        return self.sym_init_args.get(name)


def label_of_part(value: Any) -> str:
    """Return the label of what a field holds: as of a candidate, with dots for what is chosen."""
    if isinstance(value, PLACEHOLDERS):
        return CHOSEN
    if isinstance(value, pg.List):
        return f"[{', '.join(map(label_of_part, value.sym_values()))}]"
    return candidate_label(value)


def part(child: Any, place: Place, at: Any = None) -> nn.Module:
    """Build a child in its place; a list is a sequence.

    What the place wants and the child does not take, a projection makes. Children that are no layers
    (operations, functions, classes, other blueprints) are told only what they have parameters for.

    Args:
        child: what to build.
        place: where it stands.
        at: its symbolic path, for a child that does not know its own.
    """
    if place.c_out is not None and place.stride is not None and sees_part(child):

        def made(c: int) -> nn.Module:
            inner = replace(place, c_in=c, c_out=c)
            return routed(child, lambda one: _part(one, inner, at))

        return part_seen(place.c_in, place.c_out, place.stride, made)
    return routed(child, lambda one: _part(one, place, at))


def _part(child: Any, place: Place, at: Any) -> nn.Module:
    if isinstance(child, list):
        return fitted(chain(child, place), place, takes_stride=takes(child, "stride"))
    told = {name: value for name, value in vars(place).items() if name != "c_in" and takes(child, name)}
    if isinstance(child, Layer):
        told |= {"c_out": place.c_out, "stride": place.stride, "affine": place.affine}
        return build(child, place.c_in, **told)
    told = {name: value for name, value in told.items() if value is not None}
    module = build_at(None if at is None else str(at), child, place.c_in, **told)
    return fitted(module, place, takes_stride=takes(child, "stride"))


def chain(layers: Any, place: Place) -> nn.Module:
    """Build layers one after another.

    Each that has no width of its own is offered the place's; the first that takes a stride gets it, and
    the others then keep the size. The last is told ``n_outputs``, or a head comes after it.
    """
    from torch import nn

    spread = list(_spread(layers))
    children = [child for child, _ in spread]
    strided = None if place.stride in (None, 1) else _strided(children)
    width, modules = place.c_in, list[nn.Module]()
    shape = ShapeSoFar(place.input_shape)
    for index, (child, at) in enumerate(spread):
        here = Place(
            width,
            stride=place.stride if index == strided or place.stride is None else 1,
            affine=place.affine,
            input_shape=shape.after(modules) if takes(child, "input_shape") else None,
            n_outputs=place.n_outputs if index == len(children) - 1 else None,
        )

        def made(one: Any, here: Place = here, at: Any = at) -> nn.Module:
            if _is_absent(one):  # only a supernet has it among its candidates
                return sized(nn.Identity(), here.c_in)
            c_out = place.c_out if takes(one, "c_out") else None
            n_outputs = here.n_outputs if takes(one, "n_outputs") else None
            return part(one, replace(here, c_out=c_out, n_outputs=n_outputs), at)

        modules.append(routed(child, made))
        if index < len(children) - 1:
            with placed(child, None if at is None else str(at)):
                width = out_of(modules[-1])
    if not modules:
        return sized(nn.Identity(), place.c_in)
    return modules[0] if len(modules) == 1 else nn.Sequential(*modules)


def sliced(module: nn.Module, place: Place, kernel: Any = None) -> nn.Module:
    """Have a layer of a supernet slice its weights, where widths or its kernel are a matter of choice."""
    from archloom.nn.routed import Knob, Width, slicing

    if is_shared() and (isinstance(place.c_in, Width) or Knob in (type(place.c_out), type(kernel))):
        return slicing(module, place.c_out, kernel)
    return module


def widest(value: Any) -> int:
    """Return a number, or the largest that a knob has, as one of several."""
    from archloom.nn.routed import Knob, Width, largest

    return Width(largest(value)) if isinstance(value, Knob) else value


def fixed_width(module: nn.Module) -> int:
    """Return the width of a module, which must have only one."""
    from archloom.nn.routed import Width

    width = out_of(module)
    if is_shared() and isinstance(width, Width):
        raise SpaceError(
            f"a part of up to {int(width)} channels by choice stands where the width has to be the same, "
            "in a sum or beside others: put a layer of fixed width behind it"
        )
    return width


def takes(child: Any, name: str) -> bool:
    """Whether a child makes use of what a place offers: a layer says so, anything else by its signature.

    Of several candidates any may.
    """
    candidates = alternatives(child)
    if candidates is not None:
        return any(takes(candidate, name) for candidate in candidates)
    if isinstance(child, Layer):
        return child.takes(name)
    if isinstance(child, list):
        children = flat(child)
        if name == "n_outputs":
            return bool(children) and takes(children[-1], name)
        return any(takes(part, name) for part in children)
    return name in _parameters(child)


def _strided(children: Sequence[Any]) -> int | None:
    """Return which child takes the stride: the first that can, whatever is chosen.

    Raises:
        SpaceError: (in a supernet) that depends on what is chosen.
    """
    for index, child in enumerate(children):
        candidates = alternatives(child) or [child]
        answers = {not _is_absent(candidate) and takes(candidate, "stride") for candidate in candidates}
        if len(answers) > 1:
            raise SpaceError(
                "which layer takes the stride depends on what is chosen here, so that it cannot be shared: "
                "put a layer of fixed kind first, or give the stride to one layer by name"
            )
        if answers == {True}:
            return index
    return None


def flat(layers: Any) -> list[Any]:
    """Return the layers that are there, lists in lists laid out."""
    return [child for child, _ in _spread(layers)]


def _spread(layers: Any, at: Any = None) -> Iterator[tuple[Any, Any]]:
    """Yield the layers that are there, each with its symbolic path."""
    if is_shared() and not isinstance(layers, Slot):
        slots = spread(layers) if isinstance(layers, list | pg.hyper.ManyOf) else [layers]
        if len(slots) != 1 or slots[0] is not layers:
            for layer in slots:
                yield from _spread(layer, getattr(layer, "sym_path", None))
            return
    if isinstance(layers, pg.List):
        for index, layer in enumerate(layers):
            yield from _spread(layer, layers.sym_path + index)
    elif isinstance(layers, list):
        for layer in layers:
            yield from _spread(layer)
    elif not _is_absent(layers):
        yield layers, at


def _is_absent(layer: Any) -> bool:
    return layer is None or (isinstance(layer, str) and layer == ABSENT)


def made_activation(name: str) -> nn.Module:
    """Make an activation; ``none`` is the identity."""
    from torch import nn

    made: nn.Module = nn.Identity() if name == ABSENT else ACTIVATIONS.get(name)()
    return made


def _parameters(child: Any) -> frozenset[str]:
    """The names that a child which is no layer can be told."""
    try:
        target = OPERATIONS.get(child) if isinstance(child, str) else child
        if isinstance(child, Blueprint):
            target = child.build
        elif isinstance(child, pg.Functor):
            target = None  # it holds its arguments; what it lacks is the width
        return frozenset(inspect.signature(target).parameters) if callable(target) else frozenset()
    except (UnknownNameError, TypeError, ValueError):
        return frozenset()  # building it says what is wrong


def fitted(module: nn.Module, place: Place, *, takes_stride: bool) -> nn.Module:
    """Put a projection behind a module that does not give the width or take the stride that is wanted."""
    from torch import nn

    from archloom.nn import Project

    stride = 1 if takes_stride or place.stride is None else place.stride
    if place.c_out is None and stride == 1:
        return module
    width = out_of(module) if place.c_out is None else fixed_width(module)
    c_out = place.c_out or width
    if width == c_out and stride == 1:
        return module
    return nn.Sequential(module, Project(width, c_out, stride))


def _with_head(module: nn.Module, n_outputs: int) -> nn.Module:
    from torch import nn

    from archloom.nn import MeanHead

    width = out_of(module)
    head = sliced(MeanHead(width, n_outputs), Place(width))
    body = module if type(module) is nn.Sequential else [module]
    return nn.Sequential(*body, head)
