# SPDX-License-Identifier: Apache-2.0
"""Which code a configuration names, so that a database never imports or runs any unasked."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from archloom.strategies import STRATEGIES

# Whatever a registry would import: any text with a colon in it, be it a sound Python name or not.
IMPORT_PATH = re.compile(r"[^:]+:.+", re.DOTALL)
DEVICE = re.compile(r"[a-z]+:\d+")
NESTED = ("strategy", "outer", "inner", "joint")
"""Options of a strategy that are strategies."""
WORDS_ONLY = ("study", "objectives", "constraints", "store", "artifacts", "enqueue", "folder")
"""Keys of a study file whose texts are never imported."""


def import_paths(config: Any) -> set[str]:
    """Return every import path (``package.module:attribute``) that a configuration names, in trees too.

    >>> sorted(import_paths({"space": {"name": "my.net:space", "nodes": 3}, "strategy": "random"}))
    ['my.net:space']
    """
    if isinstance(config, Mapping):
        read = {key: value for key, value in config.items() if key not in WORDS_ONLY}
        if "strategy" in read:
            read["strategy"] = _without_ours(read["strategy"])
        return _below(read)
    return _below(config)


def _without_ours(strategy: Any) -> Any:
    """Leave out names of strategies that hold a colon and yet import nothing: ``optuna:TPESampler``."""
    if isinstance(strategy, str):
        return None if STRATEGIES.is_of_family(strategy) else strategy
    if isinstance(strategy, Mapping):
        return {
            key: _without_ours(item) if key == "name" or key in NESTED else item
            for key, item in strategy.items()
        }
    return strategy


def commands(config: Any) -> set[str]:
    """Return every command that a configuration would have run.

    >>> commands({"evaluator": [{"name": "latency", "command": ["./bench", "-q"]}]})
    {'./bench -q'}
    """
    if isinstance(config, Mapping):
        own = config.get("command")
        words = [own] if isinstance(own, str) else own if isinstance(own, list | tuple) else []
        found = {" ".join(map(str, words))} if words else set()
        return found.union(*(commands(item) for key, item in config.items() if key not in WORDS_ONLY))
    if isinstance(config, list | tuple):
        return set().union(*map(commands, config))
    return set()


def foreign_code(config: Any) -> set[str]:
    """Return every import path and every command that a configuration names."""
    return import_paths(config) | commands(config)


def _below(value: Any, key: str = "") -> set[str]:
    if isinstance(value, str):
        is_device = key in ("device", "devices") and DEVICE.fullmatch(value)
        return {value} if IMPORT_PATH.fullmatch(value) and not is_device else set()
    if isinstance(value, Mapping):
        return {path for key, item in value.items() for path in _below(item, str(key))}
    if isinstance(value, list | tuple):
        return {path for item in value for path in _below(item, key)}
    return set()
