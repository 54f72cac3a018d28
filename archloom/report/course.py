# SPDX-License-Identifier: Apache-2.0
"""The course of a search by gradients: what each candidate weighed, epoch by epoch, up to a trial's own.

A study keeps it with the run that its trials are epochs of, as metrics that are called ``site=label``; which
sites there are, and in which order, says the space that it was stored with.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from archloom.store import Store, StudyRecord, TrialRecord

__all__ = ["Course", "course_of", "found_course"]

Reported: TypeAlias = Mapping[int, Mapping[str, float | None]]
"""What a run reported: step to metrics."""

MEASURES = ("entropy", "skips", "eigenvalue")
"""What a strategy that follows gradients tells of itself."""


@dataclass(frozen=True)
class Course:
    """What the candidates of each site weighed, an epoch after the other; ``nan`` where it was not kept.

    Args:
        weights: site to label to a number an epoch, both in the space's order.
        derived: site to the labels that are derived in the end; none where a site is not active.
        measures: ``entropy``, ``skips`` and ``eigenvalue``, where there are such, to a number an epoch.
    """

    weights: Mapping[str, Mapping[str, Sequence[float]]]
    derived: Mapping[str, Sequence[str]]
    measures: Mapping[str, Sequence[float]]

    @property
    def n_epochs(self) -> int:
        """Number of epochs."""
        return len(next(iter(next(iter(self.weights.values())).values())))

    def leader(self, site: str, epoch: int) -> str | None:
        """Return the label that weighs the most at a site after an epoch, counted from 1."""
        known = {
            label: weights[epoch - 1]
            for label, weights in self.weights[site].items()
            if math.isfinite(weights[epoch - 1])
        }
        return max(known, key=known.__getitem__, default=None)


def found_course(store: Store, study: StudyRecord, trial: TrialRecord) -> Course | None:
    """Return the course of a study up to a trial; ``None`` where that is no epoch, or nothing was kept."""
    from archloom.gradient_search import epoch_of
    from archloom.retraining import is_retraining

    epoch = epoch_of(trial.fidelity)
    if epoch is None or study.id is None:
        return None
    for run in store.runs.records(study.id):
        if is_retraining(run.name):
            continue
        found = course_of(store.runs.curve(run.id), epoch, study.space, trial.choices)
        if found is not None:
            return found
    return None


def course_of(
    reported: Reported, last: int, space: Mapping[str, Any], choices: Mapping[str, str | float]
) -> Course | None:
    """Return the course that a run's metrics tell; ``None`` where they tell of no candidate.

    >>> space = {"decisions": [{"name": "op", "candidates": ["conv", "pool"]}]}
    >>> reported = {1: {"op=pool": 0.5, "op=conv": 0.5, "entropy": 1.0}, 2: {"op=pool": 0.4, "op=conv": 0.6}}
    >>> course = course_of(reported, 2, space, {"op": "conv"})
    >>> course.weights["op"], course.leader("op", 2)
    ({'conv': [0.5, 0.6], 'pool': [0.5, 0.4]}, 'conv')

    Args:
        reported: by epochs from 1.
        last: the epoch to end with, or the last one before it that was reported.
        space: as ``SearchSpace.to_json`` describes it.
        choices: what is derived at the end.
    """
    steps = [reported.get(epoch, {}) for epoch in range(1, min(last, max(reported, default=0)) + 1)]
    told = {key for step in steps for key in step}

    def numbers(key: str) -> list[float]:
        return [math.nan if (value := step.get(key)) is None else value for step in steps]

    weights, derived = {}, {}
    for site in _sites(space, choices):
        keys = {label: f"{site.name}={label}" for label in site.labels}
        kept = {label: numbers(key) for label, key in keys.items() if key in told}
        if kept:
            weights[site.name], derived[site.name] = kept, site.derived
    measures = {name: numbers(name) for name in MEASURES if name in told}
    return Course(weights, derived, measures) if weights else None


class _Site(NamedTuple):
    """What a search may have weighed the candidates of, and which of them the choices hold."""

    name: str
    labels: Sequence[str]
    derived: Sequence[str]


def _sites(space: Mapping[str, Any], choices: Mapping[str, str | float]) -> Iterator[_Site]:
    """Yield the choice sites of a described space in its order, then its slabs."""
    labels: dict[str, Sequence[str]] = {}
    slots: dict[str, list[str]] = {}
    for row in space.get("decisions", ()):
        if row.get("candidates"):
            slots.setdefault(row.get("group", row["name"]), []).append(row["name"])
            labels[row["name"]] = row["candidates"]
    for name, columns in slots.items():
        held = dict.fromkeys(str(choices[column]) for column in columns if column in choices)
        yield _Site(name, labels[columns[0]], tuple(held))
    for name, members in space.get("slabs", {}).items():
        combinations = [",".join(some) for some in product(*(labels[member] for member in members))]
        is_held = all(member in choices for member in members)
        yield _Site(name, combinations, (",".join(str(choices[m]) for m in members),) if is_held else ())
