# SPDX-License-Identifier: Apache-2.0
"""What may be named at an option that has options of its own, as ``sampler`` has ``sampler_options``."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from archloom.cli._examples import LISTED
from archloom.cli._output import finite
from archloom.cli._registries import MODULES

if TYPE_CHECKING:
    from rich.console import RenderableType

    from archloom.config._arguments import Option
    from archloom.registry import Registry

SUFFIX = "_options"


def with_options(names: Iterable[str]) -> dict[str, str]:
    """Return option to the registry it names something of, for those that have options beside them.

    >>> with_options(["sampler", "sampler_options", "task", "lr"])
    {'sampler': 'samplers'}
    """
    known = list(names)
    return {name: LISTED[name] for name in known if name in LISTED and f"{name}{SUFFIX}" in known}


def described(kind: str) -> list[dict[str, Any]]:
    """Return all of a registry, each with a sentence and its options; one that is broken with its problem."""
    from archloom.config._arguments import options_of, summary_of
    from archloom.errors import ArchloomError
    from archloom.registry import import_path

    registry: Registry = import_path(MODULES[kind])
    rows = []
    for name in registry.names():
        try:
            found = registry.get(name)
            options = {
                option.name: "..." if option.is_needed else plain_default(option)
                for option in options_of(found)
            }
            rows.append({"name": name, "description": summary_of(found), "options": options})
        except ArchloomError as error:
            rows.append({"name": name, "description": str(error), "options": {}})
    return rows


def plain_default(option: Option) -> Any:
    """Return what an option is where it is not given, as plain JSON."""
    try:
        return finite(json.loads(json.dumps(option.default)))
    except (TypeError, ValueError):
        return str(option.default)


def blocks(taken: Mapping[str, Sequence[Mapping[str, Any]]]) -> list[RenderableType]:
    """Show each option's names, with what they take and by default.

    Args:
        taken: option to what ``described`` says of its registry.
    """
    from archloom.cli._tables import facts, plain, stacked

    shown: list[RenderableType] = []
    for option, rows in taken.items():
        told = []
        for row in rows:
            text = plain(row["description"])
            if row["options"]:
                text.append(
                    f"\n{{{', '.join(f'{k}: {_word(v)}' for k, v in row['options'].items())}}}", "cyan"
                )
            told.append((row["name"], text))
        shown.append(stacked(plain(f"{option}, with {option}{SUFFIX}", "bold"), facts(told)))
    return shown


def _word(default: Any) -> str:
    if default is None:
        return "null"
    return str(default).lower() if isinstance(default, bool) else str(default)
