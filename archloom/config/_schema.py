# SPDX-License-Identifier: Apache-2.0
"""The JSON Schema of a study file, for editors that complete and check YAML."""

from __future__ import annotations

from typing import Any

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import CoreSchema

from archloom.config._options import options_model
from archloom.config._sections import Sections
from archloom.errors import MissingExtraError
from archloom.evaluators import EVALUATORS
from archloom.registry import Registry
from archloom.search_spaces import SPACES
from archloom.strategies import PRUNERS, STRATEGIES


class _Lenient(GenerateJsonSchema):
    """Live Python values, which YAML cannot write, are simply not described."""

    ignored_warning_kinds = {"non-serializable-default", "skipped-choice"}  # noqa: RUF012

    def handle_invalid_for_json_schema(self, schema: CoreSchema, error_info: str) -> JsonSchemaValue:
        del schema, error_info
        return {}


def schema() -> dict[str, Any]:
    """Return the JSON Schema of a study file, with the options of everything that is registered."""
    result = Sections.model_json_schema(schema_generator=_Lenient)
    named = {"space": SPACES, "strategy": STRATEGIES, "evaluator": EVALUATORS, "pruner": PRUNERS}
    for key, registry in named.items():
        one = _named(registry)
        several = {"type": "array", "items": one, "minItems": 1}
        result["properties"][key] |= {"anyOf": [*one["anyOf"], several]} if key == "evaluator" else one
    return result


def _named(registry: Registry) -> dict[str, Any]:
    """Describe a named thing: its bare name, a mapping with its options, or an import path."""
    path = {"type": "string", "pattern": "^[^:]+:[^:]+$", "description": "package.module:attribute"}
    known = [_options(registry, name) for name in registry.names()]
    other = {"type": "object", "properties": {"name": path}, "required": ["name"]}
    return {"anyOf": [{"enum": registry.names()}, path, *known, other]}


def _options(registry: Registry, name: str) -> dict[str, Any]:
    try:
        target = registry.get(name)
    except MissingExtraError:  # its options are unknown here, but the name is right
        return {"type": "object", "properties": {"name": {"const": name}}, "required": ["name"]}
    one = options_model(target, name).model_json_schema(schema_generator=_Lenient)
    one["properties"] = {"name": {"const": name}, **one.get("properties", {})}
    one["required"] = ["name", *one.get("required", [])]
    return one
