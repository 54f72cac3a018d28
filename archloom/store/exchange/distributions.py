# SPDX-License-Identifier: Apache-2.0
"""What Optuna must know of a decision: its candidates, or its range."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from archloom.store.records import TrialRecord

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution

__all__ = ["distributions_of"]


def distributions_of(space: Mapping[str, Any], trials: Sequence[TrialRecord]) -> dict[str, BaseDistribution]:
    """Return a distribution for each decision that a trial has made.

    Optuna allows one a name in a study. Candidates come in the space's order, and after them those
    that only a trial knows (the space has changed since, or is not known).

    Args:
        space: as JSON, empty where it is not known.
        trials: of one study.
    """
    known = {row["name"]: row for row in space.get("decisions", ()) if isinstance(row, Mapping)}
    seen: dict[str, set[str | float]] = defaultdict(set)
    for trial in trials:
        for name, choice in trial.choices.items():
            seen[name].add(choice)
    return {name: _distribution(known.get(name, {}), choices) for name, choices in seen.items()}


def _distribution(known: Mapping[str, Any], seen: set[str | float]) -> BaseDistribution:
    from optuna.distributions import CategoricalDistribution, FloatDistribution

    numbers = [choice for choice in seen if not isinstance(choice, str)]
    labels = {choice for choice in seen if isinstance(choice, str)}
    if not labels:
        low = min([*numbers, *_bound(known, "low")])
        high = max([*numbers, *_bound(known, "high")])
        return FloatDistribution(low, high, log=known.get("scale") == "log" and low > 0)
    candidates = [label for label in known.get("candidates", ()) if isinstance(label, str)]
    others = sorted(labels.difference(candidates), key=_natural)
    return CategoricalDistribution([*candidates, *others, *sorted(numbers)])


def _bound(known: Mapping[str, Any], name: str) -> list[float]:
    bound = known.get(name)
    return [float(bound)] if isinstance(bound, int | float) else []


def _natural(label: str) -> list[tuple[int, str]]:
    """Put numbers into the order of numbers."""
    words = re.split(r"(\d+)", label)
    return [(int(word), "") if word.isdecimal() else (-1, word) for word in words]
