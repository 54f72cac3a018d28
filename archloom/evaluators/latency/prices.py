# SPDX-License-Identifier: Apache-2.0
"""The rows of a table of operations, laid out by the decisions of a space."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np

from archloom.contracts import FloatArray, Genotypes
from archloom.errors import DataError, did_you_mean
from archloom.evaluators.latency.rows import BASE, Row

__all__ = ["Prices", "price"]

Patterns = Mapping[str, Mapping[str, Row]]
"""Decision pattern to choice to row."""


@final
@dataclass(frozen=True, eq=False)
class Prices:
    """What each choice of each decision takes.

    Args:
        base: milliseconds of every network.
        of_choices: ``d x (m + 1)`` milliseconds, where ``m`` is the largest number of candidates. The last
            column stays zero: it is what index ``-1``, an inactive decision, finds.
        decisions: the names of those that the table speaks of.
    """

    base: float
    of_choices: FloatArray
    decisions: tuple[str, ...]

    def total(self, genotypes: Genotypes) -> FloatArray:
        """Return ``n`` sums for ``n`` rows: the base and the active decisions' choices."""
        columns = np.arange(len(self.of_choices))
        sums: FloatArray = self.base + self.of_choices[columns, genotypes.choices].sum(axis=1)
        return sums


def price(rows: Sequence[Row], decisions: Iterable[Any], file: str) -> Prices:
    """Find the row of every candidate of every decision that the table speaks of.

    A table speaks of a decision that a row names in full, or that has a candidate which a matching row
    prices. Of several rows for a candidate the most specific one counts: a full name before a pattern,
    then the pattern with more characters beside its ``*``.

    Args:
        rows: the table.
        decisions: those of the space, the discrete ones in column order.
        file: the table's name, for messages.

    Raises:
        DataError: a candidate of such a decision has no row, or two rows that are equally specific; a
            row's decision is none of the space; or the table speaks of no decision at all.
    """
    patterns: dict[str, dict[str, Row]] = {}
    for row in rows:
        if row.choice != BASE:
            patterns.setdefault(row.decision, {})[row.choice] = row
    discrete = [decision for decision in decisions if decision.candidates]
    _refuse_strange(patterns, [decision.name for decision in discrete])
    n_most = max((len(decision.candidates) for decision in discrete), default=0)
    of_choices = np.zeros((len(discrete), n_most + 1))
    spoken = []
    for column, decision in enumerate(discrete):
        found = _of_decision(patterns, decision.name, decision.candidates, file)
        if found is not None:
            of_choices[column, : len(found)] = found
            spoken.append(decision.name)
    if not spoken:
        raise DataError(_speaks_of_nothing(patterns, discrete, file))
    base = sum(row.ms for row in rows if row.choice == BASE)
    return Prices(base, of_choices, tuple(spoken))


def _of_decision(patterns: Patterns, name: str, labels: Sequence[str], file: str) -> list[float] | None:
    """Return one number a candidate, or ``None`` for a decision that the table does not speak of."""
    matching = [pattern for pattern in patterns if _matches(pattern, name)]
    rows = [
        _most_specific(label, [patterns[p][label] for p in matching if label in patterns[p]], name)
        for label in labels
    ]
    if name not in patterns and not any(rows):
        return None
    for label, row in zip(labels, rows, strict=True):
        if row is None:
            others = [choice for pattern in matching for choice in patterns[pattern] if choice not in labels]
            raise DataError(
                f"{file} speaks of the decision {name!r} but has no row for its choice {label!r}"
                f"{did_you_mean(label, others)}"
            )
    return [row.ms for row in rows if row is not None]


def _most_specific(label: str, rows: Sequence[Row], name: str) -> Row | None:
    ranked = sorted(rows, key=lambda row: _specificity(row.decision), reverse=True)
    if len(ranked) > 1 and _specificity(ranked[0].decision) == _specificity(ranked[1].decision):
        one, other = ranked[:2]
        raise DataError(
            f"{other.place}: {other.decision!r} and {one.decision!r} ({one.place}) both price the choice "
            f"{label!r} of {name!r}, and neither is more specific: name the decision in full"
        )
    return ranked[0] if ranked else None


def _specificity(pattern: str) -> tuple[bool, int]:
    return "*" not in pattern, len(pattern.replace("*", ""))


def _matches(pattern: str, name: str) -> bool:
    """Whether a name is matched; brackets mean themselves, unlike in file names."""
    return re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), name, re.DOTALL) is not None


def _refuse_strange(patterns: Patterns, names: Sequence[str]) -> None:
    for pattern, rows in patterns.items():
        if pattern != "*" and not any(_matches(pattern, name) for name in names):
            place = next(iter(rows.values())).place
            raise DataError(
                f"{place}: no decision of the space is called {pattern!r}{did_you_mean(pattern, names)}"
            )


def _speaks_of_nothing(patterns: Patterns, discrete: Sequence[Any], file: str) -> str:
    choices = {choice for rows in patterns.values() for choice in rows}
    labels = {label for decision in discrete for label in decision.candidates}
    for choice in sorted(choices):
        if "did you mean" in (near := did_you_mean(choice, labels)):
            return f"{file} speaks of no decision of the space: no candidate is called {choice!r}{near}"
    return (
        f"{file} speaks of no decision of the space: its choices are {_some(choices) or 'none'}, "
        f"the candidates are {_some(labels) or 'none'}"
    )


def _some(words: Iterable[str], n: int = 8) -> str:
    known: Iterator[str] = iter(sorted(words))
    shown = [repr(word) for _, word in zip(range(n), known, strict=False)]
    return ", ".join(shown) + (", ..." if next(known, None) is not None else "")
