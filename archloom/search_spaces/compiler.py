# SPDX-License-Identifier: Apache-2.0
"""From a PyGlove template to compiled points.

Names are ours: the path in the template, with the candidate's label in brackets where a decision
exists only below that candidate: ``op(Conv).kernel``. They hold no index and no count, so that they
stay the same when a space grows.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any, final

import numpy as np
import pyglove as pg

from archloom.contracts import Genotypes
from archloom.errors import SpaceError
from archloom.search_spaces import dna
from archloom.search_spaces.labels import candidate_label
from archloom.search_spaces.points import ChoicePoint, FloatPoint, Point, Points, When
from archloom.search_spaces.refusals import join_path, refuse_dangling, refuse_hidden

__all__ = ["Part", "compile_templates"]

MAX_CANDIDATES = 2**15 - 1


@final
@dataclass(frozen=True, eq=False)
class Part:
    """One compiled template of a space.

    Args:
        template: PyGlove's template object.
        points: the points at its root.
    """

    template: Any
    points: Points

    @cached_property
    def dna_spec(self) -> Any:
        """PyGlove's specification of this part alone."""
        return self.template.dna_spec()

    def decode(self, row: Genotypes) -> Any:
        """Return what a ``1 x d`` row of the whole space makes of this part."""
        return self.template.decode(pg.DNA.from_numbers(dna.to_numbers(self.points, row), self.dna_spec))


def compile_templates(*templates: Any) -> tuple[tuple[Part, ...], int, int]:
    """Compile symbolic values with placeholders to the parts of one space, their columns side by side.

    Returns:
        A part for each template, the number of discrete columns and the number of float columns.

    Raises:
        SpaceError: what cannot be compiled, with its path.
    """
    compiler = _Compiler()
    parts = []
    for template in templates:
        compiled = _checked_template(template)
        parts.append(Part(compiled, compiler.points(compiled, _Place())))
    return tuple(parts), compiler.n_choices, compiler.n_floats


def _checked_template(template: Any) -> Any:
    refuse_hidden(template)
    refuse_dangling(template)
    try:
        return pg.template(template)
    except (TypeError, ValueError) as error:
        raise SpaceError(f"PyGlove refuses this space: {error}") from error


@dataclass(frozen=True)
class _Place:
    """Where in the space a template stands."""

    prefix: str = ""
    when: When | None = None
    parent: tuple[str, str] | None = None
    is_copy: bool = False


class _Compiler:
    """Numbers the columns while it walks the template."""

    def __init__(self) -> None:
        self.n_choices = 0
        self.n_floats = 0
        self._names: set[str] = set()

    def points(self, template: Any, place: _Place) -> Points:
        made = []
        for key_path, primitive in template.hyper_primitives:
            path = join_path(place.prefix, str(key_path)) or "value"
            # A given name would be the same in every copy, where the path is not.
            name = path if place.is_copy or not primitive.name else primitive.name
            if isinstance(primitive, pg.hyper.Float):
                made.append(self._float(primitive, name, path, place))
            elif isinstance(primitive, pg.hyper.Choices):
                made.append(self._choice(primitive, name, path, place))
            else:
                raise SpaceError(
                    f"{path}: only oneof, manyof, permutate and floatv can be compiled, "
                    f"got {type(primitive).__name__}"
                )
        return tuple(made)

    def _float(self, primitive: Any, name: str, path: str, place: _Place) -> Point:
        low, high = float(primitive.min_value), float(primitive.max_value)
        if not (math.isfinite(low) and math.isfinite(high)):
            raise SpaceError(f"{path}: floatv needs finite bounds, got {low} and {high}")
        self._register(name, path)
        column, self.n_floats = self.n_floats, self.n_floats + 1
        return FloatPoint(name, column, low, high, primitive.scale, place.when, place.parent)

    def _choice(self, primitive: Any, name: str, path: str, place: _Place) -> Point:
        k, is_distinct = primitive.num_choices, primitive.choices_distinct
        if k < 1:
            raise SpaceError(f"{path}: manyof chooses at least one candidate, got {k}")
        labels = _labels(primitive.candidates, path)
        columns = tuple(range(self.n_choices, self.n_choices + k))
        self.n_choices += k
        is_list = not isinstance(primitive, pg.hyper.OneOf)
        names = tuple(f"{name}[{slot}]" for slot in range(k)) if is_list else (name,)
        for slot_name in names:
            self._register(slot_name, path)
        # Each copy of a candidate decides for itself only where one may be chosen twice.
        has_copies = k > 1 and not is_distinct
        slots = [((c,), n) for c, n in zip(columns, names, strict=True)] if has_copies else [(columns, name)]
        is_copy = place.is_copy or has_copies
        children = tuple(
            tuple(
                self.points(below, _Place(f"{owner}({label})", When(cols, choice), (owner, label), is_copy))
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
            is_distinct=bool(k > 1 and is_distinct),
            is_sorted=bool(k > 1 and primitive.choices_sorted),
            children=children,
            when=place.when,
            parent=place.parent,
        )

    def _register(self, name: str, path: str) -> None:
        if name in self._names:
            raise SpaceError(
                f"{path}: two decisions are named {name!r}; a name belongs to one decision "
                "(tie two fields with pg.hyper.reference instead)"
            )
        self._names.add(name)


def _labels(candidates: list[Any], path: str) -> tuple[str, ...]:
    if len(candidates) > MAX_CANDIDATES:
        raise SpaceError(
            f"{path}: at most {MAX_CANDIDATES} candidates, got {len(candidates)}; use floatv for a range"
        )
    labels: dict[str, int] = {}
    for index, candidate in enumerate(candidates):
        if isinstance(candidate, np.generic | np.ndarray):
            raise SpaceError(
                f"{path}: candidate {index} is a {type(candidate).__name__}, which PyGlove cannot hold; "
                "use plain numbers, as in array.tolist()"
            )
        try:
            label = candidate_label(candidate)
        except SpaceError as error:
            raise SpaceError(f"{path}: candidate {index}: {error}") from None
        if label in labels:
            raise SpaceError(
                f"{path}: candidates {labels[label]} and {index} are both called {label!r}; candidates must "
                "differ in something that is not a decision (merge them, or give their class a `label`)"
            )
        labels[label] = index
    return tuple(labels)
