# SPDX-License-Identifier: Apache-2.0
"""Many processes on one SQLite file: how many trials a second they finish together, and whether all is right.

``python -m benchmarks.store_processes SIDE FILE PROCESSES SIZE`` opens one study in so many processes, lets
them go at the same moment, and prints what the file holds when they have ended. A trial has ten decisions,
a function that costs nothing, and five reports. Optuna's processes each call ``study.optimize`` with its
cheapest sampler until ``SIZE`` seconds have passed (the trials of a budget shared between processes would be
overshot); ours share a budget of ``SIZE`` trials: the first process runs the study, the others join it.
The figure is that of the middle 80 % of the trials by their times of finishing, so that starting and
stopping do not count.
"""

from __future__ import annotations

import json
import multiprocessing
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import warnings
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from datetime import datetime
from multiprocessing.context import ForkContext
from pathlib import Path
from queue import Empty
from typing import Any

from benchmarks.store_problem import CANDIDATES
from benchmarks.store_words import table, times, verdict

__all__ = ["measure"]

N_PROCESSES = (1, 4, 16, 32)
N_ROUNDS = 3
N_REPORTS = 5
N_TRIALS = 2_000
SECONDS = 12
PATIENCE = 120
WANTED = {16: 10.0, 32: 10.0}

Answer = dict[str, Any]


def measure() -> list[str]:
    """Run both sides in turn for each number of processes."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for n in N_PROCESSES:
            ours: list[Answer] = []
            theirs: list[Answer] = []
            for i in range(N_ROUNDS):
                ours.append(_answer("ours", Path(folder) / f"ours-{n}-{i}.db", n, N_TRIALS))
                theirs.append(_answer("optuna", Path(folder) / f"optuna-{n}-{i}.db", n, SECONDS))
            rows.append(_row(n, ours, theirs))
    head = ["processes", "ours", "Optuna", "times as fast (quartiles)", "wanted"]
    told = (
        f"Checked: {N_TRIALS:,} trials COMPLETE of ours, numbers without a gap, each evaluated once, five "
        "steps each, no process with an error. What was proposed ahead for other workers may be left WAITING."
    )
    return [*table([*head, "ours, checked", "Optuna's, checked", "ours left WAITING"], rows), "", told]


def _answer(side: str, path: Path, n: int, size: int) -> Answer:
    command = [sys.executable, "-m", "benchmarks.store_processes", side, str(path), str(n), str(size)]
    answer: Answer = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
    return answer


def _row(n: int, ours: Sequence[Answer], theirs: Sequence[Answer]) -> list[str]:
    mine, others = [[each["rate"] for each in answers] for answers in (ours, theirs)]
    ratios = [a / b for a, b in zip(mine, others, strict=True)]
    wanted = WANTED.get(n)
    is_met = wanted is not None and statistics.median(ratios) >= wanted
    return [
        str(n),
        f"{statistics.median(mine):,.0f}/s",
        f"{statistics.median(others):.3g}/s",
        times([1 / rate for rate in mine], [1 / rate for rate in others]),
        "" if wanted is None else verdict(is_met, f"{wanted:g}"),
        "; ".join(sorted({each["found"] for each in ours})),
        "; ".join(sorted({each["found"] for each in theirs})),
        f"{max(each['waiting'] for each in ours)} at most",
    ]


# ---------------------------------------------------------------- one run of one side


class Gate:
    """Lets the processes of a run go together: all when all are ready, or the others after the first."""

    def __init__(self, context: ForkContext, n: int):
        self._all, self._first = context.Barrier(n), context.Event()

    def wait(self) -> None:
        """Wait until every process is ready."""
        self._all.wait(PATIENCE)

    def wait_for_first(self) -> None:
        """Wait until the first process has begun its first trial."""
        self._first.wait(PATIENCE)

    def open(self, *_: object) -> None:
        """Say that it has; a callback of a study."""
        self._first.set()


def together(work: Callable[[int, Gate, list[int]], None], n: int) -> tuple[list[int], int]:
    """Work in ``n`` processes; return all that they evaluated, and how many processes failed."""
    context = multiprocessing.get_context("fork")
    gate, queue = Gate(context, n), context.Queue()

    def child(rank: int) -> None:
        evaluated: list[int] = []
        try:
            work(rank, gate, evaluated)
        except Exception as error:
            sys.exit(f"process {rank} of {n} failed: {type(error).__name__}: {error}")
        finally:
            queue.put(evaluated)

    processes = [context.Process(target=child, args=(rank,)) for rank in range(n)]
    for process in processes:
        process.start()
    evaluated: list[int] = []
    with suppress(Empty):
        for _ in processes:
            evaluated += queue.get(timeout=PATIENCE)
    for process in processes:
        process.join(10)
        process.kill()
        process.join()
    return evaluated, sum(process.exitcode != 0 for process in processes)


def optuna_side(path: Path, n: int, size: int) -> Answer:
    """Let Optuna's processes optimize for ``size`` seconds."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    warnings.simplefilter("ignore")
    url = f"sqlite:///{path}"
    optuna.create_study(study_name="study", storage=url, direction="maximize")

    def work(rank: int, gate: Gate, evaluated: list[int]) -> None:
        def objective(trial: optuna.Trial) -> float:
            evaluated.append(trial.number)
            choices = [trial.suggest_categorical(name, labels) for name, labels in CANDIDATES.items()]
            for step in range(N_REPORTS):
                trial.report(float(step), step)
            return len("".join(choices)) / 100

        study = optuna.load_study(
            study_name="study", storage=url, sampler=optuna.samplers.RandomSampler(seed=rank)
        )
        gate.wait()
        study.optimize(objective, timeout=size)

    evaluated, n_failed = together(work, n)
    query = "SELECT number, state, datetime_complete FROM trials ORDER BY number"
    steps = "SELECT count(*) FROM trial_intermediate_values"
    return _read(path, query, steps, evaluated, n_failed, None)


def our_side(path: Path, n: int, size: int) -> Answer:
    """Let our processes share ``size`` trials."""
    from archloom import Study
    from archloom.contracts import Trial
    from archloom.objectives import Directions
    from archloom.search_spaces import Architecture
    from archloom.strategies import RandomSearch
    from benchmarks.store_problem import space

    searched = space()

    def opened(evaluate: Callable[..., Any]) -> Study:
        objectives: Directions = {"accuracy": "maximize"}
        return Study(searched, RandomSearch(), evaluate, objectives, store=path, resume=True)

    opened(lambda architecture: 0.0).store.close()

    def work(rank: int, gate: Gate, evaluated: list[int]) -> None:
        def evaluate(architecture: Architecture, trial: Trial) -> dict[str, float]:
            evaluated.append(trial.number)
            for step in range(N_REPORTS):
                trial.report(step, {"accuracy": float(step)})
            return {"accuracy": len("".join(map(str, architecture.choices.values()))) / 100}

        study = opened(evaluate)
        gate.wait()
        if rank == 0:
            study.run(trials=size, callbacks=[gate.open])
        else:
            gate.wait_for_first()
            study.work()

    evaluated, n_failed = together(work, n)
    query = "SELECT number, state, finished_at FROM trials ORDER BY number"
    steps = "SELECT count(*) FROM curves"
    return _read(path, query, steps, evaluated, n_failed, size)


def _read(
    path: Path, query: str, steps: str, evaluated: Sequence[int], n_failed: int, size: int | None
) -> Answer:
    """Return the speed, and what is wrong in the file."""
    with closing(sqlite3.connect(path)) as connection:
        trials = connection.execute(query).fetchall()
        ((n_steps,),) = connection.execute(steps).fetchall()
    done = [number for number, state, _ in trials if state == "COMPLETE"]
    n_waiting = sum(state == "WAITING" for _, state, _ in trials)
    ended = sorted(datetime.fromisoformat(at).timestamp() for _, state, at in trials if state == "COMPLETE")
    first, last = len(ended) // 10, len(ended) * 9 // 10
    wrong = {
        "processes failed": n_failed,
        "trials too few or too many": 0 if size is None else abs(len(done) - size),
        "trials left RUNNING or failed": len(trials) - len(done) - n_waiting,
        "gaps in the numbers": [number for number, *_ in trials] != list(range(len(trials))),
        "evaluated twice": sum(count > 1 for count in Counter(evaluated).values()),
        "finished and not evaluated": len(set(done) - set(evaluated)),
        "steps lost or doubled": abs(n_steps - N_REPORTS * len(done)),
    }
    words = [f"{int(n)} {what}" for what, n in wrong.items() if n]
    return {
        "rate": (last - first) / (ended[last] - ended[first]),
        "n": len(done),
        "found": ", ".join(words) or "all right",
        "waiting": n_waiting,
    }


if __name__ == "__main__":
    side, file, n_processes, size = sys.argv[1:]
    run = {"optuna": optuna_side, "ours": our_side}[side]
    print(json.dumps(run(Path(file), int(n_processes), int(size))))
