# SPDX-License-Identifier: Apache-2.0
"""A tree that has been read and not yet made: what each node is, and where it was written.

Parts and repeats are gone by then: each use is a copy of its own, whose nodes name the place of the
definition that they come from.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias, final

from archloom.search_spaces.literal.mistakes import KeyPath

__all__ = ["Broken", "Choice", "Fields", "Items", "Node", "Range", "Scalar", "Tie", "below", "child", "walk"]


@final
@dataclass(frozen=True, eq=False)
class Scalar:
    """A number, a string, a boolean or nothing."""

    at: KeyPath
    value: Any


@final
@dataclass(frozen=True, eq=False)
class Items:
    """A list."""

    at: KeyPath
    items: tuple[Node, ...]


@final
@dataclass(frozen=True, eq=False)
class Fields:
    """A mapping, or the fields of a blueprint whose class is ``target``, written as ``name``.

    ``label`` is what it is called as a candidate, where that was written.
    """

    at: KeyPath
    fields: dict[str, Node]
    target: Any = None
    name: str = ""
    label: str = ""


@final
@dataclass(eq=False)
class Choice:
    """A ``oneof`` (``k`` is None), or ``k`` slots of a ``manyof``; ``labels`` are known once it is made."""

    at: KeyPath
    candidates: tuple[Node, ...]
    k: int | None = None
    is_distinct: bool = True
    is_sorted: bool = False
    labels: tuple[str, ...] = ()


@final
@dataclass(frozen=True, eq=False)
class Range:
    """A number between two others."""

    at: KeyPath
    low: float
    high: float
    scale: str | None = None


@final
@dataclass(frozen=True, eq=False)
class Tie:
    """The value of another field, by its symbolic path."""

    at: KeyPath
    path: str


@final
@dataclass(frozen=True, eq=False)
class Broken:
    """What could not be read; the mistake has been noted."""

    at: KeyPath


Node: TypeAlias = Scalar | Items | Fields | Choice | Range | Tie | Broken


def below(node: Node) -> Iterator[Node]:
    """Yield the nodes directly below a node."""
    if isinstance(node, Items):
        yield from node.items
    elif isinstance(node, Fields):
        yield from node.fields.values()
    elif isinstance(node, Choice):
        yield from node.candidates


def child(node: Node, key: Any) -> Node | None:
    """Return the node that a key of a symbolic path leads to, ``None`` where nothing was written."""
    if isinstance(node, Fields):
        return node.fields.get(str(key))
    if isinstance(node, Items) and isinstance(key, int) and key < len(node.items):
        return node.items[key]
    return None


def walk(node: Node) -> Iterator[Node]:
    """Yield a node and everything below it."""
    yield node
    for child in below(node):
        yield from walk(child)
