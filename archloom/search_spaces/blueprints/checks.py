# SPDX-License-Identifier: Apache-2.0
"""What the fields of a layer may hold, looked at when it is written: each constant, chosen among or not."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

import pyglove as pg

from archloom.errors import SpaceError, UnknownNameError, did_you_mean
from archloom.registry import import_path
from archloom.search_spaces.blueprint import Blueprint
from archloom.search_spaces.labels import PLACEHOLDERS
from archloom.search_spaces.mlp.network import ACTIVATIONS
from archloom.search_spaces.operations import OPERATIONS

__all__ = ["ABSENT", "check_activation", "check_least", "check_parts", "check_share", "constants"]

ABSENT = "none"
"""What stands for a layer that is not there (``None`` does as well)."""


def check_least(layer: Blueprint, field: str, least: int) -> None:
    """Refuse a field, or a candidate of it, that is a whole number below ``least``.

    Raises:
        SpaceError: it is, or it is a truth value.
    """
    for value in constants(layer.sym_init_args.get(field)):
        if isinstance(value, bool) or (isinstance(value, int) and value < least):
            raise SpaceError(f"{field} must be a whole number >= {least}, got {value!r}")


def check_activation(layer: Blueprint, field: str) -> None:
    """Refuse a field, or a candidate of it, that names no activation.

    Raises:
        UnknownNameError: it is not registered, no import path and not ``none``.
    """
    known = [*ACTIVATIONS.names(), ABSENT]
    for name in constants(layer.sym_init_args.get(field)):
        if isinstance(name, str) and ":" not in name and name not in known:
            raise UnknownNameError(f"{name!r} is not one of the activations{did_you_mean(name, known)}")


def check_parts(field: Any, path: str) -> None:
    """Refuse what can be no part of a network, among the constants that a field may hold.

    Raises:
        SpaceError: a number, a mapping, or the name of a blueprint where that of an operation belongs.
        UnknownNameError: no operation has that name.
    """
    for value in constants(field):
        if isinstance(value, list):
            for index, item in enumerate(value.sym_values() if isinstance(value, pg.List) else value):
                check_parts(item, f"{path}[{index}]")
        elif isinstance(value, str):
            _check_operation(value, path)
        elif value is not None and (isinstance(value, dict) or not _may_be_built(value)):
            raise SpaceError(
                f"{path}: a part of a network is a blueprint, like {{name: conv}}, or the name of an "
                f"operation, got {value!r}"
            )


def _may_be_built(value: Any) -> bool:
    # A module is callable; torch need not be loaded to say so.
    return isinstance(value, Blueprint | pg.Functor) or callable(value)


def _check_operation(name: str, path: str) -> None:
    from archloom.search_spaces.blueprints import BLUEPRINTS

    if ":" in name:
        _check_path(name, path)
        return
    if name == ABSENT or name in _operations() or name in OPERATIONS.names():
        return
    if name in BLUEPRINTS.names():
        raise SpaceError(f"{path}: {name!r} is a blueprint, and no operation: write {{name: {name}}}")
    raise UnknownNameError(
        f"{path}: {name!r} is not one of the operations{did_you_mean(name, OPERATIONS.names())}"
    )


def _check_path(name: str, path: str) -> None:
    """Refuse an import path that leads nowhere."""
    try:
        _imported(name)
    except UnknownNameError as error:
        raise UnknownNameError(f"{path}: {error}") from error
    except Exception as error:  # the user's own module, which may raise anything as it is imported
        raise SpaceError(f"{path}: importing {name!r} raised {type(error).__name__}: {error}") from error


@cache
def _imported(name: str) -> Any:
    """What an import path holds, looked up once: decoding an architecture makes every layer anew."""
    return import_path(name)


@cache
def _operations() -> frozenset[str]:
    """The names, looked up once: decoding an architecture makes every layer anew."""
    return frozenset(OPERATIONS.names())


def check_share(layer: Blueprint, field: str) -> None:
    """Refuse a field, or a candidate of it, that is no probability below 1.

    Raises:
        SpaceError: it lies outside ``[0, 1)``.
    """
    for value in constants(layer.sym_init_args.get(field)):
        if isinstance(value, int | float) and not 0 <= value < 1:
            raise SpaceError(f"{field} must be in [0, 1), got {value!r}")


def constants(field: Any) -> Iterator[Any]:
    """Yield the constants that a field may hold."""
    if isinstance(field, pg.hyper.Choices):
        for candidate in field.candidates:
            yield from constants(candidate)
    elif isinstance(field, pg.hyper.Float):
        yield field.min_value
        yield field.max_value
    elif not isinstance(field, PLACEHOLDERS):
        yield field
