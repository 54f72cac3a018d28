# SPDX-License-Identifier: Apache-2.0
"""YAML text -> a graph of nodes -> plain values, within limits.

YAML 1.2 through ruamel's safe loader: tags that would make Python objects are refused, a key that is
written twice is an error, environment variables are not expanded. Aliases and merge keys are measured
before anything is written out, so that a few lines cannot fill the memory.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ruamel.yaml import YAML, MappingNode, SequenceNode
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from archloom.errors import ConfigError

MAX_TEXT = 1_000_000
"""Characters of a file."""

MAX_NODES = 100_000
"""Values, keys included, once aliases and merge keys are written out."""

MAX_DEPTH = 100


def compose(text: str, source: str) -> Any:
    """Return the graph of nodes of a text, ``None`` for an empty one; ``source`` names it in messages.

    Raises:
        ConfigError: it is not YAML, or beyond the limits.
    """
    check_length(len(text), source)
    with _told(source):
        node = _loader().compose(text)
    _check_size(node, source)
    return node


def construct(node: Any, source: str) -> Any:
    """Return the plain value of a graph of nodes: JSON's types, all else (dates) as text.

    Raises:
        ConfigError: a key is there twice, or a tag asks for a Python object.
    """
    with _told(source):
        return None if node is None else _plain(_loader().constructor.construct_document(node))


def check_length(n: int, source: str) -> None:
    """Refuse a text of more than a million characters.

    Raises:
        ConfigError: it is longer.
    """
    if n > MAX_TEXT:
        raise ConfigError(f"{source}: at most {MAX_TEXT:,} characters are read, these are {n:,} or more")


@contextmanager
def _told(source: str) -> Iterator[None]:
    """Turn what the YAML library raises into one line with file and line."""
    try:
        yield
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f"{source}:{mark.line + 1}" if mark else source
        raise ConfigError(f"{place}: {error.problem or error.context}") from None
    except RecursionError:
        raise ConfigError(f"{source}: nested more than {MAX_DEPTH} levels deep") from None
    except (YAMLError, ValueError, OverflowError) as error:
        raise ConfigError(f"{source}: not YAML: {error}") from None


def _loader() -> YAML:
    return YAML(typ="safe", pure=True)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        plain = {str(key): _plain(item) for key, item in value.items()}
        if len(plain) < len(value):
            twice = [key for key in value if not isinstance(key, str) and str(key) in value]
            raise YAMLError(f"the keys {twice[0]!r} and {str(twice[0])!r} are one: keys are read as text")
        return plain
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value if value is None or isinstance(value, str | int | float) else str(value)


def _below(node: Any) -> Iterator[Any]:
    if isinstance(node, MappingNode):
        for key, value in node.value:
            yield key
            yield value
    elif isinstance(node, SequenceNode):
        yield from node.value


def _check_size(root: Any, source: str) -> None:
    """Measure each node once, however often aliases name it."""
    sizes: dict[int, tuple[int, int]] = {}
    is_open: set[int] = set()

    def measure(node: Any, depth: int) -> tuple[int, int]:
        """Return how many nodes a node stands for, and how deep it is."""
        if id(node) in sizes:
            return sizes[id(node)]
        line = node.start_mark.line + 1
        if id(node) in is_open:
            raise ConfigError(f"{source}:{line}: an alias stands inside what it names")
        if depth > MAX_DEPTH:
            raise ConfigError(f"{source}:{line}: nested more than {MAX_DEPTH} levels deep")
        is_open.add(id(node))
        below = [measure(child, depth + 1) for child in _below(node)]
        is_open.discard(id(node))
        size = 1 + sum(n for n, _ in below)
        if size > MAX_NODES:
            raise ConfigError(
                f"{source}:{line}: at most {MAX_NODES:,} values are read once aliases are written out, "
                f"these are {size:,} or more"
            )
        sizes[id(node)] = size, 1 + max((levels for _, levels in below), default=0)
        return sizes[id(node)]

    if root is not None and measure(root, 0)[1] > MAX_DEPTH + 1:
        raise ConfigError(f"{source}: nested more than {MAX_DEPTH} levels deep once aliases are written out")
