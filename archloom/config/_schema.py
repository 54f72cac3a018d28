# SPDX-License-Identifier: Apache-2.0
"""The JSON Schema of a study file, for editors that complete and check YAML."""

from __future__ import annotations

from typing import Any

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import CoreSchema

from archloom.config._arguments import arguments_of, summary_of
from archloom.config._options import options_model, parameters
from archloom.config._sections import Sections
from archloom.errors import ArchloomError
from archloom.evaluators import EVALUATORS
from archloom.registry import Registry
from archloom.search_spaces import SPACES
from archloom.search_spaces.blueprints import BLUEPRINTS
from archloom.strategies import PRUNERS, STRATEGIES


class _Lenient(GenerateJsonSchema):
    """Live Python values, which YAML cannot write, are simply not described."""

    ignored_warning_kinds = {"non-serializable-default", "skipped-choice"}  # noqa: RUF012

    def handle_invalid_for_json_schema(self, schema: CoreSchema, error_info: str) -> JsonSchemaValue:
        del schema, error_info
        return {}


_PLACEHOLDERS = ("oneof", "manyof", "permutate", "floatv")
_CHOICE = {
    "type": "object",
    "description": "a decision: {oneof: [..]}, {manyof: [..], k: 2}, {permutate: [..]} or "
    "{floatv: [low, high], scale: log}",
    "anyOf": [{"required": [word]} for word in _PLACEHOLDERS],
}
_TREE = {
    "type": "object",
    "description": "a tree: a blueprint by name, {call: my.net:MyNet, args: {..}}, a decision, or a plain "
    "mapping of names to any of these",
}


def schema() -> dict[str, Any]:
    """Return the JSON Schema of a study file, with the options of everything that is registered."""
    result = Sections.model_json_schema(schema_generator=_Lenient)
    named = {"space": SPACES, "strategy": STRATEGIES, "evaluator": EVALUATORS, "pruner": PRUNERS}
    for key, registry in named.items():
        one = _named(registry, is_tuned=key == "evaluator")
        if key == "space":
            one["anyOf"] += [*_blueprints(), _TREE]
        several = {"type": "array", "items": one, "minItems": 1}
        result["properties"][key] |= {"anyOf": [*one["anyOf"], several]} if key == "evaluator" else one
    result.setdefault("$defs", {})["choice"] = _CHOICE
    return result


def _named(registry: Registry, *, is_tuned: bool = False) -> dict[str, Any]:
    """Describe a named thing: its bare name, a mapping with its options, or an import path.

    Args:
        registry: the names.
        is_tuned: whether an option may be a decision.
    """
    path = {"type": "string", "pattern": "^[^:]+:[^:]+$", "description": "package.module:attribute"}
    known = [_options(registry, name, is_tuned=is_tuned) for name in registry.names()]
    other = {"type": "object", "properties": {"name": path}, "required": ["name"]}
    return {"anyOf": [{"enum": registry.names()}, path, *known, other]}


def _options(registry: Registry, name: str, *, is_tuned: bool = False) -> dict[str, Any]:
    try:
        target = registry.get(name)
    except ArchloomError:  # its options are unknown here, but the name is right
        return {"type": "object", "properties": {"name": {"const": name}}, "required": ["name"]}
    one = options_model(target, name).model_json_schema(schema_generator=_Lenient)
    options = one.get("properties", {})
    if is_tuned:
        options = {option: _tunable(described) for option, described in options.items()}
    _describe(options, target)
    one["properties"] = {"name": {"const": name}, **options}
    one["required"] = ["name", *one.get("required", [])]
    if words := summary_of(target):
        one["description"] = words
    return one


def _tunable(option: dict[str, Any]) -> dict[str, Any]:
    """Let a decision stand for an option's value."""
    kept: dict[str, Any] = {key: option[key] for key in ("title", "default", "description") if key in option}
    plain = {key: value for key, value in option.items() if key not in kept}
    branches: list[Any] = plain["anyOf"] if set(plain) == {"anyOf"} else [plain]
    return kept | {"anyOf": [*branches, {"$ref": "#/$defs/choice"}]}


def _blueprints() -> list[dict[str, Any]]:
    """Describe the blueprints by their fields, any of which may hold a choice."""
    described = []
    for name in BLUEPRINTS.names():
        if name in SPACES.names():  # a space of that name comes first
            continue
        try:
            target = BLUEPRINTS.get(name)
        except ArchloomError:
            continue
        fields: dict[str, Any] = {field: {} for field in parameters(target)}
        _describe(fields, target)
        properties = {"name": {"const": name}, **fields}
        words = summary_of(target)
        described.append(
            {"type": "object", "properties": properties, "required": ["name"], "description": words}
        )
    return described


def _describe(options: dict[str, Any], target: Any) -> None:
    """Add what the docstring says of each option."""
    for name, words in arguments_of(target).items():
        if name in options:
            options[name]["description"] = words
