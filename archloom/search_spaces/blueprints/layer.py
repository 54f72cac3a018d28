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

from archloom.errors import UnknownNameError
from archloom.search_spaces.blueprint import Blueprint, build, build_at, out_of, placed, sized
from archloom.search_spaces.blueprints.checks import ABSENT, check_activation, check_least, check_parts
from archloom.search_spaces.blueprints.shapes import ShapeSoFar
from archloom.search_spaces.labels import PLACEHOLDERS, candidate_label
from archloom.search_spaces.mlp.network import ACTIVATIONS
from archloom.search_spaces.operations import OPERATIONS

if TYPE_CHECKING:
    from torch import nn

__all__ = [
    "CHOSEN",
    "Layer",
    "Place",
    "chain",
    "fitted",
    "flat",
    "label_of_part",
    "made_activation",
    "part",
    "takes",
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
    strided = next((i for i, child in enumerate(children) if takes(child, "stride")), None)
    width, modules = place.c_in, list[nn.Module]()
    shape = ShapeSoFar(place.input_shape)
    for index, (child, at) in enumerate(spread):
        is_end = index == len(children) - 1 and place.n_outputs is not None and takes(child, "n_outputs")
        told = Place(
            width,
            c_out=place.c_out if takes(child, "c_out") else None,
            stride=place.stride if index == strided or place.stride is None else 1,
            affine=place.affine,
            input_shape=shape.after(modules) if takes(child, "input_shape") else None,
            n_outputs=place.n_outputs if is_end else None,
        )
        modules.append(part(child, told, at))
        if index < len(children) - 1:
            with placed(child, None if at is None else str(at)):
                width = out_of(modules[-1])
    if not modules:
        return sized(nn.Identity(), place.c_in)
    return modules[0] if len(modules) == 1 else nn.Sequential(*modules)


def takes(child: Any, name: str) -> bool:
    """Whether a child makes use of what a place offers: a layer says so, anything else by its signature."""
    if isinstance(child, Layer):
        return child.takes(name)
    if isinstance(child, list):
        children = flat(child)
        if name == "n_outputs":
            return bool(children) and takes(children[-1], name)
        return any(takes(part, name) for part in children)
    return name in _parameters(child)


def flat(layers: Any) -> list[Any]:
    """Return the layers that are there, lists in lists laid out."""
    return [child for child, _ in _spread(layers)]


def _spread(layers: Any, at: Any = None) -> Iterator[tuple[Any, Any]]:
    """Yield the layers that are there, each with its symbolic path."""
    if isinstance(layers, pg.List):
        for index, layer in enumerate(layers):
            yield from _spread(layer, layers.sym_path + index)
    elif isinstance(layers, list):
        for layer in layers:
            yield from _spread(layer)
    elif layers is not None and not (isinstance(layers, str) and layers == ABSENT):
        yield layers, at


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
    width = out_of(module)
    c_out = place.c_out or width
    if width == c_out and stride == 1:
        return module
    return nn.Sequential(module, Project(width, c_out, stride))


def _with_head(module: nn.Module, n_outputs: int) -> nn.Module:
    from torch import nn

    from archloom.nn import MeanHead

    head = MeanHead(out_of(module), n_outputs)
    body = module if type(module) is nn.Sequential else [module]
    return nn.Sequential(*body, head)
