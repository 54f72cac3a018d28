# SPDX-License-Identifier: Apache-2.0
"""Overrides from the command line: ``budget.trials=3``, ``strategy=random``, ``evaluator.0.epochs=1``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from archloom.config._document import Document, KeyPath, Place, dotted, parse_value
from archloom.config._options import parameters
from archloom.errors import ConfigError
from archloom.evaluators import EVALUATORS

NAMED_KEYS = ("space", "strategy", "evaluator", "pruner")
"""Keys that hold a named thing, which a bare word may stand for."""


def override(document: Document, overrides: Sequence[str]) -> None:
    """Write each ``key.path=value`` into the document; the values are YAML.

    Raises:
        ConfigError: not of that form, or a path that leads through something without keys.
    """
    for text in overrides:
        key, equals, value = text.partition("=")
        if not equals or not key.strip("."):
            raise ConfigError(f"override {text!r}: must be KEY=VALUE, such as budget.trials=3")
        try:
            _put(document, key.split("."), parse_value(value), Place(0, f"override {text!r}"))
        except ConfigError as error:
            raise ConfigError(f"override {text!r}: {error}{_indexed(document, key, value)}") from None


def _indexed(document: Document, key: str, value: str) -> str:
    """Write an option of an evaluator with the index of the first in the list that takes it."""
    section, _, rest = key.partition(".")
    listed = document.data.get(section)
    option = rest.partition(".")[0]
    if section != "evaluator" or not isinstance(listed, list) or not option or option.isdecimal():
        return ""
    for index, one in enumerate(listed):
        name = one.get("name") if isinstance(one, dict) else one
        # What is not registered is imported only when the whole file is read.
        if name in EVALUATORS.names() and option in parameters(EVALUATORS.get(name)):
            return f"; did you mean {section}.{index}.{rest}={value}?"
    return ""


def _put(document: Document, words: Sequence[str], value: Any, place: Place) -> None:
    parent: Any = document.data
    path: KeyPath = ()
    for word in words[:-1]:
        key = _key(parent, path, word)
        child = parent[key] if isinstance(parent, list) else parent.setdefault(key, {})
        path = (*path, key)
        document.places.setdefault(path, place)
        if isinstance(child, str) and path[0] in NAMED_KEYS:
            child = {"name": child}
        if child is None:
            child = {}
        parent[key] = child
        parent = child
    key = _key(parent, path, words[-1])
    parent[key] = value
    for stale in [old for old in document.places if old[: len(path) + 1] == (*path, key)]:
        del document.places[stale]
    document.places[(*path, key)] = place


def _key(parent: Any, path: KeyPath, word: str) -> Any:
    """Return the key or list index that a word means inside ``parent``."""
    if isinstance(parent, dict):
        return word
    if not isinstance(parent, list):
        raise ConfigError(f"{dotted(path)} is {parent!r}, which has no keys inside")
    if not word.isdecimal() or int(word) >= len(parent):
        raise ConfigError(f"{dotted(path)} is a list: say which of 0 to {len(parent) - 1}, got {word!r}")
    return int(word)
