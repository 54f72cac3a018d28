# SPDX-License-Identifier: Apache-2.0
"""A YAML mapping together with the place each of its keys was written, and what is wrong with it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from ruamel.yaml import MappingNode, SequenceNode

from archloom.config._sections import Sections
from archloom.config._yaml import MAX_TEXT, check_length, compose, construct
from archloom.errors import ConfigError

KeyPath = tuple[str | int, ...]


class Place(NamedTuple):
    """Where something was written: a line for sorting (0 = none) and the words that name it."""

    line: int
    text: str


@dataclass(eq=False)
class Document:
    """A mapping, and where its keys stand.

    Args:
        source: the file's name as the user gave it.
        data: what the file says, as plain Python values.
        places: key path to place, for every key and list item.
    """

    source: str
    data: dict[str, Any]
    places: dict[KeyPath, Place] = field(default_factory=dict)

    def place(self, path: KeyPath) -> Place:
        """Return where ``path`` was written; where it was not, the place of the nearest key above it."""
        for length in range(len(path), 0, -1):
            if path[:length] in self.places:
                return self.places[path[:length]]
        return Place(0, self.source)

    def located(self, path: KeyPath, text: str) -> str:
        """Put the place and the key in front of a message."""
        return f"{self.place(path).text}: {dotted(path)}: {text}"


class Problems:
    """What is wrong with a document, gathered so that all of it can be shown at once."""

    def __init__(self, document: Document):
        self.document = document
        self._lines: dict[str, int] = {}
        self._cause: BaseException | None = None

    def add(self, path: KeyPath, text: str, *, cause: BaseException | None = None) -> None:
        """Note one problem at a key, and the error it comes from."""
        self._lines.setdefault(self.document.located(path, text), self.document.place(path).line)
        self._cause = self._cause or cause

    def __len__(self) -> int:
        return len(self._lines)

    def check(self) -> None:
        """Raise everything that was noted, in the order of the file, one problem a line.

        Raises:
            ConfigError: there is a problem.
        """
        if self._lines:
            raise ConfigError("\n".join(sorted(self._lines, key=self._lines.__getitem__))) from self._cause


def dotted(path: KeyPath) -> str:
    """Return a key path as it is typed in an override.

    >>> dotted(("evaluator", 0, "epochs"))
    'evaluator.0.epochs'
    """
    return ".".join(map(str, path))


def read(path: Path) -> Document:
    """Read a study file.

    Raises:
        ConfigError: it is missing, unreadable, too large, not YAML, or not a mapping.
    """
    try:
        with path.open(encoding="utf-8") as file:
            text = file.read(MAX_TEXT + 1)
    except FileNotFoundError:
        raise ConfigError(f"{path}: there is no such study file") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read as text: {error}") from None
    check_length(len(text), str(path))
    return parse(text, str(path))


def parse(text: str, source: str) -> Document:
    """Read a study file's text; ``source`` names it in messages.

    Raises:
        ConfigError: the text is not YAML, beyond its limits, or not a mapping.
    """
    node = compose(text, source)
    document = Document(source, {})
    _note_places(node, (), document)
    data = construct(node, source)
    if data is None:
        needed = ", ".join(name for name, key in Sections.model_fields.items() if key.is_required())
        raise ConfigError(
            f"{source}: the file is empty: a study file needs the keys {needed} "
            "(search schema prints every key there is)"
        )
    if not isinstance(data, dict):
        raise ConfigError(f"{source}: a study file must be a mapping of keys, got {data!r:.60}")
    document.data = data
    return document


def parse_value(text: str) -> Any:
    """Read the value of an override, a YAML scalar or flow collection.

    >>> parse_value("[1, 1e-3, x]")
    [1, 0.001, 'x']

    Raises:
        ConfigError: it is not YAML.
    """
    try:
        return construct(compose(text, "value"), "value")
    except ConfigError as error:
        what = re.sub(r"^value(:\d+)?: (not YAML: )?", "", str(error))
        raise ConfigError(f"not YAML: {what}") from None


def from_mapping(data: Mapping[str, Any], source: str) -> Document:
    """Make a document of a mapping that was never a file."""
    return Document(source, dict(data))


def _note_places(node: Any, path: KeyPath, document: Document) -> None:
    """Record the line of each key and list item below a node of the parsed tree."""
    children: Sequence[tuple[str | int, Any, Any]] = ()
    if isinstance(node, MappingNode):
        children = [(key.value, key, value) for key, value in node.value if isinstance(key.value, str)]
    elif isinstance(node, SequenceNode):
        children = [(index, item, item) for index, item in enumerate(node.value)]
    for key, marked, value in children:
        line = marked.start_mark.line + 1
        document.places[(*path, key)] = Place(line, f"{document.source}:{line}")
        _note_places(value, (*path, key), document)
