# SPDX-License-Identifier: Apache-2.0
"""Whether the nodes of a blueprint's fields have the types that its class declares."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pyglove as pg

from archloom.errors import did_you_mean
from archloom.search_spaces.literal.mistakes import KeyPath
from archloom.search_spaces.literal.nodes import Broken, Choice, Fields, Items, Node, Range, Scalar, Tie

__all__ = ["misfits"]

PLAIN = {pg.typing.Str: "a string", pg.typing.Bool: "true or false", pg.typing.List: "a list"}


def misfits(node: Fields) -> Iterator[tuple[KeyPath, str]]:
    """Yield what is wrong with the fields of a blueprint: unknown, missing, or of the wrong type.

    Every candidate of a decision is looked at, so that none fails first in the middle of a search.
    """
    schema = node.target.__schema__
    keys = schema.keys()
    known = [str(key) for key in keys if isinstance(key, str | pg.typing.ConstStrKey)]
    for key, child in node.fields.items():
        field = schema.get_field(key)
        if field is None:
            at = (*child.at[: len(node.at)], key) if child.at[: len(node.at)] == node.at else child.at
            yield at, f"{node.name} has no field {key!r}{did_you_mean(key, known)}"
        else:
            yield from _misfit(field.value, child)
    for key in known:
        field = schema.get_field(key)
        if key not in node.fields and not field.value.has_default and not field.value.frozen:
            yield node.at, f"{key}: missing: {node.name} needs it"


def _misfit(spec: Any, node: Node) -> Iterator[tuple[KeyPath, str]]:
    """Yield what of a node is not of the type that a field declares."""
    if isinstance(spec, pg.typing.Any) or isinstance(node, Tie | Broken):
        return
    if isinstance(node, Choice) and node.k is None:
        for candidate in node.candidates:
            yield from _misfit(spec, candidate)
    elif isinstance(spec, pg.typing.Union):
        if not any(_fits(one, node) for one in spec.candidates) and not _is_none(spec, node):
            yield node.at, f"should be {_words(spec)}, got {_shown(node)}"
    elif isinstance(spec, pg.typing.List) and isinstance(node, Items | Choice):
        for item in node.items if isinstance(node, Items) else node.candidates:
            yield from _misfit(spec.element.value, item)
    elif not _accepts(spec, node):
        yield node.at, f"should be {_words(spec)}, got {_shown(node)}"


def _fits(spec: Any, node: Node) -> bool:
    return not any(True for _ in _misfit(spec, node))


def _is_none(spec: Any, node: Node) -> bool:
    return bool(spec.is_noneable) and isinstance(node, Scalar) and node.value is None


def _accepts(spec: Any, node: Node) -> bool:
    """Whether a field of a type that has no types inside takes a node."""
    if isinstance(node, Scalar):
        is_number = isinstance(spec, pg.typing.Int | pg.typing.Float)
        return not (is_number and isinstance(node.value, bool)) and _applies(spec, node.value)
    if isinstance(node, Range):
        return isinstance(spec, pg.typing.Float) and all(_applies(spec, v) for v in (node.low, node.high))
    if isinstance(node, Fields) and node.target is not None:
        return isinstance(spec, pg.typing.Object) and issubclass(node.target, spec.cls)
    return isinstance(node, Fields) and isinstance(spec, pg.typing.Dict)


def _applies(spec: Any, value: Any) -> bool:
    try:
        spec.apply(value)
    except (TypeError, ValueError, KeyError):
        return False
    return True


def _words(spec: Any) -> str:
    """Say what a field takes.

    >>> _words(pg.typing.Int(min_value=1).noneable())
    'an integer >= 1 or null'
    """
    if isinstance(spec, pg.typing.Int | pg.typing.Float):
        words = "an integer" if isinstance(spec, pg.typing.Int) else "a number"
        words += f" >= {spec.min_value}" if spec.min_value is not None else ""
        words += f" <= {spec.max_value}" if spec.max_value is not None else ""
    elif isinstance(spec, pg.typing.Enum):
        words = " or ".join(repr(value) for value in spec.values if value is not None)
    elif isinstance(spec, pg.typing.Union):
        words = " or ".join(_words(one) for one in spec.candidates)
    elif isinstance(spec, pg.typing.Object):
        words = f"a {spec.cls.__name__}"
    else:
        words = next((text for kind, text in PLAIN.items() if isinstance(spec, kind)), "a mapping")
    return f"{words} or null" if spec.is_noneable else words


def _shown(node: Node) -> str:
    if isinstance(node, Scalar):
        return f"{node.value!r:.80}"
    if isinstance(node, Range):
        return f"floatv [{node.low:g}, {node.high:g}]"
    if isinstance(node, Fields):
        return f"a {node.name}" if node.target is not None else f"a mapping of {', '.join(node.fields)}"[:80]
    return "a list" if isinstance(node, Items) else "manyof, which gives a list"
