# SPDX-License-Identifier: Apache-2.0
"""Any class or function that makes an ``nn.Module``, with arguments that may be searched."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from inspect import Parameter
from typing import TYPE_CHECKING, Any

import pyglove as pg

from archloom.errors import ArchloomError, SpaceError, did_you_mean
from archloom.registry import import_path
from archloom.search_spaces.arguments import note_arguments
from archloom.search_spaces.blueprint import Blueprint, sized
from archloom.search_spaces.blueprints.layer import Layer, Place, part
from archloom.search_spaces.labels import PLACEHOLDERS, candidate_label
from archloom.search_spaces.sketch import Sketch, framed, loose
from archloom.search_spaces.sketching import box_of, drawn

if TYPE_CHECKING:
    from torch import nn

__all__ = ["Call"]

_AUTOMATIC = ("c_in", "n_outputs", "input_shape", "c_out", "stride", "affine")
_NAMED = (Parameter.POSITIONAL_OR_KEYWORD, Parameter.KEYWORD_ONLY)


class Call(Layer):
    """A call of a class or a function: ``target(**args)``.

    What stands in ``args`` is given; of ``c_in``, ``n_outputs``, ``input_shape``, ``c_out``, ``stride`` and
    ``affine`` the target is also told each that it has a parameter for (a ``**kwargs`` is none) and that is
    known where it stands: ``n_outputs`` and ``input_shape`` for a whole network. By itself a call is a whole
    network, behind which no head is put.

    >>> from archloom.search_spaces import build
    >>> build(Call("torch.nn:Linear", {"out_features": 3}), 4)  # doctest: +ELLIPSIS
    Traceback (most recent call last):
        ...
    archloom.errors.SpaceError: Linear(out_features=3): torch.nn:Linear needs the argument 'in_features'
    >>> build(Call("torch.nn:Linear", {"in_features": 4, "out_features": 3}), 4)
    Linear(in_features=4, out_features=3, bias=True)

    Args:
        target: an import path ``package.module:name``, or the class or function itself.
        args: its arguments by name; blueprints and calls among them are made first.
        out: how wide the module's output is, where other layers follow it and it does not say so itself, by
            ``.out`` or as torch does.
    """

    target: Any
    args: dict[str, Any] = {}  # noqa: RUF012
    out: int | None = None

    _least = {"out": 1}  # noqa: RUF012
    is_opaque = True  # what its arguments are for only the target knows
    _is_network = True  # by itself it is the network that it makes, told n_outputs or not

    @property
    def label(self) -> str:
        """The target's name with its constant arguments: ``MyNet(depth=3)``."""
        args = self.sym_init_args.get("args")
        items = args.sym_items() if isinstance(args, pg.Dict) else ()
        spelled = [f"{k}={candidate_label(v)}" for k, v in items if not isinstance(v, PLACEHOLDERS)]
        return _name(self.sym_init_args.get("target")) + (f"({', '.join(spelled)})" if spelled else "")

    def drawn(self) -> Sketch:
        """Return a box with the target's name and its arguments."""
        return box_of(self, title=_name(self.target), fields=self.args)

    def sketches(self) -> list[Sketch]:
        """Return the call alone; without arrows to the layers among its arguments."""
        parts = {key: value for key, value in self.args.items() if pg.contains(value, type=Blueprint)}
        if not parts:
            return [framed(self.drawn(), _name(self.target))]
        plain = {key: value for key, value in self.args.items() if key not in parts}
        shown = [box_of(self, title=_name(self.target), fields=plain)]
        shown += [drawn(value).grouped(key) for key, value in parts.items()]
        return [loose(shown, f"{_name(self.target)}: its parts")]

    def takes(self, name: str) -> bool:
        """Whether the target has a parameter of that name that is not given."""
        return name not in self.args and name in self._parameters()

    def check_arguments(self) -> None:
        """Compare the arguments with the target's signature, its calls' too; nothing is made.

        Arguments that are chosen among are looked into as well.

        Raises:
            UnknownNameError: the import path leads nowhere.
            SpaceError: the target cannot be called, has no such argument, or lacks one.
        """
        for args in _mappings(self.sym_init_args.get("args")):
            self._check(list(args))
            for value in args.values():
                for call in _calls(value):
                    call.check_arguments()

    def _build(self, place: Place) -> nn.Module:
        from torch import nn

        module = self._make(place)
        if not isinstance(module, nn.Module):
            raise SpaceError(
                f"{self._spelled} must give an nn.Module, got {_short(module)} "
                f"of type {type(module).__name__}"
            )
        return module if self.out is None else sized(module, self.out)

    def _make(self, place: Place) -> Any:
        """Call the target."""
        from torch import nn

        self._check(list(self.args))
        here = {name: getattr(place, name) for name in _AUTOMATIC}
        arguments = {name: value for name, value in here.items() if value is not None and self.takes(name)}
        inner = replace(place, c_out=None, stride=None, n_outputs=None)
        arguments |= {name: _made(value, inner) for name, value in self.args.items()}
        missing = [name for name in self._required() if name not in arguments]
        if missing:
            raise SpaceError(
                f"{self._spelled} needs {missing[0]!r}, which is not known here: give it in args"
            )
        target = self._callable()
        try:
            made = target(**arguments)
        except ArchloomError:
            raise
        except Exception as error:
            given = ", ".join(f"{name}={_short(value)}" for name, value in arguments.items())
            raise SpaceError(
                f"{self._spelled} refuses ({given}): {error} ({type(error).__name__})"
            ) from error
        if isinstance(made, nn.Module) and type(made) is target:
            note_arguments(made, arguments)
        return made

    def _check(self, given: list[str]) -> None:
        parameters = self._parameters()
        takes_any = any(p.kind is Parameter.VAR_KEYWORD for p in self._signature())
        unknown = [name for name in given if name not in parameters]
        if unknown and not takes_any:
            raise SpaceError(
                f"{self._spelled} has no argument {unknown[0]!r}{did_you_mean(unknown[0], parameters)}"
            )
        missing = [name for name in self._required() if name not in given and name not in _AUTOMATIC]
        if missing:
            raise SpaceError(f"{self._spelled} needs the argument {missing[0]!r}")

    def _parameters(self) -> list[str]:
        return [p.name for p in self._signature() if p.kind in _NAMED]

    def _required(self) -> list[str]:
        return [p.name for p in self._signature() if p.kind in _NAMED and p.default is Parameter.empty]

    def _signature(self) -> list[Parameter]:
        try:
            return list(inspect.signature(self._callable()).parameters.values())
        except ValueError:  # a builtin that tells nothing takes what it is given
            return [Parameter("rest", Parameter.VAR_KEYWORD)]

    def _callable(self) -> Callable[..., Any]:
        target = self.target
        found = import_path(target) if isinstance(target, str) else target
        if not callable(found):
            raise SpaceError(f"{self._spelled} is no class or function, but {_short(found)}")
        made: Callable[..., Any] = found
        return made

    @property
    def _spelled(self) -> str:
        return self.target if isinstance(self.target, str) else _name(self.target)


def _made(value: Any, place: Place) -> Any:
    """Return an argument as the target gets it: plain containers, blueprints built, calls made."""
    if isinstance(value, Call):
        return value._make(place)
    if isinstance(value, Blueprint):
        return part(value, place)
    if isinstance(value, Mapping):
        return {key: _made(item, place) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return (
            type(value)(_made(item, place) for item in value)
            if type(value) is tuple
            else [_made(item, place) for item in value]
        )
    return value


def _mappings(args: Any) -> Iterator[Mapping[str, Any]]:
    """Yield the argument mappings that a field may hold."""
    if isinstance(args, pg.hyper.Choices):
        for candidate in args.candidates:
            yield from _mappings(candidate)
    elif isinstance(args, pg.Dict):
        yield dict(args.sym_items())


def _calls(value: Any) -> Iterator[Call]:
    """Yield the calls in a value, not those inside them."""
    if isinstance(value, Call):
        yield value
    elif isinstance(value, pg.hyper.Choices):
        for candidate in value.candidates:
            yield from _calls(candidate)
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _calls(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _calls(item)


def _name(target: Any) -> str:
    if isinstance(target, str):
        return target.rpartition(":")[2] or target
    return str(getattr(target, "__name__", None) or type(target).__name__)


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
