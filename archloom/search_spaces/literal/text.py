# SPDX-License-Identifier: Apache-2.0
"""An architecture of a literal tree in one line: the tree again, with only what was chosen."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import TypeAlias, final

import pyglove as pg

from archloom.search_spaces.literal.nodes import Choice, Fields, Items, Node, Range, below
from archloom.search_spaces.refusals import join_path

__all__ = ["Speller", "decision_name"]

Choices: TypeAlias = Mapping[str, str | float]
Keys: TypeAlias = tuple[str | int, ...]

CALL, ARGUMENTS = "call", "args"
ORDERED, SUMMED, PLAIN, UNKNOWN = " > ", " + ", ", ", ""
LISTED = "layers"
"""The field of a sequence; its name is left out, since nothing else of a sequence can be chosen."""
JOINTS = {
    ("sequence", LISTED): ORDERED,
    ("repeat", LISTED): ORDERED,
    ("residual", "body"): ORDERED,
    ("parallel", "branches"): SUMMED,
}
"""Field of a blueprint to what joins a list in it."""


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

    Fields that cannot vary are left out. What runs in order is joined by ``>``, what is summed or stands side
    by side by ``+``, and lists of a plain mapping are lists:
    ``conv(width=16) > 2x(conv(kernel_size=1) > skip_connect)``, ``sizes=[1, 3]``.
    """

    def __init__(self, root: Node):
        self._root = root
        self._varies: set[int] = set()
        self._joints: dict[int, str] = {}
        self._mark(root, PLAIN)
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

    def _mark(self, node: Node, joint: str) -> bool:
        """Note which nodes hold decisions, the only ones looked at again, and how lists are joined."""
        self._joints[id(node)] = joint
        if isinstance(node, Fields):
            inside = [self._mark(child, _joint(node, key)) for key, child in node.fields.items()]
        else:
            is_list = isinstance(node, Items) or (isinstance(node, Choice) and node.k is not None)
            inner = ORDERED if is_list and joint == SUMMED else joint  # a list among branches is one branch
            inside = [self._mark(child, inner) for child in below(node)]
        if any(inside) or isinstance(node, Choice | Range):
            self._varies.add(id(node))
        return id(node) in self._varies

    def _joined(self, node: Node, said: Iterable[str], otherwise: str) -> str:
        joint = self._joints[id(node)] or otherwise
        text = joint.join(filter(None, said))
        return f"[{text}]" if joint == PLAIN else text

    def _say(self, node: Node, choices: Choices, prefix: str, keys: Keys) -> str:
        if id(node) not in self._varies:
            return ""
        if isinstance(node, Choice):
            return self._choice(node, choices, prefix, keys)
        if isinstance(node, Fields):
            inner = self._fields(node, choices, prefix, keys)
            return f"{node.name}({inner})" if node.target is not None else f"{{{inner}}}"
        if isinstance(node, Items):
            said = (self._say(item, choices, prefix, (*keys, i)) for i, item in enumerate(node.items))
            return self._joined(node, said, ORDERED)
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
        said = (self._chosen(node, choices, slot, slot if has_copies else name) for slot in slots)
        return self._joined(node, said, SUMMED)

    def _chosen(self, node: Choice, choices: Choices, name: str, owner: str) -> str:
        label = str(choices[name])
        candidate = node.candidates[node.labels.index(label)]
        if id(candidate) not in self._varies:
            return label
        if not isinstance(candidate, Fields):
            return self._say(candidate, choices, f"{owner}({label})", ())
        inner = self._fields(candidate, choices, f"{owner}({label})", ())
        told = [key for key, child in _named(candidate) if id(child) in self._varies]
        name, arguments = _apart(label)
        kept = [one for one in arguments if one.partition("=")[0] not in told]
        return f"{name}({', '.join([*kept, inner])})"


def _named(node: Fields) -> Iterator[tuple[str, Node]]:
    """Yield what a label may name: the fields, and of a call the arguments."""
    yield from node.fields.items()
    arguments = node.fields.get(ARGUMENTS)
    if node.name == CALL and isinstance(arguments, Fields):
        yield from arguments.fields.items()


def _joint(node: Fields, key: str) -> str:
    """Return what joins a list in a field; of a blueprint of one's own that is not known."""
    if node.target is None:
        return PLAIN
    return JOINTS.get((node.target.__name__.lower(), key), UNKNOWN)


@lru_cache(maxsize=8192)
def _apart(label: str) -> tuple[str, list[str]]:
    """Cut a label into what stands before its brackets and the arguments in them.

    >>> _apart("residual(body=[conv(width=8), ...], width=8)")
    ('residual', ['body=[conv(width=8), ...]', 'width=8'])
    """
    name, bracket, rest = label.partition("(")
    if not bracket or not label.endswith(")") or ORDERED in name:
        return label, []
    arguments, depth = [""], 0
    for sign in rest[:-1]:
        depth += (sign in "([{") - (sign in ")]}")
        if depth < 0:  # the last bracket closes another one than the first opens
            return label, []
        if sign == "," and not depth:
            arguments.append("")
        else:
            arguments[-1] += sign
    return name, [argument.strip() for argument in arguments]
