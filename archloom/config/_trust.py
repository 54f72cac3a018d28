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
WORDS_ONLY = ("study", "objectives", "constraints", "store", "artifacts", "enqueue", "folder")
"""Keys of a study file whose texts are never imported."""


def import_paths(config: Any) -> set[str]:
    """Return every import path (``package.module:attribute``) that a configuration names, in trees too.

    >>> sorted(import_paths({"space": {"name": "my.net:space", "nodes": 3}, "strategy": "random"}))
    ['my.net:space']
    """
    if isinstance(config, Mapping):
        read = {key: value for key, value in config.items() if key not in WORDS_ONLY}
        strategy = read.get("strategy")
        if isinstance(strategy, Mapping) and _is_ours(strategy.get("name")):
            read["strategy"] = {key: value for key, value in strategy.items() if key != "name"}
        elif _is_ours(strategy):
            del read["strategy"]
        return _below(read)
    return _below(config)


def _is_ours(strategy: Any) -> bool:
    """Whether a strategy's name, though it holds a colon, imports nothing: ``optuna:TPESampler``."""
    return isinstance(strategy, str) and STRATEGIES.is_of_family(strategy)


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
