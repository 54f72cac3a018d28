# SPDX-License-Identifier: Apache-2.0
"""The terms of a study: what it is made of, checked before the first trial."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from archloom.contracts import Evaluator, Objective, Strategy
from archloom.errors import ConfigError
from archloom.evaluators.function import Function
from archloom.objectives import Directions
from archloom.search_spaces import SearchSpace
from archloom.store import StudyRecord

__all__ = ["check_fit", "check_least", "check_same", "evaluators_of", "gives_of"]


def check_fit(strategy: Strategy, space: SearchSpace, objectives: Sequence[Objective]) -> None:
    """Refuse a strategy that cannot do what the space or the objectives ask for."""
    needed = {"several_objectives": len(objectives) > 1, "floats": space.has_floats}
    for ability, is_needed in needed.items():
        if is_needed and ability not in strategy.supports:
            raise ConfigError(
                f"strategy {type(strategy).__name__} cannot do {ability.replace('_', ' ')}: "
                "choose another strategy"
            )


def check_least(**values: tuple[int, int]) -> None:
    """Refuse a number that is not whole or below its least."""
    for name, (value, least) in values.items():
        if not isinstance(value, int) or value < least:
            raise ConfigError(f"{name} is a whole number of at least {least}, got {value!r}")


def evaluators_of(evaluator: Any, objectives: Directions | Sequence[Objective]) -> tuple[Evaluator, ...]:
    """Make a tuple of evaluators, cheap ones first; a function's bare number is the first objective."""
    if evaluator is None:
        return ()
    first = next(iter(objectives), "value")
    metric = first.metric if isinstance(first, Objective) else str(first)
    parts: Iterable[Any] = evaluator if isinstance(evaluator, list | tuple) else [evaluator]
    made = [part if isinstance(part, Evaluator) else Function(function=part, metric=metric) for part in parts]
    return tuple(sorted(made, key=lambda part: not part.is_cheap))


def gives_of(evaluators: Sequence[Evaluator]) -> list[str] | None:
    """Return every metric that the evaluators give, ``None`` where one cannot say."""
    if not evaluators or any(evaluator.gives is None for evaluator in evaluators):
        return None
    gives = [metric for evaluator in evaluators for metric in evaluator.gives or ()]
    for metric in gives:
        if gives.count(metric) > 1:
            raise ConfigError(f"two evaluators give {metric!r}: leave it to one of them")
    return gives


def check_same(earlier: StudyRecord, now: StudyRecord) -> None:
    """Refuse to go on with a study under other terms than it began with."""
    pairs: dict[str, tuple[Any, Any]] = {
        "search space": (earlier.fingerprint, now.fingerprint),
        "seed": (earlier.seed, now.seed),
        "objectives": (earlier.objectives, now.objectives),
        "constraints": (earlier.constraints, now.constraints),
    }
    for key in ("strategy", "evaluator", "duplicates", "batch_size"):
        pairs[key] = (earlier.config.get(key), now.config.get(key))
    for what, (then, given) in pairs.items():
        if then != given:
            raise ConfigError(
                f"study {now.name!r} was begun with another {what}: {then!r}, now {given!r}; "
                "give the new search another name"
            )
