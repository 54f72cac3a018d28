# SPDX-License-Identifier: Apache-2.0
"""Blueprints: symbolic descriptions of modules, and the one door through which they are built.

A blueprint's fields may hold PyGlove placeholders (``pg.oneof``, ``pg.manyof``, ...); with them it is
the template of a search space, and decoded it builds a plain torch module.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

import pyglove as pg

from archloom.errors import ArchloomError, SpaceError
from archloom.search_spaces.operations import OPERATIONS

if TYPE_CHECKING:
    from torch import nn

__all__ = ["Blueprint", "build", "out_of"]


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
            the path of blueprints that led there: ``CellNetwork > Cell > sep_conv_3x3: ...``.
        UnknownNameError: no operation has that name.
    """
    with _place(child):
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


def out_of(module: nn.Module) -> int:
    """Return the output width of a module.

    Raises:
        SpaceError: it has no ``.out``.
    """
    try:
        return int(module.out)  # type: ignore[arg-type]
    except AttributeError:
        raise SpaceError(
            "every module that other parts are built upon has .out, its output width; "
            f"{type(module).__name__} has none: set it, as in `module.out = width`"
        ) from None


_path: ContextVar[tuple[str, ...]] = ContextVar("_path", default=())
_placed: WeakSet[Any] = WeakSet()


@contextmanager
def _place(child: Any) -> Iterator[None]:
    """Extend the path by ``child`` and put it before the message of what goes wrong there."""
    path = (*_path.get(), _name(child))
    token = _path.set(path)
    try:
        yield
    except Exception as error:
        if hasattr(error, "build_path"):
            raise
        message = f"{' > '.join(path)}: {error}"
        if not isinstance(error, ArchloomError):
            located = SpaceError(f"{message} ({type(error).__name__})")
            located.build_path = path  # type: ignore[attr-defined]
            raise located from error
        error.args = (message,)
        error.build_path = path  # type: ignore[attr-defined]
        raise
    finally:
        _path.reset(token)


def _name(child: Any) -> str:
    if isinstance(child, str):
        return child
    if isinstance(child, Blueprint) and child.label:
        return str(child.label)
    if isinstance(child, type) or (callable(child) and hasattr(child, "__name__")):
        return str(child.__name__)
    return type(child).__name__


def _refuse_placeholders(child: Any) -> None:
    """Refuse a template: what is built has every choice made."""
    if not isinstance(child, pg.Symbolic) or not child.sym_puresymbolic:
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
