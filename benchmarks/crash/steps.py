# SPDX-License-Identifier: Apache-2.0
"""Fault 1: SIGKILL at every step of a trial, of the process that proposes, of one that works, of a child."""

from __future__ import annotations

import signal
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

from benchmarks.crash.audit import audit, sequence
from benchmarks.crash.cells import Cell
from benchmarks.crash.killing import Kill
from benchmarks.crash.stage import Stage, wait_until

__all__ = ["Stages", "killed_at", "whole"]

Stages = Callable[[], AbstractContextManager[Stage]]
_TRIALS = 10
_SHARED: dict[str, Any] = {"seconds": 0.02, "trials": 40, "n_reports": 1, "lease": 1.0}
_wholes: dict[tuple[int, int, int], list[tuple[object, ...]]] = {}


def killed_at(stages: Stages, point: str, *, who: str, batch: int, n_passings: int) -> Cell:
    """Kill at a point, at each of its first passings.

    Args:
        stages: gives a fresh database.
        point: where.
        who: ``driver``, ``leader`` (a driver with a worker), ``worker`` or ``child``.
        batch: how many proposals at a time.
        n_passings: at how many passings of the point.
    """
    kill = {"driver": _driver, "worker": _worker, "leader": _leader, "child": _child}[who]
    cell = Cell()
    for n in range(1, n_passings + 1):
        with stages() as stage:
            if not kill(stage, Kill(point, n), batch, cell):
                break  # that point is not passed so often
    return cell


def whole(batch: int, trials: int = _TRIALS, *, n_decisions: int = 5) -> list[tuple[object, ...]]:
    """Return the sequence of a study that nothing befell."""
    key = (batch, trials, n_decisions)
    if key not in _wholes:
        with Stage.sqlite() as other:
            actor = other.run(other.plan(trials=trials, batch=batch, n_decisions=n_decisions))
            if actor.code != 0:
                raise RuntimeError(f"a study without faults ended with {actor.code}: {actor.said}")
            _wholes[key] = sequence(other.url)
    return _wholes[key]


def _driver(stage: Stage, kill: Kill, batch: int, cell: Cell) -> bool:
    stage.prepare()
    killed = stage.run(stage.plan(kill=kill, batch=batch, trials=_TRIALS, n_reports=1))
    if killed.code != -signal.SIGKILL:
        return cell.expect(killed.code == 0, f"{kill}: it ended with {killed.code}: {killed.said}") and False
    again = stage.run(stage.plan(batch=batch, trials=_TRIALS))
    cell.count(audit(stage.url, stage.folder, trials=_TRIALS), str(kill))
    cell.expect(again.code == 0, f"{kill}: the next run ended with {again.code}: {again.said}")
    cell.compare(sequence(stage.url), whole(batch), str(kill))
    return True


def _worker(stage: Stage, kill: Kill, batch: int, cell: Cell) -> bool:
    """Kill one that works for another; the other finishes."""
    driver = stage.start(stage.plan(batch=batch, **_SHARED))
    _begun(stage)
    worker = stage.start(stage.plan(role="work", kill=kill, **_SHARED))
    was_killed = worker.wait() == -signal.SIGKILL
    cell.expect(was_killed or worker.code == 0, f"{kill}: the worker ended with {worker.code}: {worker.said}")
    cell.expect(driver.wait() == 0, f"{kill}: the driver ended with {driver.code}: {driver.said}")
    return _audited(stage, kill, cell, was_killed)


def _leader(stage: Stage, kill: Kill, batch: int, cell: Cell) -> bool:
    """Kill the one that proposes; one that works for it takes its place."""
    n = kill.n + (40 if kill.point.startswith("any commit") else 4)  # not before there is a worker
    driver = stage.start(stage.plan(batch=batch, kill=kill._replace(n=n), **_SHARED))
    _begun(stage)
    worker = stage.start(stage.plan(role="work", **_SHARED))
    was_killed = driver.wait() == -signal.SIGKILL
    cell.expect(was_killed or driver.code == 0, f"{kill}: the driver ended with {driver.code}: {driver.said}")
    cell.expect(worker.wait() == 0, f"{kill}: the worker ended with {worker.code}: {worker.said}")
    return _audited(stage, kill, cell, was_killed)


def _begun(stage: Stage) -> None:
    wait_until(lambda: stage.n_evaluated() > 0)


def _audited(stage: Stage, kill: Kill, cell: Cell, was_killed: bool) -> bool:
    if was_killed or not cell.is_right:
        cell.count(audit(stage.url, stage.folder, trials=_SHARED["trials"]), str(kill))
    return was_killed


def _child(stage: Stage, kill: Kill, batch: int, cell: Cell) -> bool:
    driver = stage.run(stage.plan(kill=kill, batch=batch, trials=_TRIALS, processes=2, n_reports=1))
    struck = (stage.folder / "struck").exists()
    cell.expect(driver.code == 0, f"{kill}: the driver ended with {driver.code}: {driver.said}")
    cell.count(audit(stage.url, stage.folder, trials=_TRIALS), str(kill))
    return struck
