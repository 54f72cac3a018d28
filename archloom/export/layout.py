# SPDX-License-Identifier: Apache-2.0
"""Laying out nested calls and lists as readable Python."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TypeAlias

__all__ = ["Group", "Node", "call", "flat", "items", "laid_out"]

LINE_LENGTH = 100
MIN_REPEATS = 3
"""From how many equal neighbours on a list says ``for _ in range(n)``."""


@dataclass(frozen=True)
class Group:
    """Parts between brackets.

    Args:
        opening: what comes before, ``nn.Linear(``.
        parts: (prefix, node) pairs; the prefix is a keyword (``bias=``) or empty.
        closing: the bracket.
        comma: what follows a part, empty in a generator expression.
    """

    opening: str
    parts: tuple[tuple[str, Node], ...]
    closing: str
    comma: str = ","


Node: TypeAlias = str | Group


def call(name: str, positional: Sequence[Node], keywords: Sequence[tuple[str, Node]]) -> Group:
    """Return a call.

    >>> flat(call("f", ["1"], [("x", "2")]))
    'f(1, x=2)'
    """
    named = [(f"{keyword}=", node) for keyword, node in keywords]
    return Group(f"{name}(", (*(("", node) for node in positional), *named), ")")


def items(nodes: Sequence[Node], opening: str = "[", closing: str = "]") -> Group:
    """Return a list whose runs of equal parts are folded.

    >>> flat(items(["a", *[call("f", ["1"], [])] * 3]))
    '[a, *(f(1) for _ in range(3))]'
    """
    return Group(opening, tuple(("", node) for node in _folded(nodes)), closing)


def flat(node: Node) -> str:
    """Spell a node on one line."""
    if isinstance(node, str):
        return node
    parts = [prefix + flat(part) for prefix, part in node.parts]
    only = node.opening == "(" and len(parts) == 1 and node.comma
    return node.opening + f"{node.comma} ".join(parts) + ("," if only else "") + node.closing


def laid_out(node: Node, *, indent: int = 0, used: int = 0) -> str:
    """Spell a node on one line where it fits, else one part a line.

    Args:
        node: what to spell.
        indent: spaces before the line on which it begins.
        used: characters already on that line.
    """
    line = flat(node)
    if isinstance(node, str) or used + len(line) + 1 <= LINE_LENGTH:
        return line
    inner = indent + 4
    lines = [
        f"{' ' * inner}{prefix}{laid_out(part, indent=inner, used=inner + len(prefix))}{node.comma}\n"
        for prefix, part in node.parts
    ]
    return f"{node.opening}\n{''.join(lines)}{' ' * indent}{node.closing}"


def _folded(nodes: Sequence[Node]) -> Iterator[Node]:
    for _, run in groupby(nodes, key=flat):
        equal = list(run)
        if len(equal) < MIN_REPEATS or isinstance(equal[0], str):
            yield from equal
        else:
            yield Group("*(", (("", equal[0]), ("", f"for _ in range({len(equal)})")), ")", comma="")
