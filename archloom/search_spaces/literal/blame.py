# SPDX-License-Identifier: Apache-2.0
"""Which node of a blueprint an error of its class speaks of."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pyglove as pg

from archloom.errors import ArchloomError
from archloom.search_spaces.literal.mistakes import KeyPath
from archloom.search_spaces.literal.nodes import Choice, Fields, Node, Scalar, below, child

__all__ = ["blamed"]

AT_THE_END = re.compile(r"\s*\(path=(?P<path>[^)]*)\)\s*$")
AT_THE_START = re.compile(r"^(?P<path>\w+(\[\d+\]|\.\w+)*): ")


def blamed(node: Fields, error: Exception) -> tuple[KeyPath, str]:
    """Return the place that an error speaks of, and its words in one line.

    The words tell the place by a symbolic path before or behind them, by the name of a field, or by
    quoting a value (``got 0``, ``'rleu' is not one of ...``); otherwise it is the blueprint's own.
    """
    text = " ".join(str(error).split())
    found = AT_THE_END.search(text) or AT_THE_START.search(text)
    text = AT_THE_START.sub("", AT_THE_END.sub("", text))
    if not isinstance(error, ArchloomError | TypeError | ValueError):
        text = f"{type(error).__name__}: {text}"
    scope = _led(node, found["path"]) if found else _named(node, text)
    if scope is node and node.name == "call" and isinstance(error, ArchloomError):
        return node.fields["target"].at, text
    quoted = [one.at for one in _scalars(scope, node) if _is_quoted(one.value, text)]
    return (quoted or [scope.at])[0], text


def _led(node: Fields, path: str) -> Node:
    """Follow a symbolic path from a blueprint as far as it goes."""
    here: Node = node
    for key in pg.KeyPath.parse(path).keys:
        if isinstance(here, Choice):
            break
        here = child(here, key) or here
    return here


def _named(node: Fields, text: str) -> Node:
    """Return the field that the words name first; the whole blueprint where they name none."""
    holder = node.fields.get("args", node) if node.name == "call" else node
    fields = holder.fields if isinstance(holder, Fields) else {}
    told = [name for name in fields if repr(name) in text or text.split(" ")[0] == name]
    return fields[min(told, key=lambda name: text.find(repr(name)))] if told else node


def _scalars(node: Node, root: Node) -> Iterator[Scalar]:
    """Yield the constants of a blueprint, not those of others inside it."""
    if isinstance(node, Scalar):
        yield node
    elif node is root or not (isinstance(node, Fields) and node.target is not None):
        for one in below(node):
            yield from _scalars(one, root)


def _is_quoted(value: object, text: str) -> bool:
    quoted = re.escape(repr(value))
    return re.search(rf"(got {quoted}(?![\w.]))|(^{quoted} is )", text) is not None
