# SPDX-License-Identifier: Apache-2.0
"""Fault 9: several processes that all mean to run one study, and one that sleeps through its lease."""

from __future__ import annotations

import signal
import time
from collections.abc import Sequence
from typing import Any

from sqlalchemy import NullPool, create_engine
from sqlalchemy.exc import OperationalError

from archloom.store import Store
from benchmarks.crash.audit import audit
from benchmarks.crash.cells import Cell
from benchmarks.crash.stage import Actor, Stage, wait_until
from benchmarks.crash.steps import Stages

__all__ = ["at_once", "early_worker", "killed_among_rivals", "suspended"]


def at_once(stages: Stages, n: int, n_rounds: int) -> Cell:
    """Start ``n`` drivers on one study at the same moment: one runs, the others are refused."""
    cell = Cell()
    for _ in range(n_rounds):
        with stages() as stage:
            plan = stage.plan(trials=15, seconds=0.02)
            actors = [stage.start(plan) for _ in range(n)]
            codes = [actor.wait() for actor in actors]
            cell.expect(codes.count(0) == 1, f"{codes.count(0)} of {n} drivers ran: {_said(actors)}")
            _refused(cell, actors)
            cell.count(audit(stage.url, stage.folder, trials=15), f"{n} at once")
    return cell


def killed_among_rivals(stages: Stages, n_rounds: int) -> Cell:
    """Kill the driver while four others try to run its study."""
    cell = Cell()
    for _ in range(n_rounds):
        with stages() as stage:
            plan = stage.plan(trials=25, seconds=0.02)
            first = stage.start(plan)
            wait_until(lambda stage=stage: stage.n_ended() > 3)  # type: ignore[misc]
            actors = [stage.start(plan) for _ in range(2)]
            first.kill()
            actors += [stage.start(plan) for _ in range(2)]
            codes = [actor.wait() for actor in actors]
            cell.expect(codes.count(0) == 1, f"{codes.count(0)} of 4 drivers went on: {_said(actors)}")
            _refused(cell, actors)
            cell.count(audit(stage.url, stage.folder, trials=25), "killed among rivals")
    return cell


def suspended(stages: Stages, n_rounds: int, *, wakes: str) -> Cell:
    """Suspend the driver for longer than its lease, while a worker takes its place; then let it go on.

    Args:
        stages: gives a fresh database.
        n_rounds: how often.
        wakes: ``amid`` the worker's work, or ``after`` it has finished.
    """
    cell = Cell()
    n_late = 0
    for i in range(n_rounds):
        with stages() as stage:
            plan = stage.plan(trials=60, seconds=0.03, lease=1.0, n_reports=2)
            driver = stage.start(plan)
            wait_until(lambda stage=stage: stage.n_ended() > 4)  # type: ignore[misc]
            worker = stage.start(stage.plan(role="work", trials=60, seconds=0.03, lease=1.0, n_reports=2))
            time.sleep(0.5 + 0.013 * i)
            _suspend(stage, driver)
            try:
                if wakes == "after":
                    worker.wait()
                else:
                    _wait_for_more(stage, worker)
            finally:
                driver.signal(signal.SIGCONT)
            cell.expect(worker.wait() == 0, f"the worker ended with {worker.code}: {worker.said}")
            cell.expect(driver.wait() == 0, f"the driver ended with {driver.code}: {driver.said}")
            cell.count(audit(stage.url, stage.folder, trials=60), f"suspended, wakes {wakes} ({i})")
            with Store(stage.url) as store:
                n_late += len(store.events(store.study("study").id or 0, "late"))
    cell.message = f"{n_late} late results kept as events"
    return cell


def _wait_for_more(stage: Stage, worker: Actor) -> None:
    n = stage.n_ended()
    wait_until(lambda: stage.n_ended() > n + 12 or worker.code is not None)


def _suspend(stage: Stage, actor: Actor) -> None:
    """Suspend a process outside of a transaction: in one it holds a lock that no one can take from it."""
    for _ in range(50):
        actor.signal(signal.SIGSTOP)
        time.sleep(0.05)
        try:
            with create_engine(stage.url, **_patience(stage)).begin() as connection:
                connection.exec_driver_sql("BEGIN IMMEDIATE" if stage.is_sqlite else "LOCK studies NOWAIT")
            return
        except OperationalError:
            actor.signal(signal.SIGCONT)
            time.sleep(0.017)
    raise TimeoutError(f"process {actor.pid} is always in a transaction")


def _patience(stage: Stage) -> dict[str, Any]:
    if stage.is_sqlite:
        return {"connect_args": {"timeout": 0.1, "isolation_level": None}, "poolclass": NullPool}
    return {"poolclass": NullPool}


def early_worker(stages: Stages) -> Cell:
    """Have a worker there before the driver has set the budget, and take its place when it is killed."""
    cell = Cell()
    with stages() as stage:
        worker = stage.start(stage.plan(role="work", seconds=0.02, lease=1.0))
        wait_until(lambda: _is_there(stage))
        time.sleep(0.1)
        driver = stage.start(stage.plan(role="run", trials=30, seconds=0.02, lease=1.0))
        wait_until(lambda: stage.n_ended() > 4 or driver.code is not None)
        driver.kill()
        cell.expect(worker.wait() == 0, f"the worker ended with {worker.code}: {worker.said}")
        cell.count(audit(stage.url, stage.folder, trials=30), "a worker before the budget")
    return cell


def _is_there(stage: Stage) -> bool:
    with Store(stage.url) as store:
        return bool(store.studies())


def _refused(cell: Cell, actors: Sequence[Actor]) -> None:
    """Check that those that did not run say so in one clear line."""
    for actor in actors:
        if actor.code == 0:
            continue
        said = actor.said
        is_clear = (
            actor.code == 1 and said.count("\n") == 0 and said.startswith("StudyBusyError: study 'study'")
        )
        cell.expect(is_clear, f"refused with {actor.code}: {said}")
        cell.message = f"“{said.split(': ', 1)[1].partition(' on ')[0]} ...”" if is_clear else cell.message


def _said(actors: Sequence[Actor]) -> str:
    return " | ".join(actor.said for actor in actors)
