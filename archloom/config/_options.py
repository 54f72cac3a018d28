# SPDX-License-Identifier: Apache-2.0
"""The options a registered callable takes, as a pydantic model derived from its signature.

The signature is the only place where an option is declared: the check of a study file, its error
messages and the JSON Schema all follow from it.
"""

from __future__ import annotations

import inspect
import json
import math
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model

from archloom.config._document import KeyPath, Problems
from archloom.errors import did_you_mean

_MODEL = ConfigDict(arbitrary_types_allowed=True, strict=True)


def parameters(target: Callable[..., Any]) -> dict[str, inspect.Parameter]:
    """Return the parameters of a callable that can be given by name, annotations resolved."""
    try:
        signature = inspect.signature(target, eval_str=True)
    except NameError:  # an annotation that only a type checker can see: its option is not checked
        signature = inspect.signature(target)
    except ValueError:  # some functions written in C do not tell
        return {"options": inspect.Parameter("options", inspect.Parameter.VAR_KEYWORD, annotation=Any)}
    return {
        name: parameter.replace(annotation=_annotation(parameter))
        for name, parameter in signature.parameters.items()
        if parameter.kind in (parameter.KEYWORD_ONLY, parameter.POSITIONAL_OR_KEYWORD, parameter.VAR_KEYWORD)
    }


def _annotation(parameter: inspect.Parameter) -> Any:
    unknown = parameter.annotation is parameter.empty or isinstance(parameter.annotation, str)
    return Any if unknown else parameter.annotation


def options_model(target: Callable[..., Any], name: str) -> type[BaseModel]:
    """Derive the pydantic model of a callable's options.

    Fields are numbered and aliased, since an option may be called ``copy`` or ``schema``.
    """
    fields: dict[str, Any] = {}
    extra = "forbid"
    for index, (option, parameter) in enumerate(parameters(target).items()):
        if parameter.kind is parameter.VAR_KEYWORD:
            extra = "allow"
            continue
        default = ... if parameter.default is parameter.empty else parameter.default
        fields[f"option_{index}"] = (parameter.annotation, Field(default, alias=option, title=option))
    return create_model(name, __config__={**_MODEL, "extra": extra}, **fields)  # type: ignore[call-overload, no-any-return]


def check(
    model: type[BaseModel],
    values: Mapping[Any, Any],
    path: KeyPath,
    problems: Problems,
    *,
    ignored: Collection[str] = (),
) -> Any:
    """Validate values as JSON is validated (lists may be tuples, ``"5"`` is no number).

    Args:
        model: what the values must be.
        values: the values by key.
        path: where they stand.
        problems: takes what is wrong.
        ignored: keys whose problems have been noted already.

    Returns:
        The model's instance, or ``None`` when something is wrong (then ``problems`` says what).
    """
    try:
        return model.model_validate_json(json.dumps(values))
    except ValidationError as error:
        for where, text in _explain(error, values, model):
            if where[0] not in ignored:
                problems.add((*path, *where), text)
        return None


def _not_finite(value: Any, at: KeyPath) -> Iterator[tuple[KeyPath, float]]:
    """Yield every number below that is none of JSON's."""
    if isinstance(value, float) and not math.isfinite(value):
        yield at, value
    rows = (
        value.items() if isinstance(value, Mapping) else enumerate(value) if isinstance(value, list) else ()
    )
    for key, item in rows:
        yield from _not_finite(item, (*at, key))


def check_options(
    target: Callable[..., Any],
    given: Mapping[str, Any],
    path: KeyPath,
    problems: Problems,
    *,
    ignored: Collection[str] = (),
) -> Any:
    """Validate the options given to a callable; return those given, converted to the annotated types."""
    for at, number in _not_finite(given, path):
        problems.add(at, f"numbers are finite, got {number}")
    model = _model_of(target)
    checked = check(model, given, path, problems, ignored=ignored)
    if checked is None:
        return {}
    named = {field.alias: getattr(checked, name) for name, field in model.model_fields.items()}
    return {**{key: value for key, value in named.items() if key in given}, **(checked.model_extra or {})}


def option_errors(target: Callable[..., Any], option: str, value: Any) -> list[tuple[KeyPath, str]]:
    """Return what is wrong with one option, each with its place inside the value."""
    model = _model_of(target)
    try:
        model.model_validate_json(json.dumps({option: value}))
    except ValidationError as error:
        return [
            (where[1:], text) for where, text in _explain(error, {option: value}, model) if where[0] == option
        ]
    return []


def defaults(target: Callable[..., Any]) -> dict[str, Any]:
    """Return the options that have a default, with it."""
    return {
        name: parameter.default
        for name, parameter in parameters(target).items()
        if parameter.default is not parameter.empty
    }


def _model_of(target: Callable[..., Any]) -> type[BaseModel]:
    return options_model(target, getattr(target, "__name__", type(target).__name__))


def _explain(
    error: ValidationError, values: Mapping[Any, Any], model: type[BaseModel]
) -> Iterator[tuple[KeyPath, str]]:
    """Turn pydantic's errors into one rule a key: the branches of a union are joined by 'or'."""
    rules: dict[KeyPath, tuple[list[str], Any]] = {}
    for item in error.errors(include_url=False, include_context=False):
        where = _existing(item["loc"], values) if item["type"] != "missing" else item["loc"]
        if item["type"] == "extra_forbidden":
            yield where, f"unknown key{did_you_mean(str(where[-1]), _keys(model, where[:-1]))}"
        elif item["type"] == "missing":
            yield where, "missing"
        else:
            rule = item["msg"].removeprefix("Input ").removeprefix("Value error, ")
            rule = rule.replace("a valid array", "a list").replace("an object", "a mapping")
            rules.setdefault(where, ([], item["input"]))[0].append(rule)
    for where, (texts, got) in rules.items():
        first, *others = dict.fromkeys(texts)
        rule = " or ".join([first, *(text.removeprefix("should be ") for text in others)])
        yield where, f"{rule}, got {got!r:.80}"


def _keys(model: type[BaseModel], where: KeyPath) -> list[str]:
    """Return the keys that the model has at a location."""
    for key in where:
        model = model.model_fields[str(key)].annotation  # type: ignore[assignment]
    return [field.alias or name for name, field in model.model_fields.items()]


def _existing(where: KeyPath, values: Any) -> KeyPath:
    """Cut a pydantic location to the keys that the data has; a union adds names of its branches."""
    for length, key in enumerate(where):
        try:
            values = values[key]
        except (KeyError, IndexError, TypeError):
            return where[:length]
    return where
