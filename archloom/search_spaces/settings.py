# SPDX-License-Identifier: Apache-2.0
"""Decisions outside the network: options of an evaluator, such as its learning rate, that are searched.

Settings read ``{owner: {option: value}}`` with placeholders among the values. They are compiled like a
template of their own, so that references count from their root (``training.lr``) and the names inside the
architecture stay what they are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeAlias

import pyglove as pg

from archloom.contracts import Genotypes
from archloom.errors import SpaceError
from archloom.search_spaces.compiler import Part
from archloom.search_spaces.labels import PLACEHOLDERS
from archloom.search_spaces.points import ChoicePoint, FloatPoint, Point

__all__ = [
    "Settings",
    "holds_choice",
    "join_settings",
    "settings_reader",
    "settings_template",
    "settings_words",
]

Settings: TypeAlias = Mapping[str, Mapping[str, Any]]
"""Owner to option to value."""

_Read: TypeAlias = Callable[[Genotypes], Any]


def settings_template(settings: Settings) -> Any:
    """Return settings as one symbolic value.

    >>> settings_template({"training": {"batch_size": pg.oneof([32, 64])}}).training.sym_hasattr("batch_size")
    True

    Raises:
        SpaceError: they are not mappings of names to options, or hold no decision.
    """
    if not isinstance(settings, Mapping):
        raise SpaceError(f"settings read {{owner: {{option: value}}}}, got {settings!r:.80}")
    for owner, options in settings.items():
        if not isinstance(options, Mapping):
            raise SpaceError(f"settings of {owner!r} map options to values, got {options!r:.80}")
        for name in (owner, *options):
            if not isinstance(name, str) or not name.isidentifier():
                raise SpaceError(f"settings: owners and options are names, like 'training', got {name!r}")
        if not any(map(holds_choice, options.values())):
            raise SpaceError(
                f"settings of {owner!r} hold no decision (oneof, manyof, permutate or floatv); "
                "constants go to the evaluator itself"
            )
    return pg.Dict({owner: pg.Dict(options) for owner, options in settings.items()})


def holds_choice(value: Any) -> bool:
    """Whether a placeholder is anywhere in a value, also where PyGlove would not look.

    >>> holds_choice({"a": [1, (pg.oneof([1, 2]), 3)]}), holds_choice({"a": [1, 2]})
    (True, False)
    """
    if isinstance(value, PLACEHOLDERS):
        return True
    if isinstance(value, dict | list):
        items = value.sym_values() if isinstance(value, pg.Symbolic) else _items(value)
        return any(map(holds_choice, items))
    if isinstance(value, tuple | set | frozenset):
        return any(map(holds_choice, value))
    return isinstance(value, pg.Symbolic) and bool(pg.contains(value, type=PLACEHOLDERS))


def _items(value: dict[Any, Any] | list[Any]) -> Iterable[Any]:
    return value.values() if isinstance(value, dict) else value


def join_settings(first: Settings, second: Settings) -> dict[str, dict[str, Any]]:
    """Return both settings together.

    >>> join_settings({"a": {"x": 1}}, {"a": {"y": 2}, "b": {"x": 3}})
    {'a': {'x': 1, 'y': 2}, 'b': {'x': 3}}

    Raises:
        SpaceError: an option is set in both.
    """
    joined = {owner: dict(options) for owner, options in first.items()}
    for owner, options in second.items():
        mine = joined.setdefault(owner, {})
        for option in options:
            if option in mine:
                raise SpaceError(
                    f"the space has a setting {owner}.{option} already: name another owner, as in "
                    f"Tuned(..., owner='{owner}_2')"
                )
        mine.update(options)
    return joined


def settings_words(choices: Mapping[str, str | float]) -> str:
    """Spell the choices of settings for people, numbers to four digits.

    >>> settings_words({"training.lr": 0.00312345, "training.batch_size": "32"})
    'training.lr=0.003123, training.batch_size=32'
    """
    return ", ".join(
        f"{name}={value}" if isinstance(value, str) else f"{name}={value:.4g}"
        for name, value in choices.items()
    )


def settings_reader(settings: Settings, part: Part) -> Callable[[Genotypes], dict[str, dict[str, Any]]]:
    """Return the function that reads the decoded settings off a ``1 x d`` row, as plain nested dicts.

    Where every option is a constant or one placeholder over plain values they are read from the arrays (in
    microseconds); otherwise PyGlove decodes them (in milliseconds).
    """
    paths = [str(path) for path, _ in part.template.hyper_primitives]
    points = dict(zip(paths, part.points, strict=True))
    readers = {
        owner: {option: _reader(value, points.get(f"{owner}.{option}")) for option, value in options.items()}
        for owner, options in settings.items()
    }
    plain = {
        owner: {option: read for option, read in options.items() if read is not None}
        for owner, options in readers.items()
    }
    if plain == readers:
        return lambda row: {
            owner: {option: read(row) for option, read in options.items()} for owner, options in plain.items()
        }
    return lambda row: _as_plain(part.decode(row))


def _reader(value: Any, point: Point | None) -> _Read | None:
    """Return how an option is read off a row, ``None`` where that takes PyGlove."""
    if isinstance(point, FloatPoint):
        return _float_reader(point.column)
    if isinstance(point, ChoicePoint):
        candidates = list(value.candidates)
        if not all(map(_is_scalar, candidates)):
            return None
        if isinstance(value, pg.hyper.OneOf):
            return _choice_reader(candidates, point.columns[0])
        return _list_reader(candidates, point.columns)
    return _constant_reader(value) if _is_scalar(value) else None


def _is_scalar(value: Any) -> bool:
    return not isinstance(value, dict | list | tuple | set | frozenset | pg.Symbolic)


def _float_reader(column: int) -> _Read:
    return lambda row: float(row.floats[0, column])


def _choice_reader(candidates: list[Any], column: int) -> _Read:
    return lambda row: candidates[row.choices[0, column]]


def _list_reader(candidates: list[Any], columns: tuple[int, ...]) -> _Read:
    return lambda row: [candidates[row.choices[0, column]] for column in columns]


def _constant_reader(value: Any) -> _Read:
    return lambda row: value


def _as_plain(value: Any) -> Any:
    """Turn PyGlove's containers into Python's own."""
    if isinstance(value, dict):
        return {key: _as_plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_as_plain(item) for item in value]
    return value
