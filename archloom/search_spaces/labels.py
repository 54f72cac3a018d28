# SPDX-License-Identifier: Apache-2.0
"""Candidate labels: what a person reads in a table in place of PyGlove's index.

A label depends on the candidate alone, never on its neighbours or its position, so that it stays
the same when a space grows.
"""

from __future__ import annotations

import inspect
from typing import Any

import pyglove as pg

__all__ = ["candidate_label"]


def candidate_label(value: Any) -> str:
    """Return the label of a candidate.

    Strings are themselves; numbers, booleans and ``None`` as in YAML; a symbolic object has its own
    ``label`` or else its class with the arguments that differ from the default, decisions left out;
    lists and mappings are spelled out; classes and functions go by name.

    >>> [candidate_label(v) for v in ("relu", 3, 0.5, True, None, [1, 2])]
    ['relu', '3', '0.5', 'true', 'none', '[1, 2]']
    """
    if isinstance(value, str):
        return value
    if value is None:
        return "none"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, pg.hyper.HyperValue | pg.hyper.DerivedValue):
        return "choice"
    if isinstance(value, pg.Object):
        return _object_label(value)
    if isinstance(value, dict):
        return "{" + ", ".join(f"{k}: {candidate_label(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(candidate_label(item) for item in value) + "]"
    if inspect.isclass(value) or inspect.isroutine(value):
        return str(value.__name__)
    return str(value)


def _object_label(value: Any) -> str:
    own = getattr(value, "label", None)
    if isinstance(own, str) and own:
        return own
    arguments = []
    for key, field in value.sym_init_args.items():
        spec = value.__class__.__schema__.get_field(key)
        default = spec.default_value if spec is not None else pg.MISSING_VALUE
        if pg.eq(field, default) or _holds_decision(field):
            continue
        arguments.append(f"{key}={candidate_label(field)}")
    return type(value).__name__ + (f"({', '.join(arguments)})" if arguments else "")


def _holds_decision(value: Any) -> bool:
    return bool(pg.contains(value, type=(pg.hyper.HyperValue, pg.hyper.DerivedValue)))
