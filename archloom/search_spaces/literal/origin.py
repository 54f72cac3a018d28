# SPDX-License-Identifier: Apache-2.0
"""From a symbolic path in a decoded value back to the place in the data that it was written at."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pyglove as pg

from archloom.search_spaces.literal.mistakes import KeyPath
from archloom.search_spaces.literal.nodes import Choice, Node
from archloom.search_spaces.literal.nodes import child as child_of
from archloom.search_spaces.literal.text import decision_name

__all__ = ["origin"]


def origin(root: Node, choices: Mapping[str, Any], path: str) -> KeyPath:
    """Follow a path through the nodes, by the candidates that an architecture chose.

    Returns:
        The place of the innermost node that the path leads to: a field left at its default is written
        nowhere, so that it gives the place of its blueprint.
    """
    keys = list(pg.KeyPath.parse(path).keys) if path else []
    node, prefix, since = root, "", list[Any]()
    while True:
        if isinstance(node, Choice):
            name = decision_name(prefix, tuple(since))
            if node.k is not None and not keys:
                return node.at
            slot = name if node.k is None else f"{name}[{keys.pop(0)}]"
            label = str(choices.get(slot))
            if label not in node.labels:
                return node.at
            has_copies = node.k is not None and node.k > 1 and not node.is_distinct
            prefix, since = f"{slot if has_copies else name}({label})", []
            node = node.candidates[node.labels.index(label)]
            continue
        child = child_of(node, keys[0]) if keys else None
        if child is None:
            return node.at
        since.append(keys.pop(0))
        node = child
