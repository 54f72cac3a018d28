# SPDX-License-Identifier: Apache-2.0
"""Trials as columns, and their names: the same ones in every file format.

A file of trials has these columns, in this order:

======================================  ======================================================
``number, state, text``                 the trial and its architecture in words
a column a decision                     the candidate's label; empty where inactive
``fidelity, seed``                      fidelity is empty for a full evaluation
a column a decision that is a number    learning rates and their like
``violation, is_pareto``                by how much constraints are broken; on the Pareto front
a column a metric                       by its full name, ``validation/accuracy``
``seconds, reused_from, ...``           see ``TRAILING``
======================================  ======================================================

The fixed columns between the groups tell them apart, so that what was written can be read again
exactly. A decision or metric that has the name of another column is marked: ``state (decision)``.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from archloom.store.records import TrialRecord

__all__ = [
    "CURVES",
    "KINDS",
    "LEADING",
    "OUTCOME",
    "PROPOSAL",
    "TRAILING",
    "Column",
    "CurvePoint",
    "Layout",
    "curve_columns",
    "trial_columns",
]

Kind = Literal["text", "integer", "number", "flag"]

LEADING = ("number", "state", "text")
PROPOSAL = ("fidelity", "seed")
OUTCOME = ("violation", "is_pareto")
TRAILING = (
    "seconds",
    "reused_from",
    "excluded",
    "finish_order",
    "ask",
    "key",
    "reason",
    "started_at",
    "finished_at",
)
CURVES = ("number", "metric", "step", "value")

_FIXED = frozenset((*LEADING, *PROPOSAL, *OUTCOME, *TRAILING))

KINDS: dict[str, Kind] = {
    **dict.fromkeys(_FIXED, "text"),
    **dict.fromkeys(("number", "seed", "reused_from", "finish_order", "ask", "step"), "integer"),
    **dict.fromkeys(("violation", "seconds", "value"), "number"),
    "is_pareto": "flag",
    "metric": "text",
}
"""What the fixed columns hold."""


class Column(NamedTuple):
    """A column of a file.

    Args:
        name: its header.
        kind: what its values are.
        values: one a row; ``None`` where there is none.
    """

    name: str
    kind: Kind
    values: list[Any]


class CurvePoint(NamedTuple):
    """A value that a trial has reported: ``metric`` is a full key."""

    number: int
    metric: str
    step: int
    value: float


@dataclass(frozen=True)
class Layout:
    """Which decisions and metrics the columns of a file stand for, in their order.

    Args:
        labels: decisions whose choices are labels.
        numbers: decisions whose choices are numbers.
        metrics: full keys.
    """

    labels: tuple[str, ...]
    numbers: tuple[str, ...]
    metrics: tuple[str, ...]

    @property
    def header(self) -> list[str]:
        """The names of the columns.

        >>> Layout(("op", "state"), ("lr",), ("test/loss",)).header[:9]
        ['number', 'state', 'text', 'op', 'state (decision)', 'fidelity', 'seed', 'lr', 'violation']
        """
        labels = [_mark(name, "decision", _FIXED) for name in self.labels]
        numbers = [_mark(name, "number", _FIXED.union(labels)) for name in self.numbers]
        taken = _FIXED.union(labels, numbers)
        metrics = [_mark(name, "metric", taken) for name in self.metrics]
        return [*LEADING, *labels, *PROPOSAL, *numbers, *OUTCOME, *metrics, *TRAILING]

    @staticmethod
    def of(header: Sequence[str]) -> Layout | None:
        """Return the layout that a header tells; ``None`` where it is not one of ours.

        >>> Layout.of(Layout(("op", "state"), ("lr",), ("test/loss",)).header)
        Layout(labels=('op', 'state'), numbers=('lr',), metrics=('test/loss',))
        >>> Layout.of(["op", "accuracy"])
        """
        found = tuple(header)
        start, end = len(LEADING), len(found) - len(TRAILING)
        proposal, outcome = _find(found, PROPOSAL), _find(found, OUTCOME)
        if found[:start] != LEADING or found[max(end, 0) :] != TRAILING:
            return None
        if not start <= proposal <= outcome - len(PROPOSAL) <= end:
            return None
        labels = found[start:proposal]
        numbers = found[proposal + len(PROPOSAL) : outcome]
        metrics = found[outcome + len(OUTCOME) : end]
        return Layout(
            tuple(_unmark(name, "decision", _FIXED) for name in labels),
            tuple(_unmark(name, "number", _FIXED.union(labels)) for name in numbers),
            tuple(_unmark(name, "metric", _FIXED.union(labels, numbers)) for name in metrics),
        )


def trial_columns(trials: Sequence[TrialRecord]) -> list[Column]:
    """Return trials as columns, a row each."""
    labels = _names(trials, is_label=True)
    numbers = _names(trials, is_label=False)
    metrics = sorted({key for trial in trials for key in trial.metrics})
    layout = Layout(tuple(labels), tuple(numbers), tuple(metrics))
    values: list[tuple[Kind, list[Any]]] = [
        *_fixed(trials, LEADING),
        *(("text", [_if(trial.choices.get(name), str) for trial in trials]) for name in labels),
        *_fixed(trials, PROPOSAL),
        *(("number", [_if(trial.choices.get(name), float) for trial in trials]) for name in numbers),
        *_fixed(trials, OUTCOME),
        *(("number", [trial.metrics.get(key) for trial in trials]) for key in metrics),
        *_fixed(trials, TRAILING),
    ]
    return [Column(name, *rest) for name, rest in zip(layout.header, values, strict=True)]


def curve_columns(points: Iterable[CurvePoint]) -> list[Column]:
    """Return step-wise values as columns: a row for each trial, metric and step."""
    found = list(points)
    return [Column(name, KINDS[name], [getattr(point, name) for point in found]) for name in CURVES]


def _fixed(trials: Sequence[TrialRecord], names: Sequence[str]) -> list[tuple[Kind, list[Any]]]:
    return [(KINDS[name], [_plain(name, getattr(trial, name)) for trial in trials]) for name in names]


def _plain(name: str, value: Any) -> Any:
    """Return a state as the text that it is, and nothing for an empty text that is always there."""
    if not isinstance(value, str):
        return value
    return str(value) if value or name == "fidelity" else None


def _if(value: Any, kind: type) -> Any:
    return value if isinstance(value, kind) else None


def _names(trials: Sequence[TrialRecord], *, is_label: bool) -> list[str]:
    return sorted(
        {
            name
            for trial in trials
            for name, choice in trial.choices.items()
            if isinstance(choice, str) is is_label
        }
    )


def _find(header: tuple[str, ...], names: tuple[str, ...]) -> int:
    """Return where ``names`` stand side by side; -1 where they do not."""
    starts = range(len(header) - len(names) + 1)
    return next((i for i in starts if header[i : i + len(names)] == names), -1)


def _mark(name: str, kind: str, taken: Collection[str]) -> str:
    return f"{name} ({kind})" if _base(name, kind) in taken else name


def _unmark(header: str, kind: str, taken: Collection[str]) -> str:
    return header.removesuffix(f" ({kind})") if _base(header, kind) in taken else header


def _base(name: str, kind: str) -> str:
    """Return a name without any of its marks: marked names are told from names that end like one."""
    while name.endswith(f" ({kind})"):
        name = name.removesuffix(f" ({kind})")
    return name
