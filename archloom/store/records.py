# SPDX-License-Identifier: Apache-2.0
"""What goes into the store and what comes out: frozen values, no connection in them.

A metric has a *key*: its name (``params``) or, where it was measured on a split of the data, split
and name (``validation/accuracy``).
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, NamedTuple

from archloom.contracts import Objective, State
from archloom.errors import StoreError

__all__ = [
    "SPLITS",
    "Curve",
    "Event",
    "Outcome",
    "Proposal",
    "Standing",
    "StudyRecord",
    "TrialRecord",
    "WorkerRecord",
    "join_key",
    "label_value",
    "split_key",
]

SPLITS = ("train", "validation", "test")
"""The splits of data that a metric key may begin with."""

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)


@dataclass(frozen=True)
class StudyRecord:
    """A study as the store keeps it.

    Args:
        name: unique in the store.
        seed: everything random in the study draws from it.
        objectives: what is optimised; each metric is a full key such as ``validation/accuracy``.
        constraints: as written, ``params <= 200000``.
        space: the search space as JSON.
        fingerprint: of the search space.
        config: the resolved study file as JSON.
        id: given by the store.
        created_at: given by the store, ISO-8601 in UTC.
        status: ``running``, ``stopped`` or ``done``.
        reason: why it is stopped or done.
        version: the archloom that made it; given by the store where it is empty.
    """

    name: str
    seed: int
    objectives: tuple[Objective, ...]
    constraints: tuple[str, ...] = ()
    space: Mapping[str, Any] = field(default_factory=dict)
    fingerprint: str = ""
    config: Mapping[str, Any] = field(default_factory=dict)
    id: int | None = None
    created_at: str | None = None
    status: str = "running"
    reason: str = ""
    version: str = ""


@dataclass(frozen=True)
class Proposal:
    """An architecture to try.

    Args:
        key: its canonical hash.
        text: the architecture in one line of words.
        choices: active decisions, name to candidate label (text) or to a finite number.
        seed: the trial's own seed; ``None`` for the one that the study's seed and the trial's number give.
        fidelity: ``None`` for a full evaluation.
    """

    key: str
    text: str
    choices: Mapping[str, str | float]
    seed: int | None = None
    fidelity: str | None = None


@dataclass(frozen=True)
class Outcome:
    """How a trial ended.

    Args:
        state: COMPLETE, PRUNED or FAIL.
        metrics: final metrics by full key; those of a COMPLETE trial hold a finite value for every objective.
        violation: total by which constraints are broken (0 = feasible).
        reason: in words, for people.
        traceback: of a FAIL.
        artifacts: name to path.
        reused_from: number of the trial whose result this one was served.
    """

    state: State
    metrics: Mapping[str, float]
    violation: float = 0.0
    reason: str = ""
    traceback: str = ""
    artifacts: Mapping[str, str] = field(default_factory=dict)
    reused_from: int | None = None


@dataclass
class Curve:
    """What a trial has reported, step by step.

    Args:
        steps: metrics by step.
        unsaved: the steps that are not yet in the store.
    """

    steps: dict[int, dict[str, float]] = field(default_factory=dict)
    unsaved: set[int] = field(default_factory=set)

    def add(self, step: int, metrics: Mapping[str, float]) -> None:
        """Add metrics of a step; those reported before of the same step and name are replaced."""
        self.steps[step] = {**self.steps.get(step, {}), **metrics}
        self.unsaved.add(step)


@dataclass(frozen=True)
class TrialRecord:
    """A trial as the store keeps it: its proposal, its outcome and the store's own notes.

    Args:
        number: dense from 0 within the study.
        values: one a study's objective, in their order; ``None`` where there is none.
        ask: number of the ask that proposed it; -1 for one that was enqueued.
        is_pareto: COMPLETE, feasible, and no such trial is better in every objective.
        seconds: from claim to finish.
        started_at: ISO-8601 in UTC, as is ``finished_at``.
        finish_order: the how-manieth of the study to end, dense from 0; ``None`` while it has not.
        worker: the id of the worker that holds it, or that ended it.
        n_lost: how often a worker that held it was gone.
        excluded: why it does not count: ``outside`` the space as it is now, or ``invalid``; else empty.
    """

    number: int
    state: State
    key: str
    text: str
    choices: dict[str, str | float]
    metrics: dict[str, float]
    values: tuple[float | None, ...]
    violation: float
    seed: int
    fidelity: str | None
    ask: int
    is_pareto: bool
    reused_from: int | None
    reason: str
    traceback: str
    seconds: float | None
    started_at: str | None
    finished_at: str | None
    artifacts: dict[str, str]
    finish_order: int | None = None
    worker: int | None = None
    n_lost: int = 0
    excluded: str = ""


class Standing(NamedTuple):
    """How a study stands.

    Args:
        status: ``running``, ``stopped`` or ``done``.
        reason: why it is stopped or done.
        max_trials: how many trials it may hold; ``None`` for any number.
        budget: whether ``evaluations`` or ``proposals`` are counted.
    """

    status: str
    reason: str
    max_trials: int | None
    budget: str


class WorkerRecord(NamedTuple):
    """A process that works, or has worked, on a study.

    Args:
        id: given by the store.
        host: its machine's name.
        pid: its number there.
        process: tells it from a later process of the same number.
        is_proposer: whether it is the one that asks the strategy.
        n_slots: how many trials it runs at a time.
        n_beats: raised with each sign of life.
        started_at: ISO-8601 in UTC, as are ``renewed_at`` (its last sign of life) and ``ended_at``.
        ended_at: ``None`` until it has said goodbye.
    """

    id: int
    host: str
    pid: int
    process: str
    is_proposer: bool
    n_slots: int
    n_beats: int
    started_at: str
    renewed_at: str
    ended_at: str | None


class Event(NamedTuple):
    """Something that happened to a study, or to one of its trials.

    Args:
        at: ISO-8601 in UTC.
        kind: ``reopen``, ``conditions``, ...
        detail: in words, or as JSON.
        number: the trial's, ``None`` where it was the study.
    """

    at: str
    kind: str
    detail: str
    number: int | None


@lru_cache(maxsize=4096)
def split_key(key: str) -> tuple[str, str]:
    """Return split and name of a metric key.

    >>> split_key("validation/accuracy"), split_key("params"), split_key("hardware/latency")
    (('validation', 'accuracy'), ('', 'params'), ('', 'hardware/latency'))

    Raises:
        StoreError: the name is empty or holds a NUL character.
    """
    split, slash, name = key.partition("/")
    if not slash or split not in SPLITS:
        split, name = "", key
    if not name or "\0" in name:
        raise StoreError(f"a metric needs a name without NUL characters; got {key!r}")
    return split, name


def join_key(split: str, name: str) -> str:
    """Return the metric key, the opposite of ``split_key``.

    >>> join_key("test", "accuracy"), join_key("", "params")
    ('test/accuracy', 'params')
    """
    return f"{split}/{name}" if split else name


@lru_cache(maxsize=4096)
def label_value(label: str) -> float | None:
    """Return the number that a candidate's label spells, if it spells a finite one.

    >>> label_value("3"), label_value("1e-3"), label_value("conv_3x3"), label_value("nan")
    (3.0, 0.001, None, None)
    """
    if not _NUMBER.fullmatch(label):
        return None
    value = float(label)
    return value if math.isfinite(value) else None
