# SPDX-License-Identifier: Apache-2.0
"""What is registered under the names of a study file: all of a kind, or one with its options."""

from __future__ import annotations

import contextlib
import json
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from archloom.cli._output import Format, write
from archloom.cli._taken import blocks, described, plain_default, with_options

if TYPE_CHECKING:
    from rich.console import RenderableType

    from archloom.config._arguments import Option
    from archloom.registry import Registry

_REGISTRY = re.compile(r"\b(?:ACTIVATIONS|AUGMENTATIONS|DATASETS|OPERATIONS|TASKS)\b")
NO_WORDS = ("true", "false", "null", "yes", "no", "on", "off")


def registry_of(kind: str) -> Registry:
    """Return a registry: ``strategies``, ``search_spaces``, ``evaluators`` or ``blueprints``."""
    if kind == "strategies":
        from archloom.strategies import STRATEGIES

        return STRATEGIES
    if kind == "search_spaces":
        from archloom.search_spaces import SPACES

        return SPACES
    if kind == "evaluators":
        from archloom.evaluators import EVALUATORS

        return EVALUATORS
    from archloom.search_spaces.blueprints import BLUEPRINTS

    return BLUEPRINTS


def show_registered(kind: str, key: str, name: str | None, form: Format) -> None:
    """Show all of a kind a line each, or one with its options and what to paste.

    Args:
        kind: as for ``registry_of``.
        key: the key of a study file that such a thing stands at.
        name: of one; an import path will do.
        form: how it is written.

    Raises:
        UnknownNameError: there is none of that name.
    """
    registry = registry_of(kind)
    if name is None:
        _show_all(registry, kind, form)
        return
    with _importing_here():
        data = _one(registry, key, name)
    if form != "table":
        write(data, form, data["options"] or [{"name": name}])
        return
    _print_one(data)


@contextlib.contextmanager
def _importing_here() -> Iterator[None]:
    """Put the working folder on the import path, as Python does for ``-m``."""
    here = str(Path.cwd())
    sys.path.insert(0, here)
    try:
        yield
    finally:
        sys.path.remove(here)


def _show_all(registry: Registry, kind: str, form: Format) -> None:
    plugins = {plugin.name: plugin.distribution for plugin in registry.plugins()}
    rows = [_row(registry, name, plugins.get(name, "")) for name in registry.names()]
    if form != "table":
        write({kind: rows}, form, rows)
        return
    from archloom.cli._examples import TREES
    from archloom.cli._tables import facts, plain, show, stacked

    if kind == "strategies":
        show(_abilities(rows))
        return
    lines = []
    for row in rows:
        told = plain(row["description"] or row["problem"] or "", "red" if row["problem"] else "")
        if row["plugin"]:
            told.append(f"  (plug-in: {row['plugin']})", "dim")
        lines.append((row["name"], told))
    show(facts(lines), *([stacked(*map(plain, TREES))] if kind == "search_spaces" else []))


def _abilities(rows: Sequence[Mapping[str, Any]]) -> RenderableType:
    """Show strategies with what they can do beyond one objective over choices."""
    from archloom.cli._columns import Column, Fitted

    def marks(ability: str) -> list[str]:
        return ["yes" if ability in row["supports"] else "–" for row in rows]

    told = [f"{row['description'] or row['problem']}{_from(row['plugin'])}" for row in rows]
    return Fitted(
        [
            Column("strategy", [row["name"] for row in rows]),
            Column(
                "objectives", ["several" if "several_objectives" in r["supports"] else "one" for r in rows]
            ),
            Column("constraints", marks("constraints"), rank=2),
            Column("floats", marks("floats"), rank=1),
            Column("", told, rank=3),
        ],
        advice="--format json has all",
    )


def _from(plugin: str | None) -> str:
    return f" (plug-in: {plugin})" if plugin else ""


def _row(registry: Registry, name: str, plugin: str) -> dict[str, Any]:
    from archloom.config._arguments import summary_of
    from archloom.errors import ArchloomError

    row: dict[str, Any] = {"name": name, "description": "", "plugin": plugin or None, "problem": None}
    if registry.kind == "strategies":
        row["supports"] = []
    try:
        found = registry.get(name)
        if registry.kind == "strategies":
            row["supports"] = sorted(getattr(found, "supports", ()))
        return row | {"description": summary_of(found)}
    except ArchloomError as error:  # one that is broken hides no other
        return row | {"problem": str(error)}


def _one(registry: Registry, key: str, name: str) -> dict[str, Any]:
    """Describe one thing as plain JSON."""
    from archloom.cli._examples import blueprint_yaml
    from archloom.config._arguments import about_of, options_of

    target = registry.get(name)
    options = options_of(target) if callable(target) else []
    example = blueprint_yaml(name) if registry.kind == "blueprints" else None
    return {
        "name": name,
        "description": "\n\n".join(about_of(target)),
        "path": f"{getattr(target, '__module__', '?')}:{getattr(target, '__qualname__', '?')}",
        "options": [_option_row(option) for option in options],
        "names": {kind: registered(kind) for kind in _kinds(options)},
        "taken": {o: described(kind) for o, kind in with_options(o.name for o in options).items()},
        "yaml": example or yaml_lines(key, name, options),
    }


def _kinds(options: list[Option]) -> list[str]:
    """Return the registries that options take names from."""
    from archloom.cli._examples import LISTED

    told = {match.lower() for option in options for match in _REGISTRY.findall(option.description)}
    return sorted(told | {LISTED[option.name] for option in options if option.name in LISTED})


def registered(kind: str) -> list[str]:
    """Return the names of any registry, such as ``activations``."""
    from archloom.cli._registries import MODULES
    from archloom.registry import import_path

    found: Registry = import_path(MODULES[kind])
    return found.names()


def _option_row(option: Option) -> dict[str, Any]:
    return {
        "name": option.name,
        "type": option.type,
        "required": option.is_needed,
        "default": None if option.is_needed else plain_default(option),
        "description": _REGISTRY.sub(lambda match: f"the {match[0].lower()} below", option.description),
    }


def yaml_lines(key: str, name: str, options: list[Option]) -> str:
    """Return a thing with its options as YAML; what must be given and cannot be guessed stands as ``...``.

    >>> yaml_lines("strategy", "random", [])
    'strategy: random'
    """
    from archloom.cli._examples import NEEDED, NOT_WITH

    values = NEEDED.get((key, name), {})
    left_out = {other for option in values for other in NOT_WITH.get(option, ())}
    needed = [f"  {option.name}: ..." for option in options if option.is_needed and option.name not in values]
    needed = [*(f"  {option}: {value}" for option, value in values.items()), *needed]
    given = [
        f"  {option.name}: {_scalar(plain_default(option))}"
        for option in options
        if not option.is_needed and option.default is not None and option.name not in left_out | set(values)
    ]
    if not needed + given:
        return f"{key}: {name}"
    return "\n".join([f"{key}:", f"  name: {name}", *needed, *given])


def _scalar(value: Any) -> str:
    """Write a plain value in flow YAML, words without quotes."""
    is_word = isinstance(value, str) and re.fullmatch(r"[A-Za-z_]\w*", value)
    return str(value) if is_word and value.lower() not in NO_WORDS else json.dumps(value)


def _print_one(data: dict[str, Any]) -> None:
    from archloom.cli._tables import exact, facts, lines, plain, show, stacked

    head = stacked(plain(data["name"], "bold"), lines(data["description"].split("\n")))
    rows = []
    for option in data["options"]:
        told = plain(_takes(option), "cyan")
        if option["description"]:
            told.append(f"\n{option['description']}", "not dim default")
        rows.append((option["name"], told))
    options = facts(rows) if rows else plain("It has no options.")
    spelled_out = set(with_options(option["name"] for option in data["options"]).values())
    names = [
        (kind, plain(", ".join(known))) for kind, known in data["names"].items() if kind not in spelled_out
    ]
    pasted = stacked(plain("In a study file", "bold"), exact(data["yaml"]))
    show(head, options, *([facts(names)] if names else []), *blocks(data["taken"]), pasted)


def _takes(option: dict[str, Any]) -> str:
    if option["required"]:
        return f"{option['type']}, must be given"
    if option["default"] is None:
        return f"{option['type'].removesuffix(' | null')}, optional"
    return f"{option['type']}, default {_scalar(option['default'])}"
