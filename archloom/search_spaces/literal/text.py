# SPDX-License-Identifier: Apache-2.0
"""An architecture of a literal tree in one line: the tree again, with only what was chosen."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import TypeAlias, final

import pyglove as pg

from archloom.search_spaces.literal.nodes import Choice, Fields, Items, Node, Range, below
from archloom.search_spaces.refusals import join_path

__all__ = ["Speller", "decision_name"]

Choices: TypeAlias = Mapping[str, str | float]
Keys: TypeAlias = tuple[str | int, ...]

CALL, ARGUMENTS = "call", "args"
LISTED = "layers"
"""The field of a sequence; its name is left out, since nothing else of a sequence can be chosen."""


@lru_cache(maxsize=8192)
def decision_name(prefix: str, keys: Keys) -> str:
    """Return the name of the decision at ``keys`` below the candidate that ``prefix`` names.

    >>> decision_name("", ("layers", 0, "width")), decision_name("op(conv)", ("width",))
    ('layers[0].width', 'op(conv).width')
    """
    return join_path(prefix, str(pg.KeyPath(list(keys)))) or "value"


@final
class Speller:
    """Spells architectures of one tree.

    Fields that cannot vary are left out, layers are joined by ``>`` and the choices of a ``manyof`` by
    ``+``: ``conv(width=16) > 2x(conv(kernel_size=1) > skip_connect)``.
    """

    def __init__(self, root: Node):
        self._root = root
        self._varies: set[int] = set()
        self._mark(root)
        self._is_flat = self._holds_only_words(root)

    def __call__(self, choices: Choices) -> str:
        """Spell the architecture with these choices."""
        if self._is_flat:
            return ", ".join([f"{name}={choice}" for name, choice in choices.items()])
        if isinstance(self._root, Fields):
            return self._fields(self._root, choices, "", ())
        return self._say(self._root, choices, "", ())

    def _holds_only_words(self, root: Node) -> bool:
        """Whether this is a plain mapping of single choices, which are their own spelling."""
        return (
            isinstance(root, Fields)
            and root.target is None
            and all(
                isinstance(child, Choice)
                and child.k is None
                and not any(id(candidate) in self._varies for candidate in child.candidates)
                for child in root.fields.values()
            )
        )

    def _mark(self, node: Node) -> bool:
        """Note which nodes hold decisions, so that the others are never looked at again."""
        inside = [self._mark(child) for child in below(node)]
        if any(inside) or isinstance(node, Choice | Range):
            self._varies.add(id(node))
        return id(node) in self._varies

    def _say(self, node: Node, choices: Choices, prefix: str, keys: Keys) -> str:
        if id(node) not in self._varies:
            return ""
        if isinstance(node, Choice):
            return self._choice(node, choices, prefix, keys)
        if isinstance(node, Fields):
            inner = self._fields(node, choices, prefix, keys)
            return f"{node.name}({inner})" if node.target is not None else f"{{{inner}}}"
        if isinstance(node, Items):
            said = [self._say(item, choices, prefix, (*keys, i)) for i, item in enumerate(node.items)]
            return " > ".join(filter(None, said))
        return f"{float(choices[decision_name(prefix, keys)]):.4g}"

    def _fields(self, node: Fields, choices: Choices, prefix: str, keys: Keys) -> str:
        said = []
        for key, child in node.fields.items():
            if node.name == CALL and isinstance(child, Fields) and key == ARGUMENTS:
                said.append(self._fields(child, choices, prefix, (*keys, key)))
            elif text := self._say(child, choices, prefix, (*keys, key)):
                is_alone = node.target is not None and list(node.fields) == [LISTED]
                said.append(text if is_alone else f"{key}={text}")
        return ", ".join(filter(None, said))

    def _choice(self, node: Choice, choices: Choices, prefix: str, keys: Keys) -> str:
        name = decision_name(prefix, keys)
        if node.k is None:
            return self._chosen(node, choices, name, name)
        has_copies = node.k > 1 and not node.is_distinct
        slots = [f"{name}[{slot}]" for slot in range(node.k)]
        return " + ".join(self._chosen(node, choices, slot, slot if has_copies else name) for slot in slots)

    def _chosen(self, node: Choice, choices: Choices, name: str, owner: str) -> str:
        label = str(choices[name])
        candidate = node.candidates[node.labels.index(label)]
        if id(candidate) not in self._varies:
            return label
        if not isinstance(candidate, Fields):
            return self._say(candidate, choices, f"{owner}({label})", ())
        inner = self._fields(candidate, choices, f"{owner}({label})", ())
        return f"{label[:-1]}, {inner})" if label.endswith(")") else f"{label}({inner})"
