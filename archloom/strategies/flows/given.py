# SPDX-License-Identifier: Apache-2.0
"""From what a study file says of a nested strategy to that strategy."""

from __future__ import annotations

import contextlib
import inspect
import json
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias, cast

from pydantic import ConfigDict, PydanticUserError, TypeAdapter, ValidationError

from archloom.contracts import Strategy
from archloom.errors import ConfigError, UnknownNameError, did_you_mean
from archloom.registry import Registry, import_path

__all__ = ["Given", "strategy_of"]

Given: TypeAlias = str | Mapping[str, Any] | Any
"""A name, a mapping ``{name: ..., option: value}``, a strategy, or what makes one."""

_STRICT = ConfigDict(strict=True, arbitrary_types_allowed=True)


def strategy_of(given: Given, option: str) -> Strategy:
    """Return the strategy that is meant.

    >>> strategy_of({"name": "regularized_evolution", "population_size": 5}, "inner").n_startup
    5

    Args:
        given: a name, a mapping, a strategy or what makes one.
        option: which option of the flow it was given as.

    Raises:
        UnknownNameError: there is no strategy of that name; the message has the nearest.
        ConfigError: an option that it does not have or take, or something that is no strategy.
    """
    if isinstance(given, Strategy):
        return given
    made = _named(given, option) if isinstance(given, str | Mapping) else given() if callable(given) else None
    if not isinstance(made, Strategy):
        raise ConfigError(
            f"{option} is a strategy, by name or as {{name: random, option: value}}, got {given!r:.80}"
        )
    return made


def _named(given: str | Mapping[str, Any], option: str) -> Any:
    words = {"name": given} if isinstance(given, str) else dict(given)
    name = words.pop("name", None)
    if not isinstance(name, str):
        raise ConfigError(f"{option}: a strategy has a 'name', got {given!r:.80}")
    # By its path: this file is one of those that the registry leads to.
    registry = cast(Registry, import_path("archloom.strategies:STRATEGIES"))
    try:
        target = registry.get(name)
    except UnknownNameError as error:
        raise UnknownNameError(f"{option}: {error}") from None
    if not callable(target):
        return target if not words else _refuse(f"{option}: {name!r} is finished and takes no options")
    try:
        return target(**_checked(target, name, words, option))
    except ConfigError as error:
        told = str(error)
        raise type(error)(told if told.startswith(f"{option}: ") else f"{option}: {told}") from None


def _checked(target: Callable[..., Any], name: str, words: Mapping[str, Any], option: str) -> dict[str, Any]:
    """Return the options, converted to the annotated types."""
    known = inspect.signature(target).parameters
    with contextlib.suppress(NameError):  # an annotation that only a type checker can see is not checked
        known = inspect.signature(target, eval_str=True).parameters
    takes_any = any(one.kind is one.VAR_KEYWORD for one in known.values())
    named = {
        key: one for key, one in known.items() if one.kind in (one.KEYWORD_ONLY, one.POSITIONAL_OR_KEYWORD)
    }
    made = {}
    for key, value in words.items():
        if key not in named and not takes_any:
            _refuse(f"{option}: {name} has no option {key!r}{did_you_mean(str(key), named)}")
        made[key] = _converted(named[key], value, f"{option}: {key}") if key in named else value
    for key, one in named.items():
        if one.default is one.empty and key not in made:
            _refuse(f"{option}: {name} needs the option {key!r}")
    return made


def _converted(parameter: inspect.Parameter, value: Any, where: str) -> Any:
    """Return a value as JSON's are read: a list may be a tuple, ``"5"`` is no number."""
    kind = parameter.annotation
    if kind is parameter.empty or isinstance(kind, str):
        return value
    try:
        text = json.dumps(value)
        return TypeAdapter(kind, config=_STRICT).validate_json(text)
    except ValidationError as error:
        rules = dict.fromkeys(one["msg"].removeprefix("Input ") for one in error.errors(include_url=False))
        raise ConfigError(f"{where} {' or '.join(rules)}, got {value!r:.80}") from None
    except (TypeError, PydanticUserError):  # a live object, given in Python; or a type of one's own
        return value


def _refuse(message: str) -> Any:
    raise ConfigError(message)
