# SPDX-License-Identifier: Apache-2.0
"""The ``space`` of a study file: a registered space, an import path, or a literal tree."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, final

from archloom.config._document import KeyPath, Problems
from archloom.config._parts import Part, read_part
from archloom.config._searched import is_searched
from archloom.errors import SpaceError, did_you_mean
from archloom.registry import import_path
from archloom.search_spaces import SPACES, SearchSpace
from archloom.search_spaces.blueprints import BLUEPRINTS
from archloom.search_spaces.literal import LiteralError, Tree, read_tree
from archloom.search_spaces.literal.vocabulary import is_class

PATH: KeyPath = ("space",)
_PART = re.compile(r"(?<![\w.\[\]'\"])[A-Za-z_]\w*(?:\[\d+\]|\.[A-Za-z_]\w*)+")


@final
@dataclass(frozen=True, eq=False)
class SpaceTree:
    """A space that is written in the study file.

    Args:
        tree: what was read.
        written: the same as the file has it.
    """

    tree: Tree
    written: Mapping[str, Any]
    path: KeyPath = PATH
    name: str = "the tree"

    def build(self, problems: Problems) -> Any:
        """Return the space, which a search may have without any decision of its own."""
        try:
            return SearchSpace(self.tree.template, text=self.tree.spell)
        except SpaceError as error:
            problems.add(self.path, str(error), cause=error)
            return None

    def resolved(self) -> dict[str, Any]:
        """Return the tree as it was written."""
        return dict(self.written)

    def where(self, architecture: Any, path: str) -> KeyPath:
        """Return the key path of a part of a decoded architecture."""
        return (*self.path, *self.tree.origin(architecture, path))

    def named(self, message: str) -> KeyPath:
        """Return the key path of the part that a message names first, as ``layers[2].width``."""
        undecided = SimpleNamespace(choices={})
        for path in _PART.findall(message):
            keys = self.where(undecided, path)
            if len(keys) > len(self.path):
                return keys
        return self.path


def read_space(value: Any, problems: Problems) -> Part | SpaceTree | None:
    """Read the ``space`` key; note what is wrong and return ``None`` for it."""
    given = {"name": value} if isinstance(value, str) else value
    name = given.get("name") if isinstance(given, Mapping) else None
    if not isinstance(given, Mapping) or (_is_named(name) and not _is_call(given)):
        return read_part(value, PATH, SPACES, problems)
    if isinstance(name, str) and ":" not in name and name not in BLUEPRINTS.names():
        known = [*SPACES.names(), *BLUEPRINTS.names()]
        at = PATH if isinstance(value, str) else (*PATH, "name")
        problems.add(at, f"{name!r} is not one of the search spaces or blueprints{did_you_mean(name, known)}")
        return None
    return _read_tree(given, problems)


def _is_named(name: Any) -> bool:
    """Whether a name stands for a space or what makes one, not for a blueprint."""
    if not isinstance(name, str):
        return False
    if ":" not in name:
        return name in SPACES.names()
    try:
        return not is_class(import_path(name))
    except Exception:  # whoever reads it as a space's name says what is wrong
        return True


def _is_call(given: Mapping[str, Any]) -> bool:
    """Whether an import path has decisions among its options, which only blueprints and calls take."""
    return ":" in given["name"] and is_searched(dict(given))


def _read_tree(given: Mapping[str, Any], problems: Problems) -> SpaceTree | None:
    parts = {} if given.get("parts") is None else given["parts"]
    if not isinstance(parts, Mapping):
        problems.add((*PATH, "parts"), f"should be a mapping of names to trees, got {parts!r:.80}")
        return None
    try:
        tree = read_tree({key: item for key, item in given.items() if key != "parts"}, parts=parts)
    except LiteralError as error:
        for at, what in error.mistakes:
            problems.add((*PATH, *at), what)
        return None
    return SpaceTree(tree, given)
