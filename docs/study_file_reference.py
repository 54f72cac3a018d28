# SPDX-License-Identifier: Apache-2.0
"""The reference page of the study file: its keys, and everything that may be named in it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from archloom.config import schema
from archloom.config._arguments import about_of, options_of
from archloom.errors import ArchloomError
from archloom.evaluators import AUGMENTATIONS, DATASETS, EVALUATORS, TASKS
from archloom.evaluators.supernet import SAMPLERS
from archloom.registry import Registry
from archloom.search_spaces import SPACES
from archloom.search_spaces.blueprints import BLUEPRINTS
from archloom.search_spaces.literal.words import KEYS
from archloom.search_spaces.mlp.network import ACTIVATIONS
from archloom.search_spaces.operations import OPERATIONS
from archloom.strategies import PRUNERS, STRATEGIES

TREE = """A space is a registered one by name, an import path of a function that returns a space, or a tree:
mappings, lists and scalars in which these words are special. A mapping with `name:` is a blueprint, or an
import path of a class of your own; `label:` beside it is what it is called as a candidate. In the options of
an evaluator `oneof`, `manyof`, `permutate` and `floatv` stand for a value that is searched along with the
network."""

WORDS = {
    "oneof": ("`{oneof: [16, 32]}`", "one of the candidates, which may hold decisions of their own"),
    "manyof": (
        "`{manyof: [a, b, c], k: 2}`",
        "`k` of the candidates; `distinct` (true) and `sorted` (false)",
    ),
    "permutate": ("`{permutate: [a, b, c]}`", "all of them, in an order that is searched"),
    "floatv": (
        "`{floatv: [0.001, 0.1], scale: log}`",
        "a number from a range; `scale` is linear, log or rlog",
    ),
    "repeat": (
        "`{repeat: 3, of: {..}}`",
        "in a list: copies that decide for themselves; the number may be a `oneof`",
    ),
    "reference": ('`{reference: "layers[0].width"}`', "the same value as at another place of the tree"),
    "call": (
        "`{call: my.net:Net, args: {..}}`",
        "a class or function of your own; `out` says its width, `label` its name",
    ),
    "import": (
        "`{import: torch.nn:ReLU}`",
        "a class, function or constant itself, as an argument of a `call` that wants one",
    ),
    "part": (
        "`{part: block}`",
        "a copy of what `parts: {block: ..}` holds; other keys beside it override its fields",
    ),
}

KINDS: tuple[tuple[str, str, Registry], ...] = (
    ("Search spaces", "space", SPACES),
    ("Blueprints", "space", BLUEPRINTS),
    ("Strategies", "strategy", STRATEGIES),
    ("Evaluators", "evaluator", EVALUATORS),
    ("Data sets", "evaluator.data", DATASETS),
    ("Tasks", "evaluator.task", TASKS),
    ("Augmentations", "evaluator.augment", AUGMENTATIONS),
    ("Samplers", "evaluator.sampler", SAMPLERS),
    ("Pruners", "pruner", PRUNERS),
)


def study_file_page() -> Iterator[str]:
    """The keys, the words of a tree, and what is registered under each kind."""
    if WORDS.keys() != KEYS.keys():
        raise SystemExit(f"WORDS must explain the special words of a tree: {', '.join(KEYS)}")
    yield "# The study file"
    yield (
        "A study file is YAML. Only the keys in bold must be given. Every key can be overridden on the "
        "command line, `search run FILE budget.trials=3`; `search schema` prints all of this as JSON Schema, "
        "for editors."
    )
    described = schema()
    keys, needed = described["properties"], described["required"]
    yield _table(
        ("key", "takes", "default", "what it is"), [_key(k, v, k in needed) for k, v in keys.items()]
    )
    budget = described["$defs"]["Budget"]
    yield "## Budget"
    yield f"{budget['description']} One of `trials` and `minutes` must be given."
    rows = [_key(name, key, False) for name, key in budget["properties"].items()]
    yield _table(("key", "takes", "default", "what it is"), rows)
    yield "## A space in YAML"
    yield TREE
    yield _table(("word", "such as", "what it is"), [(f"`{word}`", *WORDS[word]) for word in sorted(WORDS)])
    for title, key, registry in KINDS:
        yield f"## {title}"
        yield f"Names at `{key}`. Plug-ins add some through the entry-point group `archloom.{registry.kind}`."
        for name in own_names(registry):
            yield from _part(name, registry.get(name))
    yield "## Operations"
    yield "Bare words that stand for a layer, or for what an edge of a cell does (`archloom.operations`)."
    rows = [(f"`{name}`", _first(OPERATIONS.get(name))) for name in own_names(OPERATIONS)]
    yield _table(("name", "what it is"), rows)
    yield "## Activations"
    yield f"{', '.join(f'`{name}`' for name in own_names(ACTIVATIONS))} (`archloom.activations`)."


def own_names(registry: Registry) -> list[str]:
    """The names that archloom itself registers, whatever plug-ins are installed."""
    return [name for name in registry.names() if _is_own(registry, name)]


def _is_own(registry: Registry, name: str) -> bool:
    if name not in {plugin.name for plugin in registry.plugins()}:
        return True
    try:
        return str(registry.get(name).__module__).startswith("archloom.")
    except ArchloomError:
        return False


def _part(name: str, target: Any) -> Iterator[str]:
    yield f"### `{name}`"
    yield from about_of(target)
    options = options_of(target)
    if options:
        rows = [
            (
                f"**`{o.name}`**" if o.is_needed else f"`{o.name}`",
                o.type,
                _default(o),
                _yaml_words(o.description),
            )
            for o in options
        ]
        yield _table(("option", "takes", "default", "what it is"), rows)


def _yaml_words(description: str) -> str:
    """Have ``null`` stand out."""
    return re.sub(r"\bnull\b", "`null`", description)


def _default(option: Any) -> str:
    return "" if option.is_needed else f"`{_json(option.default)}`"


def _json(value: Any) -> str:
    try:
        return json.dumps(list(value) if isinstance(value, tuple) else value)
    except TypeError:
        return str(getattr(value, "__name__", value))


def _first(target: Any) -> str:
    return next(iter(about_of(target)), "")


def _key(name: str, key: Mapping[str, Any], is_needed: bool) -> tuple[str, ...]:
    shown = f"**`{name}`**" if is_needed else f"`{name}`"
    default = f"`{json.dumps(key['default'])}`" if "default" in key else ""
    described = key.get("description", "when the study ends; see below")
    return shown, _takes(name, key), default, described


def _takes(name: str, key: Mapping[str, Any]) -> str:
    """What a key takes, in words."""
    named = {at.partition(".")[0]: title.lower() for title, at, _ in reversed(KINDS)}
    if name in named:
        more = {"space": "a tree", "evaluator": "a list of these"}.get(name)
        return f"one of the {named[name]} below, an import path" + (f", {more}" if more else "")
    if "enum" in key:
        return " | ".join(map(str, key["enum"]))
    if "anyOf" in key:
        return " | ".join(_takes("", branch) for branch in key["anyOf"])
    if key.get("type") == "array":
        return f"list of {_takes('', key['items'])}"
    if "patternProperties" in key:
        (inner,) = key["patternProperties"].values()
        return f"mapping to {_takes('', inner)}"
    kind = str(key.get("type", "object"))
    return {"string": "text", "object": "mapping"}.get(kind, kind)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)
