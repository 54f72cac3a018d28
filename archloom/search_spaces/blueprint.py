# SPDX-License-Identifier: Apache-2.0
"""Blueprints: symbolic descriptions of modules, and the one door through which they are built.

A blueprint's fields may hold PyGlove placeholders (``pg.oneof``, ``pg.manyof``, ...); with them it is
the template of a search space, and decoded it builds a plain torch module.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterator, MutableMapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary, WeakSet

import pyglove as pg

from archloom.errors import ArchloomError, SpaceError
from archloom.search_spaces.operations import OPERATIONS
from archloom.search_spaces.sharing import all_channels, alternatives, is_shared, partial_channels, routed
from archloom.search_spaces.sketch import Sketch
from archloom.search_spaces.sketching import box_of, unjoined
from archloom.search_spaces.widths import keeps_width, out_of, sized, width_of

if TYPE_CHECKING:
    from torch import nn

__all__ = [
    "Blueprint",
    "build",
    "build_at",
    "origin",
    "origins",
    "out_of",
    "part_seen",
    "placed",
    "sees_part",
    "sized",
]


class Blueprint(pg.Object):
    """A symbolic description of a module. Write ``build``.

    ``build`` takes the input width first, builds children through ``archloom.search_spaces.blueprint.build``
    and asks the built child for its width (``out_of``), never the child's fields.

    >>> from torch import nn
    >>> class Wide(Blueprint):
    ...     factor: int = 2
    ...     def build(self, c_in: int) -> nn.Module:
    ...         return nn.Linear(c_in, c_in * self.factor)
    >>> build(Wide(factor=3), 4)
    Linear(in_features=4, out_features=12, bias=True)
    """

    elastic = frozenset[str]()
    """Fields whose choices the part reads through ``knob`` or ``routed`` itself when a supernet is built;
    other plain fields that are chosen have the part built once for each combination."""

    takes_any_width = False
    """Whether it can be built for inputs of several widths (``Width``), of which it then slices."""

    @property
    def label(self) -> str | None:
        """A short name for this blueprint as a candidate; ``None`` leaves the naming to the space."""
        return None

    @abstractmethod
    def build(self, c_in: int, *args: Any, **kwargs: Any) -> nn.Module:
        """Build the module for inputs of width ``c_in``.

        Whole networks take ``(c_in, n_outputs, *, input_shape=None)``, where ``input_shape`` is one
        example's shape, ``(c, h, w)`` for an image; operations take ``(c_in, *, c_out, stride, affine)``.
        """

    def drawn(self) -> Sketch:
        """Return what a picture of a network shows where this is a part of it: a box with its fields."""
        return box_of(self)

    def sketches(self) -> list[Sketch]:
        """Return the pictures of this alone, each with a title.

        By default it is one; of a blueprint that holds others, one of its parts without arrows. A blueprint
        that knows how its parts are joined composes what they draw, by ``archloom.search_spaces.sketch``:
        ``[framed(chain(*map(drawn, self.layers)), "my network")]``.
        """
        return unjoined(self)


def build(child: Any, c_in: int, *args: Any, **kwargs: Any) -> nn.Module:
    """Build one part of a network, whatever form it was described in.

    Args:
        child: a ``Blueprint``; the name of an operation; a function or a class, called as
            ``child(c_in, *args, **kwargs)``; a PyGlove-wrapped module class (``pg.symbolize``), made
            anew; or an ``nn.Module``, taken as it is, once.
        c_in: input width.
        *args: passed to the child.
        **kwargs: passed to the child.

    Raises:
        SpaceError: the child is none of these, still holds a choice, or fails. The message starts with
            the path of blueprints that led there: ``CellNetwork > Cell > sep_conv_3x3: ...``, and the
            error's ``at`` is the symbolic path of the innermost one, ``cell.nodes[0][1]``.
        UnknownNameError: no operation has that name.
    """
    return build_at(None, child, c_in, *args, **kwargs)


def build_at(at: str | None, child: Any, c_in: int, *args: Any, **kwargs: Any) -> nn.Module:
    """Build a part that may not know its own symbolic path, as the name of an operation does not."""

    def made(c_in: int, **kwargs: Any) -> nn.Module:
        return routed(child, lambda part: _build_one(at, part, c_in, *args, **kwargs))

    if {"c_out"} <= kwargs.keys() <= _OPERATION and sees_part(child):
        stride = kwargs.get("stride", 1)
        return part_seen(c_in, kwargs["c_out"], stride, lambda c: made(c, **{**kwargs, "c_out": c}))
    return made(c_in, **kwargs)


_OPERATION = frozenset({"c_out", "stride", "affine"})
"""What an operation is told, and nothing else."""


def sees_part(child: Any) -> bool:
    """Whether a part is chosen in a supernet whose choices see some of the channels."""
    return partial_channels() > 1 and alternatives(child) is not None


def part_seen(c_in: int, c_out: int, stride: int, make: Callable[[int], nn.Module]) -> nn.Module:
    """Build a choice that sees one channel in so many, while the others pass by (PC-DARTS).

    Args:
        c_in: channels that come.
        c_out: channels that are wanted.
        stride: of the choice.
        make: makes the choice, from so many channels to as many.

    Raises:
        SpaceError: it does not keep the channels, or they cannot be divided.
    """
    from archloom.nn.routed import PartialChannels

    n = partial_channels()
    if c_in != c_out or c_in % n:
        raise SpaceError(
            f"an operation from {c_in} to {c_out} channels cannot see one channel in {n}: partial channels "
            "take as many as they give, and divide them"
        )
    with all_channels():
        return PartialChannels(make(c_in // n), n, c_out, stride)


def _build_one(at: str | None, child: Any, c_in: int, *args: Any, **kwargs: Any) -> nn.Module:
    with placed(child, at):
        _refuse_elastic(child, c_in)
        module = _built(child, c_in, *args, **kwargs)
        made = _origins.get()
        path = _sym_path(child, at)
        if width_of(module) is None and keeps_width(module):
            sized(module, c_in)
        if made is not None and path is not None:
            made.setdefault(module, path)  # a child that is its parent stays the child's
        return module


def _refuse_elastic(child: Any, c_in: int) -> None:
    """Refuse to give an input of several widths to a part that has not said it can slice its weights."""
    from archloom.nn.routed import Width

    if type(c_in) is not int and isinstance(c_in, Width) and not getattr(child, "takes_any_width", False):
        raise SpaceError(
            f"what comes before has up to {int(c_in)} channels by choice, and the weights here cannot be "
            "sliced: put a layer of fixed width between"
        )


def _built(child: Any, c_in: int, *args: Any, **kwargs: Any) -> nn.Module:
    if isinstance(child, Blueprint):
        _refuse_placeholders(child)
        return _checked(child, child.build(c_in, *args, **kwargs))
    if isinstance(child, str):
        return _checked(child, OPERATIONS.get(child)(c_in, *args, **kwargs))
    _refuse_placeholders(child)
    if _is_module(child):
        return _fresh(child)
    if callable(child):
        return _checked(child, child(c_in, *args, **kwargs))
    raise SpaceError(
        "a part of a network is a Blueprint, the name of an operation, a function or class, or an "
        f"nn.Module, got {child!r} of type {type(child).__name__}"
    )


_origins: ContextVar[MutableMapping[nn.Module, str] | None] = ContextVar("_origins", default=None)


@contextmanager
def origins() -> Iterator[MutableMapping[nn.Module, str]]:
    """Remember, inside the block, which symbolic path made which module.

    The modules themselves are left as they are, and are not kept alive.

    >>> from torch import nn
    >>> class Twice(Blueprint):
    ...     parts: list[Any]
    ...     def build(self, c_in: int) -> nn.Module:
    ...         return nn.Sequential(*[build(part, c_in) for part in self.parts])
    >>> identity = pg.symbolize(nn.Identity)
    >>> with origins() as made:
    ...     network = build(Twice([identity(), identity()]), 4)
    >>> [made[module] for module in network]
    ['parts[0]', 'parts[1]']
    """
    made: MutableMapping[nn.Module, str] = WeakKeyDictionary()
    token = _origins.set(made)
    try:
        yield made
    finally:
        _origins.reset(token)


def origin(module: nn.Module) -> str | None:
    """Return the symbolic path that made a module, where ``origins`` remembers it."""
    made = _origins.get()
    return None if made is None else made.get(module)


_path: ContextVar[tuple[tuple[Any, str | None], ...]] = ContextVar("_path", default=())
_placed: WeakSet[Any] = WeakSet()


@contextmanager
def placed(child: Any, at: str | None = None) -> Iterator[None]:
    """Extend the path by ``child`` and put it before the message of what goes wrong there.

    An error leaves with three attributes: ``build_path``, the names on the path; ``at``, the symbolic path
    of the innermost blueprint; ``reason``, the message alone.
    """
    path = (*_path.get(), (child, at))
    token = _path.set(path)
    try:
        yield
    except Exception as error:
        if hasattr(error, "build_path"):
            raise
        names, reason = tuple(_name(part) for part, _ in path), str(error)
        located: Any = error
        if not isinstance(error, ArchloomError):
            reason = f"{reason} ({type(error).__name__})"
            located = SpaceError()
        located.args = (f"{' > '.join(names)}: {reason}",)
        located.build_path, located.reason = names, reason
        if not hasattr(located, "at"):
            found = (_sym_path(part, part_at) for part, part_at in reversed(path))
            located.at = next((place for place in found if place is not None), "")
        if located is error:
            raise
        raise located from error
    finally:
        _path.reset(token)


def _sym_path(child: Any, at: str | None) -> str | None:
    """Return where a part stands in the decoded value; ``None`` where it cannot be told."""
    return at if at is not None or not isinstance(child, pg.Symbolic) else str(child.sym_path)


MAX_NAME = 40


def _name(child: Any) -> str:
    if isinstance(child, str):
        return child
    label = child.label if isinstance(child, Blueprint) else None
    if label and len(label) <= MAX_NAME and " > " not in label:  # a sequence is no path
        return str(label)
    if isinstance(child, type) or (callable(child) and hasattr(child, "__name__")):
        return str(child.__name__)
    return type(child).__name__


def _refuse_placeholders(child: Any) -> None:
    """Refuse a template: what is built has every choice made, except in a supernet."""
    if is_shared() or not isinstance(child, pg.Symbolic) or not child.sym_puresymbolic:
        return
    found: list[str] = []

    def visit(path: Any, value: Any, parent: Any) -> Any:
        del parent
        if isinstance(value, pg.hyper.HyperValue):
            found.append(str(path))
            return pg.TraverseAction.CONTINUE
        return pg.TraverseAction.ENTER

    pg.traverse(child, visit)
    where = f" (at {', '.join(path or 'the root' for path in found)})" if found else ""
    raise SpaceError(
        f"a template is decoded before it is built: {_name(child)} still holds a choice{where}; "
        "build an architecture of the space, as in `space.architecture(row).value`"
    )


def _is_module(child: Any) -> bool:
    from torch import nn

    return isinstance(child, nn.Module)


def _fresh(module: Any) -> nn.Module:
    """Make a symbolic module anew; refuse a plain one that was placed before."""
    if isinstance(module, pg.Symbolic):
        made: nn.Module = module.sym_clone(deep=True)
        return made
    if module in _placed:
        raise SpaceError(
            f"an nn.Module holds weights, and this {_name(module)} is already part of a network: "
            "describe it by a Blueprint, a function or a class, which make a new one each time"
        )
    _placed.add(module)
    plain: nn.Module = module
    return plain


def _checked(child: Any, built: Any) -> nn.Module:
    if not _is_module(built):
        raise SpaceError(
            f"{_name(child)} must build an nn.Module, got {built!r} of type {type(built).__name__}"
        )
    module: nn.Module = built
    return module
