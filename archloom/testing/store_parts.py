# SPDX-License-Identifier: Apache-2.0
"""What the store's contract suite is made with: studies, proposals, and plain SQL beside the store."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Literal

from sqlalchemy import Select, create_engine, text

from archloom.contracts import Objective, State
from archloom.store import Outcome, Proposal, Store, StudyRecord, TrialRecord

__all__ = ["FLOATS", "LABELS", "complete", "proposals", "query", "study_record"]

FLOATS = (0.1, 1 / 3, -0.0, 5e-324, 1.7976931348623157e308, 3.0, math.pi)
LABELS = (
    "3",
    "3.0",
    "1e-3",
    "nan",
    "inf",
    "",
    " 3",
    "1_0",
    "conv 3x3",
    "ünï 🧬",
    "a'b\"c%d:e;--",
    "x" * 5000,
)


def study_record(name: str = "digits", *goals: tuple[str, str]) -> StudyRecord:
    """Make a study; ``accuracy`` is maximised where no goals (metric, direction) are given."""
    directions: Mapping[str, Literal["maximize", "minimize"]] = {"max": "maximize", "min": "minimize"}
    objectives = tuple(Objective(metric, directions[way]) for metric, way in goals or [("accuracy", "max")])
    return StudyRecord(
        name, 7, objectives, ("params <= 10",), {"nodes": [1, 2]}, "f00d", {"budget": {"trials": 3}}
    )


def proposals(n: int, key: str = "key") -> list[Proposal]:
    """Make ``n`` proposals of two decisions, with the keys ``key0``, ``key1``, ..."""
    return [Proposal(f"{key}{i}", f"conv {i}", {"op": "conv", "lr": i / 7}, seed=100 + i) for i in range(n)]


def complete(
    store: Store, study: int, *metrics: Mapping[str, float], violation: float = 0.0
) -> list[TrialRecord]:
    """Propose, claim and complete one trial for each of some metrics."""
    found = []
    for each in metrics:
        store.propose(study, 0, proposals(1))
        trial = store.claim(study)
        assert trial is not None
        found.append(store.finish(study, trial.number, Outcome(State.COMPLETE, each, violation=violation)))
    return found


def query(url: str, statement: str | Select[Any]) -> list[dict[str, Any]]:
    """Run SQL beside the store, as a person would; return what it selects."""
    words = text(statement) if isinstance(statement, str) else statement
    engine = create_engine(url)
    try:
        with engine.begin() as connection:
            result = connection.execute(words)
            return [dict(row) for row in result.mappings()] if result.returns_rows else []
    finally:
        engine.dispose()
