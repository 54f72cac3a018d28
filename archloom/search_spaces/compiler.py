# SPDX-License-Identifier: Apache-2.0
"""From a PyGlove template to compiled points, refusing what would be lost or would break in silence.

Names are ours: the path in the template, with the candidate's label in brackets where a decision
exists only below that candidate: ``op(Conv).kernel``. They hold no index and no count, so that they
stay the same when a space grows.
"""

from __future__ import annotations

from typing import Any

import pyglove as pg

from archloom.errors import SpaceError
from archloom.search_spaces.labels import candidate_label
from archloom.search_spaces.points import ChoicePoint, FloatPoint, Point, Points, When

__all__ = ["compile_template"]

MAX_CANDIDATES = 2**15 - 1


def compile_template(template: Any) -> tuple[Any, Points, int, int]:
    """Compile a symbolic value with placeholders.

    Returns:
        PyGlove's template object, the points at the root, the number of discrete columns and the
        number of float columns.

    Raises:
        SpaceError: what cannot be compiled, with its path.
    """
    _refuse_hidden(template, "")
    try:
        compiled = pg.template(template)
    except (TypeError, ValueError) as error:
        raise SpaceError(f"PyGlove refuses this space: {error}") from error
    compiler = _Compiler()
    points = compiler.points(compiled, "", None, None)
    return compiled, points, compiler.n_choices, compiler.n_floats


class _Compiler:
    """Numbers the columns while it walks the template."""

    def __init__(self) -> None:
        self.n_choices = 0
        self.n_floats = 0
        self._paths: set[str] = set()

    def points(self, template: Any, prefix: str, when: When | None, parent: tuple[str, str] | None) -> Points:
        return tuple(
            self._point(primitive, _join(prefix, str(path)), when, parent)
            for path, primitive in template.hyper_primitives
        )

    def _point(self, primitive: Any, path: str, when: When | None, parent: tuple[str, str] | None) -> Point:
        name = self._unique(primitive.name or path or "value", path)
        if isinstance(primitive, pg.hyper.Float):
            column, self.n_floats = self.n_floats, self.n_floats + 1
            low, high = float(primitive.min_value), float(primitive.max_value)
            return FloatPoint(name, column, low, high, primitive.scale, when, parent)
        if isinstance(primitive, pg.hyper.Choices):
            return self._choice(primitive, name, when, parent)
        raise SpaceError(
            f"{path or 'the space'}: only oneof, manyof, permutate and floatv can be compiled, "
            f"got {type(primitive).__name__}"
        )

    def _choice(
        self, primitive: Any, name: str, when: When | None, parent: tuple[str, str] | None
    ) -> ChoicePoint:
        k = primitive.num_choices
        labels = _labels(primitive.candidates, name)
        columns = tuple(range(self.n_choices, self.n_choices + k))
        self.n_choices += k
        is_list = not isinstance(primitive, pg.hyper.OneOf)
        names = tuple(f"{name}[{slot}]" for slot in range(k)) if is_list else (name,)
        # Each copy of a candidate decides for itself only where one may be chosen twice.
        copies = k if k > 1 and not primitive.choices_distinct else 1
        slots = [(columns, name)] if copies == 1 else [((c,), n) for c, n in zip(columns, names, strict=True)]
        children = tuple(
            tuple(
                self.points(below, f"{owner}({label})", When(cols, choice), (owner, label))
                for choice, (below, label) in enumerate(
                    zip(primitive.candidate_templates, labels, strict=True)
                )
            )
            for cols, owner in slots
        )
        return ChoicePoint(
            path=name,
            names=names,
            columns=columns,
            labels=labels,
            is_distinct=bool(k > 1 and primitive.choices_distinct),
            is_sorted=bool(k > 1 and primitive.choices_sorted),
            children=children,
            when=when,
            parent=parent,
        )

    def _unique(self, name: str, path: str) -> str:
        if name in self._paths:
            raise SpaceError(
                f"{path or 'the space'}: two decisions are named {name!r}; a name belongs to one decision "
                "(tie two fields with pg.hyper.reference instead)"
            )
        self._paths.add(name)
        return name


def _join(prefix: str, path: str) -> str:
    return f"{prefix}.{path}" if prefix and path and not path.startswith("[") else prefix + path


def _labels(candidates: list[Any], name: str) -> tuple[str, ...]:
    if len(candidates) > MAX_CANDIDATES:
        raise SpaceError(
            f"{name}: at most {MAX_CANDIDATES} candidates, got {len(candidates)}; use floatv for a range"
        )
    labels: dict[str, int] = {}
    for index, candidate in enumerate(candidates):
        label = candidate_label(candidate)
        if label in labels:
            raise SpaceError(
                f"{name}: candidates {labels[label]} and {index} are both called {label!r}; candidates must "
                "differ in something that is not a decision (merge them, or give their class a `label`)"
            )
        labels[label] = index
    return tuple(labels)


def _refuse_hidden(value: Any, path: str) -> None:
    """Find the placeholders that PyGlove would pass over in silence."""
    if isinstance(value, pg.hyper.Choices):
        for index, candidate in enumerate(value.candidates):
            _refuse_hidden(candidate, f"{path}({index})")
    elif isinstance(value, pg.hyper.HyperValue) and not isinstance(
        value, pg.hyper.HyperPrimitive | pg.hyper.Float
    ):
        raise SpaceError(
            f"{path or 'the space'}: only oneof, manyof, permutate and floatv can be compiled, "
            f"got {type(value).__name__}"
        )
    elif isinstance(value, tuple | set | frozenset):
        for index, item in enumerate(value):
            if pg.contains(item, type=(pg.hyper.HyperValue, pg.hyper.DerivedValue)):
                raise SpaceError(
                    f"{_join(path, f'[{index}]')}: a placeholder inside a {type(value).__name__} "
                    "would be ignored; use a list"
                )
    elif isinstance(value, dict | pg.Object):
        for key, item in value.sym_items() if isinstance(value, pg.Symbolic) else value.items():
            _refuse_hidden(item, _join(path, str(key)))
    elif isinstance(value, list):
        for index, item in enumerate(value.sym_values() if isinstance(value, pg.List) else value):
            _refuse_hidden(item, f"{path}[{index}]")
