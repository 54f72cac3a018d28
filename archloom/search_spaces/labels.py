# SPDX-License-Identifier: Apache-2.0
"""What a symbolic value is called: short for tables (labels), whole for the record (descriptions).

A label depends on the candidate alone, never on its neighbours or its position, so that it stays
the same when a space grows, and from one process to the next.
"""

from __future__ import annotations

import enum
import inspect
import json
from typing import Any

import pyglove as pg

from archloom.errors import SpaceError

__all__ = ["PLACEHOLDERS", "candidate_label", "describe", "give_label"]

PLACEHOLDERS = (pg.hyper.HyperValue, pg.hyper.DerivedValue)
_GIVEN = "_archloom_label"


def give_label(value: pg.Object, label: str) -> None:
    """Have a symbolic object called ``label``, whatever it is; its copies are not.

    >>> class Wide(pg.Object):
    ...     width: int = 3
    >>> give_label(wide := Wide(), "wide")
    >>> candidate_label(wide), candidate_label(Wide())
    ('wide', 'Wide')
    """
    object.__setattr__(value, _GIVEN, label)


def candidate_label(value: Any) -> str:
    """Return the label of a candidate.

    Strings are themselves; numbers, booleans and ``None`` as in YAML; a symbolic object has the label it was
    given, its own ``label`` or else its class with the arguments that differ from the default, decisions
    left out; lists and mappings are spelled out; classes and functions go by name.

    >>> [candidate_label(v) for v in ("relu", 3, 0.5, True, None, [1, 2])]
    ['relu', '3', '0.5', 'true', 'none', '[1, 2]']

    Raises:
        SpaceError: a value without a name of its own, which would be called differently in each process.
    """
    if isinstance(value, str) and not isinstance(value, enum.Enum):
        return value
    if value is None:
        return "none"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, PLACEHOLDERS):
        return "choice"
    if isinstance(value, pg.Object):
        return _object_label(value)
    if isinstance(value, dict):
        return "{" + ", ".join(f"{k}: {candidate_label(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(candidate_label(item) for item in value) + "]"
    if isinstance(value, set | frozenset):
        return "{" + ", ".join(sorted(candidate_label(item) for item in value)) + "}"
    return _name(value)


def describe(value: Any) -> Any:
    """Return a symbolic value as plain JSON: classes by name, choices by PyGlove's words.

    >>> describe(pg.Dict(width=pg.oneof([8, 16]), op="conv"))
    {'width': {'oneof': [8, 16]}, 'op': 'conv'}
    """
    if value is None or isinstance(value, bool) or type(value) in (int, float, str):
        return value
    if isinstance(value, pg.hyper.Float):
        scale = value.scale or "linear"
        return {"floatv": [value.min_value, value.max_value], "scale": scale}
    if isinstance(value, pg.hyper.OneOf):
        return {"oneof": [describe(candidate) for candidate in value.candidates]}
    if isinstance(value, pg.hyper.Choices):
        row = {"manyof": [describe(candidate) for candidate in value.candidates], "k": value.num_choices}
        return row | {"distinct": value.choices_distinct, "sorted": value.choices_sorted}
    if isinstance(value, pg.hyper.DerivedValue):
        return {"reference": [str(path) for path in value.reference_paths]}
    if isinstance(value, pg.Object):
        fields = {str(key): describe(field) for key, field in value.sym_init_args.items()}
        return {"type": type(value).__qualname__, **fields}
    if isinstance(value, dict):
        items = value.sym_items() if isinstance(value, pg.Dict) else value.items()
        return {str(key): describe(item) for key, item in items}
    if isinstance(value, list | tuple):
        return [describe(item) for item in (value.sym_values() if isinstance(value, pg.List) else value)]
    if isinstance(value, set | frozenset):
        return sorted((describe(item) for item in value), key=json.dumps)
    return _name(value)


def _object_label(value: Any) -> str:
    own = vars(value).get(_GIVEN) or getattr(value, "label", None)
    if isinstance(own, str) and own:
        return own
    arguments = []
    for key, field in value.sym_init_args.items():
        spec = value.__class__.__schema__.get_field(key)
        default = spec.default_value if spec is not None else pg.MISSING_VALUE
        if pg.eq(field, default) or pg.contains(field, type=PLACEHOLDERS):
            continue
        arguments.append(f"{key}={candidate_label(field)}")
    return type(value).__name__ + (f"({', '.join(arguments)})" if arguments else "")


def _name(value: Any) -> str:
    if isinstance(value, enum.Enum):
        return value.name
    if type(value) in (int, float):
        return repr(value)
    if inspect.isclass(value) or inspect.isroutine(value):
        return str(value.__name__)
    if " at 0x" in (text := str(value)):
        raise SpaceError(
            f"{text}: a {type(value).__name__} has no name that stays the same; "
            "make its class a pg.Object, or wrap it with pg.symbolize"
        )
    return text
