# SPDX-License-Identifier: Apache-2.0
"""Faults 2 and 10: kills at random moments of a long study, and a trial that kills its process each time."""

from __future__ import annotations

import random
import time
from typing import Any

from archloom.contracts import State
from archloom.store import Store
from benchmarks.crash.audit import audit, sequence
from benchmarks.crash.cells import Cell
from benchmarks.crash.stage import Actor, Stage
from benchmarks.crash.steps import Stages

__all__ = ["at_random", "deadly_in_process", "deadly_inline"]


def at_random(stages: Stages, n_kills: int, *, n_processes: int, processes: int = 0, seed: int = 0) -> Cell:
    """Kill one of some processes at random moments, and start it again each time.

    Args:
        stages: gives a fresh database.
        n_kills: how often.
        n_processes: that work on the study; the sequence of one alone is compared.
        processes: how many children evaluate for each of them.
        seed: of the moments and the victims.
    """
    cell, rng = Cell(), random.Random(seed)
    # Enough of them that the kills are over first.
    trials = 30 + (80 * n_kills if processes else 6 * n_kills * n_processes)
    seconds = 0.1 if processes else 0.01
    shared: dict[str, Any] = {"trials": trials, "seconds": seconds, "n_decisions": 8, "processes": processes}
    shared |= {"lease": 2.0, "batch": 3}
    with stages() as stage:
        stage.prepare()
        actors = [stage.start(stage.plan(role="any", **shared)) for _ in range(n_processes)]
        n_killed = 0
        while n_killed < n_kills:
            time.sleep(rng.uniform(0.03, 0.35) if not processes else rng.uniform(0.3, 2.0))
            i = rng.randrange(n_processes)
            if actors[i].code is not None:  # the study is done, or something is wrong
                break
            actors[i].kill()
            n_killed += 1
            actors[i] = stage.start(stage.plan(role="any", **shared))
        for actor in actors:
            cell.expect(actor.wait() == 0, f"the last one ended with {actor.code}: {actor.said}")
        cell.count(audit(stage.url, stage.folder, trials=trials), f"{n_killed} kills at random")
        cell.message = f"{n_killed} kills in {trials} trials"
        if n_processes == 1 and not processes:
            with Stage.sqlite() as other:
                other.run(other.plan(**shared | {"seconds": 0.0}))
                cell.compare(sequence(stage.url), sequence(other.url), f"{n_killed} kills at random")
    return cell


def deadly_in_process(stages: Stages, retries: int = 2) -> Cell:
    """Have a trial kill the child that evaluates it, each time; also the last of a budget."""
    cell = Cell()
    for number in (3, 9):
        with stages() as stage:
            actor = stage.run(stage.plan(trials=10, processes=2, deadly=number, retries=retries))
            cell.expect(actor.code == 0, f"the driver ended with {actor.code}: {actor.said}")
            _failed(stage, cell, number, retries)
    return cell


def deadly_inline(stages: Stages, retries: int = 2) -> Cell:
    """Have a trial kill the study's only process, each time."""
    cell = Cell()
    for number in (3, 9):
        with stages() as stage:
            actors: list[Actor] = []
            while not actors or (actors[-1].code != 0 and len(actors) < retries + 3):
                actors.append(stage.run(stage.plan(trials=10, deadly=number, retries=retries)))
            codes = [actor.code for actor in actors]
            cell.expect(
                codes == [-9] * (retries + 1) + [0], f"the runs ended with {codes}: {actors[-1].said}"
            )
            _failed(stage, cell, number, retries)
    return cell


def _failed(stage: Stage, cell: Cell, number: int, retries: int) -> None:
    with Store(stage.url) as store:
        trial = store.trial(store.study("study").id or 0, number)
    file = stage.folder / "evaluated"
    n = sum(line.startswith(f"{number} ") for line in file.read_text(encoding="utf-8").splitlines())
    cell.expect(trial.state == State.FAIL, f"trial {number} is {trial.state}")
    cell.expect(n == retries + 1, f"trial {number} was tried {n} times")
    cell.count(audit(stage.url, stage.folder, trials=10), "a deadly trial")
    cell.message = f"FAIL after {n} tries: “{trial.reason}”"
