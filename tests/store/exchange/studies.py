# SPDX-License-Identifier: Apache-2.0
"""A study with one of everything, made by the store's own methods."""

from __future__ import annotations

import math

from archloom.contracts import Objective, State
from archloom.store import Outcome, Proposal, Store, StudyRecord

SPACE = {
    "decisions": [
        {"name": "op", "candidates": ["conv", "pool", "skip"]},
        {"name": "width", "candidates": ["8", "16", "32"]},
        {"name": "lr", "low": 0.001, "high": 1.0, "scale": "log"},
    ]
}
CHOICES: list[dict[str, str | float]] = [
    {"op": "conv", "width": "8", "lr": 0.1, "state": "=1+1", "net/a,b": "-1"},
    {"op": "pool", "width": "16", "lr": 1e-3, "state": "'quoted'"},
    {"op": "conv", "width": "32", "lr": -0.0, "state": "", "net/a,b": "two\nlines; ü"},
    {"op": "skip", "lr": 1.0},
    {"op": "conv", "width": "8", "lr": 0.1},
    {"op": "conv", "width": "8", "lr": 0.25},
    {"op": "pool", "width": "32"},
    {"op": "pool", "width": "8"},
]
OUTCOMES = {
    1: Outcome(State.COMPLETE, {"validation/accuracy": 0.9, "params": 1000.0, "state": 1.0, "latency": 1.0}),
    0: Outcome(
        State.COMPLETE, {"validation/accuracy": 0.8, "test/accuracy": 0.7, "params": 100.0, "latency": 2.0}
    ),
    2: Outcome(
        State.COMPLETE,
        {"validation/accuracy": 0.99, "params": 500.0, "loss": math.nan, "hardware/peak": math.inf},
    ),
    3: Outcome(State.FAIL, {"params": 7.0}, reason="-inf loss\nin step 3"),
    4: Outcome(
        State.COMPLETE,
        {"validation/accuracy": 0.8, "params": 100.0, "latency": 2.0},
        reused_from=0,
        reason="@again",
    ),
    5: Outcome(State.PRUNED, {"params": 9000.0, "latency": 3.0}, violation=0.5, reason="latency is 3"),
}


def make_rich(store: Store, name: str = "rich") -> StudyRecord:
    """Add the study and return it: trials 0 to 5 have ended, 6 runs, 7 waits."""
    goals = (Objective("validation/accuracy"), Objective("params", "minimize"))
    record = StudyRecord(name, 3, goals, constraints=("latency <= 2",), space=SPACE)
    study = store.create_study(record)
    proposals = [
        Proposal(f"k{i}", f"net {i}", choices, i + 10, fidelity="epochs=3" if i == 1 else None)
        for i, choices in enumerate(CHOICES)
    ]
    store.start(study, 0, proposals, 7)
    for step in range(3):
        store.report(study, 0, step, {"validation/accuracy": step / 10, "train/loss": 1.0 - step})
    store.report(study, 2, 5, {"validation/accuracy": math.nan})
    store.report(study, 6, 0, {"validation/accuracy": 0.5})
    for number, outcome in OUTCOMES.items():
        store.finish(study, number, outcome)
    return store.study(name)
