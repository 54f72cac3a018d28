# SPDX-License-Identifier: Apache-2.0
"""The evaluation, packed for other processes; and which part of it cannot be."""

from __future__ import annotations

import functools
import tempfile
import types
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from typing import IO, Any

from archloom.errors import ConfigError

__all__ = ["pack"]

DEPTH = 12
"""How far below the evaluation the culprit is looked for."""


def pack(evaluate: Callable[..., Any]) -> IO[bytes]:
    """Write the evaluation to a nameless file that processes read it from.

    A file and not the pipe, for it may hold a whole data set: it is written once for all processes, and
    no one waits while another one reads.

    Raises:
        ConfigError: a part of it cannot be pickled; the message names the part.
    """
    import cloudpickle  # takes lambdas, closures and what a script defines, by value

    try:
        data = cloudpickle.dumps(evaluate)
    except Exception as error:  # pickle has as many kinds of error as there are objects that refuse
        raise ConfigError(_complaint(evaluate, error)) from error
    parcel = tempfile.TemporaryFile(prefix="archloom-")  # noqa: SIM115 - its owner closes it
    parcel.write(data)
    parcel.flush()
    return parcel


def _complaint(evaluate: Any, error: Exception) -> str:
    path, culprit, reason = _culprit(evaluate, str(error))
    return (
        f"what runs in processes of their own must be picklable; {path}, a {type(culprit).__name__}, is not "
        f"({reason}): make it when it is first used, or run without processes"
    )


def _culprit(value: Any, reason: str) -> tuple[str, Any, str]:
    """Return the deepest part that cannot be pickled: its path, itself, and why."""
    path, seen = "the evaluation", {id(value)}
    for _ in range(DEPTH):
        for step, part in _parts(value):
            trouble = None if id(part) in seen else _refusal(part)
            if trouble is not None:
                seen.add(id(part))
                path, value, reason = path + step, part, trouble
                break
        else:
            break
    return path, value, reason


def _refusal(part: Any) -> str | None:
    import cloudpickle

    try:
        cloudpickle.dumps(part)
    except Exception as error:
        return str(error)
    return None


def _parts(value: Any) -> Iterator[tuple[str, Any]]:
    """Yield what a value is pickled with, each with the step that leads there."""
    if isinstance(value, types.MethodType):
        yield "", value.__self__
    elif isinstance(value, functools.partial):
        yield "", value.func
        yield from ((f"({i})", part) for i, part in enumerate(value.args))
        yield from ((f"({name}=)", part) for name, part in value.keywords.items())
    elif isinstance(value, types.FunctionType):
        yield from _parts_of_function(value)
    elif isinstance(value, Mapping):
        yield from ((f"[{key!r}]", part) for key, part in value.items())
    elif isinstance(value, list | tuple | set | frozenset):
        yield from ((f"[{i}]", part) for i, part in enumerate(value))
    else:
        yield from ((f".{name}", part) for name, part in getattr(value, "__dict__", {}).items())


def _parts_of_function(function: types.FunctionType) -> Iterator[tuple[str, Any]]:
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        with suppress(ValueError):  # not yet filled
            yield f" > {function.__name__}'s {name!r}", cell.cell_contents
    for name in sorted(_names(function.__code__) & function.__globals__.keys()):
        yield f" > {function.__name__}'s {name!r}", function.__globals__[name]
    for part in (*(function.__defaults__ or ()), *(function.__kwdefaults__ or {}).values()):
        yield f" > {function.__name__}'s default", part


def _names(code: types.CodeType) -> set[str]:
    inner = (constant for constant in code.co_consts if isinstance(constant, types.CodeType))
    return set(code.co_names).union(*map(_names, inner))
