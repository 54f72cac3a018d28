# SPDX-License-Identifier: Apache-2.0
"""Concrete versions of a tree of plain values, so that each of its candidates can be checked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

from archloom.search_spaces.literal.mistakes import KeyPath
from archloom.search_spaces.literal.nodes import Choice, Fields, Items, Node, Range, Scalar

__all__ = ["Version", "covering"]

Version: TypeAlias = tuple[Any, dict[KeyPath, KeyPath]]
"""A plain value, and for each place in it the place that it was written at."""


def covering(node: Node) -> list[Version]:
    """Return versions in which every candidate stands at least once, and both ends of every range.

    They are few: as many as the largest decision has candidates, those below them included.

    >>> tree = Choice((), (Scalar(("oneof", 0), 3), Scalar(("oneof", 1), "x")))
    >>> [value for value, places in covering(tree)]
    [3, 'x']
    """
    if isinstance(node, Choice):
        return _choice(node)
    if isinstance(node, Range):
        return [(end, {(): (*node.at, "floatv", i)}) for i, end in enumerate((node.low, node.high))]
    if isinstance(node, Items):
        return _joined(node.at, dict(enumerate(node.items)), list)
    if isinstance(node, Fields):
        return _joined(node.at, node.fields, dict)
    return [(node.value if isinstance(node, Scalar) else None, {(): node.at})]


def _joined(at: KeyPath, children: Mapping[Any, Node], kind: type) -> list[Version]:
    """Join versions of children side by side: the i-th of each, the last where there are fewer."""
    versions = {key: covering(child) for key, child in children.items()}
    made: list[Version] = []
    for index in range(max(map(len, versions.values()), default=1)):
        chosen = {key: many[min(index, len(many) - 1)] for key, many in versions.items()}
        places = {(key, *path): place for key, (_, its) in chosen.items() for path, place in its.items()}
        values = {key: value for key, (value, _) in chosen.items()}
        made.append((list(values.values()) if kind is list else values, {(): at, **places}))
    return made


def _choice(node: Choice) -> list[Version]:
    versions = [covering(candidate) for candidate in node.candidates]
    if node.k is None:
        return [version for many in versions for version in many]
    made = []
    for start in range(0, len(versions), node.k):
        group = [versions[(start + slot) % len(versions)] for slot in range(node.k)]
        for index in range(max(map(len, group))):
            slots = [many[min(index, len(many) - 1)] for many in group]
            places = {(i, *path): place for i, (_, its) in enumerate(slots) for path, place in its.items()}
            made.append(([value for value, _ in slots], {(): node.at, **places}))
    return made
