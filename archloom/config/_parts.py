# SPDX-License-Identifier: Apache-2.0
"""The named things of a study file: ``{name: training, epochs: 5}`` or just ``random``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from archloom.config._document import KeyPath, Problems
from archloom.config._options import check_options, defaults
from archloom.errors import ConfigError, SpaceError, UnknownNameError, did_you_mean
from archloom.registry import Registry


@dataclass(frozen=True, eq=False)
class Part:
    """A named thing whose options have been checked.

    Args:
        path: its key path in the study file.
        name: a registered name or an import path.
        target: what the name stands for.
        options: the options given, converted to the annotated types.
    """

    path: KeyPath
    name: str
    target: Any
    options: Mapping[str, Any]

    def build(self, problems: Problems) -> Any:
        """Make the thing, or note why it cannot be made and return ``None``."""
        if not callable(self.target):
            return self.target
        try:
            return self.target(**self.options)
        except (
            ConfigError,
            SpaceError,
            AttributeError,
            ImportError,
            SyntaxError,
            TypeError,
            ValueError,
        ) as error:
            problems.add((*self.path, *_mentioned(str(error), self.options)), str(error))
            return None

    def resolved(self) -> dict[str, Any]:
        """Return the name with every option, those left at their default too."""
        options = defaults(self.target) if callable(self.target) else {}
        return {"name": self.name, **options, **self.options}


def read_part(value: Any, path: KeyPath, registry: Registry, problems: Problems) -> Part | None:
    """Check a named thing and its options; note what is wrong and return ``None`` for it."""
    n_before = len(problems)
    part = _read(value, path, registry, problems)
    return part if len(problems) == n_before else None


def _read(value: Any, path: KeyPath, registry: Registry, problems: Problems) -> Part | None:
    given = {"name": value} if isinstance(value, str) else value
    if not isinstance(given, Mapping) or not isinstance(given.get("name"), str):
        rule = f"should be one of the {registry.kind} by name, or a mapping with a 'name'"
        problems.add(path, f"{rule}, got {value!r:.80}{did_you_mean('', registry.names())}")
        return None
    name = given["name"]
    at = path if isinstance(value, str) else (*path, "name")
    try:
        target = registry.get(name)
    except UnknownNameError as error:
        problems.add(at, str(error))
        return None
    except Exception as error:  # the user's own module, which may raise anything as it is imported
        problems.add(at, f"importing {name!r} failed: {type(error).__name__}: {error}")
        return None
    options = {key: option for key, option in given.items() if key != "name"}
    if callable(target):
        return Part(path, name, target, check_options(target, options, path, problems))
    for key in options:
        problems.add((*path, key), f"{name!r} is a finished object and takes no options")
    return Part(path, name, target, {})


def _mentioned(message: str, options: Mapping[str, Any]) -> KeyPath:
    """Return the option that a message speaks of, as its key path below the part."""
    found = [key for key in options if re.search(rf"\b{re.escape(key)}\b", message)]
    return tuple(found[:1])
