# SPDX-License-Identifier: Apache-2.0
"""The JSON Schema follows from the registered signatures."""

from __future__ import annotations

import json
import sys
from typing import Any

import pytest

from archloom import config
from archloom.config._schema import _named
from archloom.errors import MissingExtraError
from archloom.registry import Registry


def _option(schema: dict[str, Any], key: str, name: str) -> dict[str, Any]:
    found = [
        entry["properties"]
        for entry in schema["properties"][key]["anyOf"]
        if entry.get("properties", {}).get("name") == {"const": name}
    ]
    assert len(found) == 1
    return dict(found[0])


def test_every_registered_option_is_described() -> None:
    schema = json.loads(json.dumps(config.schema()))
    assert schema["additionalProperties"] is False
    assert set(schema["required"]) == {"study", "space", "evaluator", "objectives", "budget"}
    assert _option(schema, "strategy", "regularized_evolution")["population_size"]["default"] == 100
    assert _option(schema, "evaluator", "training")["epochs"]["anyOf"][0]["type"] == "integer"
    assert set(_option(schema, "space", "mlp")) >= {"name", "layers", "widths"}
    assert {"enum": ["median"]} in schema["properties"]["pruner"]["anyOf"]
    assert schema["properties"]["evaluator"]["anyOf"][-1]["type"] == "array"


def __getattr__(name: str) -> Any:
    if name == "absent":
        raise MissingExtraError("pip install it")
    raise AttributeError(name)


def _takes(*, call: Any = print, kind: type = int, n: int) -> None:
    """Have options that YAML cannot write."""


def test_what_cannot_be_described_is_left_open(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "schema_tests", sys.modules[__name__])
    entries = _named(Registry("things", {"a": "schema_tests:absent", "b": "schema_tests:_takes"}))["anyOf"]
    by_name = {entry["properties"]["name"].get("const"): entry for entry in entries if "properties" in entry}
    assert by_name["a"] == {"type": "object", "properties": {"name": {"const": "a"}}, "required": ["name"]}
    assert by_name["b"]["required"] == ["name", "n"]
