# SPDX-License-Identifier: Apache-2.0
"""Which columns objectives and constraints mean."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from archloom.contracts import Objective
from archloom.errors import ConfigError, did_you_mean
from archloom.objectives import Constraint, parse_constraint, parse_objectives, resolve_metric

__all__ = ["constraints_in", "goals_in"]


def goals_in(metrics: Collection[str], objectives: Sequence[Objective], source: str) -> tuple[Objective, ...]:
    """Return objectives by the full names of their metrics.

    Args:
        metrics: the names there are; none at all where no trial was measured.
        objectives: as a person writes them, ``accuracy`` for ``validation/accuracy``.
        source: the file, for the message.

    Raises:
        ConfigError: there is no objective, or no such metric.
    """
    if not objectives:
        there = f" ({source} has {', '.join(sorted(metrics))})" if metrics else ""
        raise ConfigError(f"say what was searched for, with --maximize METRIC or --minimize METRIC{there}")
    found = [Objective(_full(goal.metric, metrics, source), goal.direction) for goal in objectives]
    return parse_objectives(found)


def constraints_in(metrics: Collection[str], texts: Sequence[str], source: str) -> tuple[Constraint, ...]:
    """Return constraints by the full names of their metrics.

    Raises:
        ConfigError: one reads otherwise than ``params <= 1000``, or there is no such metric.
    """
    read = [parse_constraint(text) for text in texts]
    return tuple(replace(constraint, metric=_full(constraint.metric, metrics, source)) for constraint in read)


def _full(name: str, metrics: Collection[str], source: str) -> str:
    resolve_metric(name, None)  # refuses the test split
    for full in (name, f"validation/{name}"):
        if full in metrics:
            return full
    if not metrics:
        return name
    raise ConfigError(f"{source} has no metric {name!r}{did_you_mean(name, metrics)}")
