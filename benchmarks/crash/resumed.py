# SPDX-License-Identifier: Apache-2.0
"""Every strategy: 25 trials, SIGKILL, and 25 more, beside 50 that nothing befell."""

from __future__ import annotations

import signal
from typing import Any

from archloom.testing.quick import asked
from benchmarks.crash.audit import audit, sequence
from benchmarks.crash.cells import Cell
from benchmarks.crash.killing import Kill
from benchmarks.crash.steps import Stages

__all__ = ["WAYS", "agreement", "names", "ways"]

_N, _HALF = 50, 25
WAYS: dict[str, dict[str, Any]] = {
    "ask(1)": {},
    "ask(5), one by one": {"batch": 5},
    "ask(5), five at once": {"batch": 5, "is_vectorised": True},
}
"""How proposals are asked for and evaluated."""
_ONE_BY_ONE = "ask(5), one by one"
"""The way between the two others, which is left out where it is to be quick."""
_OTHERS = {"optuna", "pyglove"}
"""Adapters, which take tens of milliseconds a proposal."""


def names(*, is_quick: bool = False) -> list[str]:
    """Return the registered strategies, but for those of others where it is to be quick."""
    return sorted({*asked()} - (_OTHERS if is_quick else set()))


def ways(*, is_quick: bool = False) -> list[str]:
    """Return the ways of asking, but for the one between where it is to be quick."""
    return [way for way in WAYS if not is_quick or way != _ONE_BY_ONE]


def agreement(stages: Stages, strategy: str, way: str) -> tuple[str, Cell]:
    """Kill a search in its 26th evaluation, go on, and count the trials that are as they would have been."""
    cell = Cell()
    plan: dict[str, Any] = {"strategy": strategy, "trials": _N, **WAYS[way]}
    with stages() as whole, stages() as stage:
        whole.run(whole.plan(**plan))
        killed = stage.run(stage.plan(**plan, kill=Kill("evaluating", _HALF + 1)))
        cell.expect(killed.code == -signal.SIGKILL, f"it ended with {killed.code}: {killed.said}")
        again = stage.run(stage.plan(**plan))
        cell.expect(again.code == 0, f"it ended with {again.code}: {again.said}")
        cell.count(audit(stage.url, stage.folder, trials=_N), f"{strategy}, {way}")
        ours, theirs = sequence(stage.url), sequence(whole.url)
        cell.compare(ours, theirs, f"{strategy}, {way}")
    n_alike = sum(a == b for a, b in zip(ours, theirs, strict=False))
    return f"{n_alike}/{max(len(ours), len(theirs))}", cell
