# SPDX-License-Identifier: Apache-2.0
"""Nodes -> PyGlove values."""

from __future__ import annotations

from typing import Any, final

import pyglove as pg

from archloom.search_spaces.labels import candidate_label, give_label
from archloom.search_spaces.literal.blame import blamed
from archloom.search_spaces.literal.fitting import misfits
from archloom.search_spaces.literal.mistakes import Mistakes
from archloom.search_spaces.literal.nodes import (
    Broken,
    Choice,
    Fields,
    Items,
    Node,
    Range,
    Scalar,
    Tie,
    child,
    walk,
)

__all__ = ["Maker"]

BROKEN = object()
"""Stands for what cannot be made; whatever would hold it cannot be made either."""


@final
class Maker:
    """Makes the template of a tree, and goes on after a mistake so that all are found at once."""

    def __init__(self, mistakes: Mistakes):
        self._mistakes = mistakes
        self._ties: list[tuple[Tie, Any]] = []

    def template(self, root: Node) -> Any:
        """Make the template; what is wrong is noted, and the value then means nothing."""
        value = self._make(root)
        if not len(self._mistakes):
            for tie, reference in self._ties:
                self._check_tie(root, tie, reference)
        return value

    def _make(self, node: Node) -> Any:
        if isinstance(node, Scalar):
            return node.value
        if isinstance(node, Range):
            return pg.floatv(node.low, node.high, scale=node.scale)
        if isinstance(node, Tie):
            self._ties.append((node, made := pg.hyper.reference(node.path)))
            return made
        if isinstance(node, Items):
            values = [self._make(item) for item in node.items]
            return BROKEN if any(value is BROKEN for value in values) else pg.List(values)
        if isinstance(node, Choice):
            return self._choice(node)
        return BROKEN if isinstance(node, Broken) else self._object(node)

    def _choice(self, node: Choice) -> Any:
        values = [self._make(candidate) for candidate in node.candidates]
        if any(value is BROKEN for value in values):
            return BROKEN
        node.labels = self._labels(node, values)
        if node.k is None:
            return pg.oneof(values)
        return pg.manyof(node.k, values, distinct=node.is_distinct, sorted=node.is_sorted)

    def _labels(self, node: Choice, values: list[Any]) -> tuple[str, ...]:
        """Name the candidates; two of the same name are refused at the second."""
        labels: dict[str, int] = {}
        for index, value in enumerate(values):
            at = node.candidates[index].at
            try:
                label = candidate_label(value)
            except Exception as error:  # a class of the user's own names its candidates
                self._mistakes.add(at, f"it cannot be named: {type(error).__name__}: {error}")
                continue
            if label in labels:
                rule = "candidates must differ in something that is not a decision"
                if isinstance(value, pg.Object):
                    rule += "; write 'label: ...' beside its name to call one differently"
                self._mistakes.add(at, f"candidate {labels[label]} is called {label!r:.80} too: {rule}")
            labels.setdefault(label, index)
        return tuple(labels)

    def _object(self, node: Fields) -> Any:
        values = {key: self._make(child) for key, child in node.fields.items()}
        if node.target is None:
            return BROKEN if any(value is BROKEN for value in values.values()) else pg.Dict(values)
        wrong = list(misfits(node))
        for at, what in wrong:
            self._mistakes.add(at, what)
        if wrong or any(value is BROKEN for value in values.values()):
            return BROKEN
        try:
            made = node.target(**values)
            check = getattr(made, "check_arguments", None)
            if check is not None:
                check()
        except Exception as error:  # the class may be the user's own and raise anything
            self._mistakes.add(*blamed(node, error))
            return BROKEN
        if node.label:
            give_label(made, node.label)
        return made

    def _check_tie(self, root: Node, tie: Tie, reference: Any) -> None:
        """Refuse a reference to what is not there in every architecture, or to another reference."""
        what = f"reference {tie.path!r:.80}"
        node: Node | None = root
        try:
            for key in pg.KeyPath.parse(tie.path).keys:
                if isinstance(node, Choice):
                    raise ValueError("it leads below a decision")
                node = None if node is None else child(node, key)
            reference.resolve()
        except (KeyError, ValueError) as error:
            words = str(error).splitlines()[0]
            self._mistakes.add(tie.at, f"{what} must lead to what every architecture has; {words}")
            return
        if node is not None and any(isinstance(one, Tie) for one in walk(node)):
            self._mistakes.add(tie.at, f"{what} leads to a reference: name the field that this one names")
