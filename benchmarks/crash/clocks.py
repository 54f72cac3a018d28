# SPDX-License-Identifier: Apache-2.0
"""Fault 7: a clock that is set back and forth by hours in mid-run."""

from __future__ import annotations

import signal
import time

from benchmarks.crash.audit import audit, sequence
from benchmarks.crash.cells import Cell
from benchmarks.crash.killing import Kill
from benchmarks.crash.stage import wait_until
from benchmarks.crash.steps import Stages, whole

__all__ = ["alone", "shared"]

_HOURS = 3 * 3600.0
_TRIALS = 20


def alone(stages: Stages) -> Cell:
    """Kill one process whose clock jumps at every look, and go on."""
    cell = Cell()
    with stages() as stage:
        killed = stage.run(stage.plan(trials=_TRIALS, clock=_HOURS, kill=Kill("evaluating", 9)))
        cell.expect(killed.code == -signal.SIGKILL, f"it ended with {killed.code}: {killed.said}")
        again = stage.run(stage.plan(trials=_TRIALS, clock=-5 * _HOURS))
        cell.expect(again.code == 0, f"it ended with {again.code}: {again.said}")
        cell.count(audit(stage.url, stage.folder, trials=_TRIALS), "a clock that jumps")
        cell.compare(sequence(stage.url), whole(1, _TRIALS), "a clock that jumps")
    return cell


def shared(stages: Stages) -> Cell:
    """Have two processes with clocks hours apart work together; the one that proposes is killed."""
    cell = Cell()
    with stages() as stage:
        driver = stage.start(stage.plan(trials=60, seconds=0.02, lease=1.0, clock=_HOURS))
        wait_until(lambda: stage.n_ended() > 4)
        worker = stage.start(stage.plan(role="work", seconds=0.02, lease=1.0, clock=-2 * _HOURS))
        time.sleep(0.6)
        cell.expect(driver.code is None, f"the driver ended with {driver.code}: {driver.said}")
        driver.kill()
        cell.expect(worker.wait() == 0, f"the worker ended with {worker.code}: {worker.said}")
        cell.count(audit(stage.url, stage.folder, trials=60), "clocks hours apart")
    return cell
