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
    "Event",
    "Outcome",
    "Proposal",
    "StudyRecord",
    "TrialRecord",
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
        seed: the trial's own seed.
        fidelity: ``None`` for a full evaluation.
    """

    key: str
    text: str
    choices: Mapping[str, str | float]
    seed: int
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
