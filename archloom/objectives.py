# SPDX-License-Identifier: Apache-2.0
"""Objectives and constraints: from what a person writes to metric names and numbers."""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from archloom.contracts import Metrics, Objective
from archloom.errors import ArchloomError, ConfigError, did_you_mean

__all__ = [
    "Constraint",
    "Directions",
    "checked_metrics",
    "checked_step",
    "missing_metric",
    "parse_constraint",
    "parse_objectives",
    "resolve_metric",
]

Directions = Mapping[str, Literal["maximize", "minimize"]]

REPORT_SPLITS = ("test", "train")
_CONSTRAINT = re.compile(r"^\s*([\w./-]+?)\s*(<=|>=|<|>|==)\s*([-+]?[\d_.]+(?:[eE][-+]?\d+)?)\s*$")


@dataclass(frozen=True)
class Constraint:
    """A bound on a metric, such as ``params <= 200000``."""

    metric: str
    relation: Literal["<=", ">="]
    bound: float

    def violation(self, metrics: Metrics) -> float:
        """Return by how much the bound is broken, relative to it; 0 if kept or not yet measured."""
        value = metrics.get(self.metric)
        if value is None or math.isnan(value):
            return 0.0
        excess = value - self.bound if self.relation == "<=" else self.bound - value
        return max(0.0, excess / (abs(self.bound) or 1.0))

    def __str__(self) -> str:
        bound = int(self.bound) if self.bound.is_integer() else self.bound
        return f"{self.metric} {self.relation} {bound!r}"


def parse_constraint(text: str, gives: Sequence[str] | None = None) -> Constraint:
    """Read ``metric <= number`` or ``metric >= number``.

    >>> parse_constraint("params <= 200_000").bound
    200000.0

    Raises:
        ConfigError: another form, or a metric that no evaluator gives.
    """
    match = _CONSTRAINT.match(text)
    if match is None or match[2] not in ("<=", ">="):
        raise ConfigError(f"a constraint reads 'metric <= number' or 'metric >= number', got {text!r}")
    try:
        bound = float(match[3])
    except ValueError:
        raise ConfigError(f"constraint {text!r}: {match[3]!r} is not a number") from None
    relation: Literal["<=", ">="] = "<=" if match[2] == "<=" else ">="
    return Constraint(resolve_metric(match[1], gives), relation, bound)


def parse_objectives(
    objectives: Directions | Iterable[Objective], gives: Sequence[str] | None = None
) -> tuple[Objective, ...]:
    """Turn ``{"accuracy": "maximize"}`` into objectives on metrics that the evaluators give.

    Raises:
        ConfigError: no objective, a direction that is none, a metric of the test split, or one that
            no evaluator gives.
    """
    if isinstance(objectives, str):
        raise ConfigError(
            f"objectives map metrics to directions, {{{objectives!r}: 'maximize'}}, got {objectives!r}"
        )
    pairs = (
        list(objectives.items())
        if isinstance(objectives, Mapping)
        else [(objective.metric, objective.direction) for objective in map(_checked, objectives)]
    )
    if not pairs:
        raise ConfigError("a study needs at least one objective, such as {'accuracy': 'maximize'}")
    for metric, direction in pairs:
        if direction not in ("maximize", "minimize"):
            raise ConfigError(
                f"objective {metric!r}: the direction is maximize or minimize, got {direction!r}"
                + did_you_mean(str(direction), ["maximize", "minimize"])
            )
    made = tuple(Objective(resolve_metric(metric, gives), direction) for metric, direction in pairs)
    names = [objective.metric for objective in made]
    for name in names:
        if names.count(name) > 1:
            raise ConfigError(f"objective {name!r} is given {names.count(name)} times")
    return made


def _checked(objective: Any) -> Objective:
    if not isinstance(objective, Objective):
        raise ConfigError(
            f"objectives map metrics to directions, {{'accuracy': 'maximize'}}, got {objective!r}"
        )
    return objective


def resolve_metric(name: str, gives: Sequence[str] | None) -> str:
    """Return the full name of a metric: ``accuracy`` becomes ``validation/accuracy`` where that is given.

    What is reported may not be searched on: the test and train splits are refused.

    Args:
        name: as the person wrote it.
        gives: the full names that the evaluators give, ``None`` where that is not known yet.
    """
    if name.split("/")[0] in REPORT_SPLITS and "/" in name:
        raise ConfigError(
            f"{name!r} is a report metric: search and choose on validation, report on test "
            f"(use {_searchable(name.split('/', 1)[1], gives)})"
        )
    if gives is None or name in gives:
        return name
    if f"validation/{name}" in gives:
        return f"validation/{name}"
    raise ConfigError(f"no evaluator gives a metric {name!r}{did_you_mean(name, _short_names(gives))}")


def _short_names(gives: Sequence[str]) -> list[str]:
    """Return what may be searched on, as a person writes it."""
    allowed = [metric for metric in gives if metric.split("/")[0] not in REPORT_SPLITS]
    return [metric.removeprefix("validation/") for metric in allowed]


def _searchable(name: str, gives: Sequence[str] | None) -> str:
    """Say what to search on instead of a report metric of that short name."""
    short = [name] if gives is None else _short_names(gives)
    return repr(name) if name in short else " or ".join(map(repr, short)) or "another metric"


def missing_metric(metrics: Metrics, wanted: Iterable[str]) -> str | None:
    """Say which wanted metric is absent or not a finite number, ``None`` if all is well."""
    for name in wanted:
        if name not in metrics:
            return f"the evaluator gave no metric {name!r}{did_you_mean(name, metrics)}"
        if not math.isfinite(metrics[name]):
            return f"metric {name!r} is {metrics[name]}"
    return None


def checked_metrics(measured: Mapping[Any, Any], source: str) -> dict[str, float]:
    """Return measured metrics as plain numbers.

    Args:
        measured: names to numbers, of numpy's and torch's kinds too.
        source: who measured, for the message.

    Raises:
        ArchloomError: a name or a value that is none.
    """
    return {_metric_name(name, source): _number(value, name, source) for name, value in measured.items()}


def checked_step(step: Any) -> int:
    """Return the step of a report as a plain integer.

    >>> import numpy as np
    >>> checked_step(np.int64(3))
    3

    Raises:
        ArchloomError: it is none, is below 0, or does not fit 32 bits.
    """
    try:
        found = operator.index(step)
    except TypeError:
        found = -1
    if not 0 <= found < 2**31:
        raise ArchloomError(f"report: a step is a whole number from 0 to 2147483647, got {step!r:.80}")
    return found


def _metric_name(name: Any, source: str) -> str:
    if not isinstance(name, str) or not name.split("/", 1)[-1] or not _is_storable(name):
        raise ArchloomError(f"{source}: a metric's name is a word such as 'accuracy', got {name!r}")
    return name


def _is_storable(name: str) -> bool:
    """Whether every database takes a text: no NUL, and no half of a surrogate pair."""
    return "\0" not in name and name == name.encode("utf-8", "ignore").decode()


def _number(value: Any, name: str, source: str) -> float:
    try:
        if isinstance(value, str | bytes):
            raise TypeError
        return float(value)
    except (TypeError, ValueError, OverflowError):
        raise ArchloomError(f"{source}: metric {name!r} is a number, got {value!r:.80}") from None
