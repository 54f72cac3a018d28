# SPDX-License-Identifier: Apache-2.0
"""What is left of a search that was stopped, killed or recovered: ours beside Optuna's and PyGlove's.

``python -m benchmarks.peers_resume`` prints a table an experiment. Every run is a process of its own, and
a killed one dies by SIGKILL in the middle of a trial. The programs are in ``peers_programs``.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from archloom.testing.quick import asked

__all__ = ["measure"]

Trials = list[dict[str, Any]]
SIDE = "6x5"
SAMPLERS = ("TPESampler", "RandomSampler")
ALGORITHMS = ("Random", "regularized_evolution", "hill_climb")


def program(folder: Path, name: str, *words: str | int) -> list[str]:
    """Return the command of one of the programs, at work in a folder."""
    folder.mkdir(exist_ok=True)
    command = [sys.executable, "-m", "benchmarks.peers_programs", name, str(folder)]
    return command + [str(word) for word in words]


def answer(folder: Path, name: str, *words: str | int) -> Any:
    """Run a program to its end and return what it prints."""
    command = program(folder, name, *words)
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)


def killed(folder: Path, name: str, *words: str | int) -> None:
    """Run a program until it leaves its mark in the middle of a trial, and kill it there."""
    started = subprocess.Popen(program(folder, name, *words), stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while not (folder / "mark").exists():
        if started.poll() is not None or time.monotonic() > deadline:
            started.kill()
            raise RuntimeError(f"{name} did not reach the trial that it was to be killed in")
        time.sleep(0.02)
    started.send_signal(signal.SIGKILL)
    started.wait()


def measure() -> list[str]:
    """Return every experiment as a heading, what was done, and a table; about a minute and a half."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        lines: list[str] = []
        for title, told, head, rows in (
            ("Stopped and resumed with the same seed", SEEDED, SEEDED_HEAD, list(seeded(folder))),
            ("Killed in mid-trial, then continued", KILLED, KILLED_HEAD, list(killing(folder))),
            ("A new strategy given the history", RECOVERED, RECOVERED_HEAD, list(recovering(folder))),
            ("Repeats in a finite space", REPEATS, REPEATS_HEAD, list(repeats(folder))),
        ):
            lines += ["", f"### {title}", "", told, "", *_table(head, rows)]
    return lines[1:]


def _table(head: Sequence[str], rows: Sequence[Sequence[Any]]) -> list[str]:
    lines = [f"| {' | '.join(head)} |", "|" + "---|" * len(head)]
    return lines + [f"| {' | '.join(str(cell) for cell in row)} |" for row in rows]


def _each(work: Any, items: Sequence[Any]) -> Iterator[Any]:
    """Do the work for each item, two at a time: a run is mostly the start of Python."""
    with ThreadPoolExecutor(2) as threads:
        yield from threads.map(lambda item: work(*item), items)


# ---------------------------------------------------------------- the same seed, 40 or 20 and 20

SEEDED = (
    "Forty trials in one go, and twenty followed by twenty of a new process with the same seed, on SQLite, "
    "in a space of 15,625. Counted: how many of the second twenty are those of the uninterrupted run, and "
    "how many the stopped run had proposed before."
)
SEEDED_HEAD = ("who", "agree with the uninterrupted run", "proposed again")


def seeded(folder: Path) -> Iterator[tuple[str, str, str]]:
    """Yield a row for each sampler of Optuna's and each strategy of ours."""
    yield from _each(_seeded, [(folder, "optunas", name) for name in SAMPLERS])
    yield from _each(_seeded, [(folder, "ours", name) for name in asked()])


def _seeded(folder: Path, whose: str, name: str) -> tuple[str, str, str]:
    first, second = (20, 40) if whose == "ours" else (20, 20)
    whole = _points(answer(folder / f"whole-{whose}-{name}", whose, name, 40, SIDE))
    again = folder / f"parts-{whose}-{name}"
    before = _points(answer(again, whose, name, first, SIDE))
    after = _points(answer(again, whose, name, second, SIDE))
    n_before = len(before)
    pairs = list(zip(whole[n_before:], after[n_before:], strict=False))
    n_same = sum(a == b for a, b in pairs)
    n_again = sum(point in before for point in after[n_before:])
    n_new = len(after) - n_before
    return _who(whose, name), f"{n_same} of {len(whole) - n_before}", f"{n_again} of {n_new}"


def _who(whose: str, name: str) -> str:
    owner = {"ours": "archloom", "our_proposals": "archloom", "optunas": "Optuna", "pygloves": "PyGlove"}
    return f"{owner[whose]} {name}"


def _points(trials: Trials) -> list[list[str]]:
    return [trial["point"] for trial in trials]


# ---------------------------------------------------------------- SIGKILL

KILLED = (
    "Ten trials are asked for; the process dies by SIGKILL in the middle of trial 3. Then the same program "
    "is started again, with each library's defaults."
)
KILLED_HEAD = ("who", "trial 3 after the kill", "trial 3 at the end", "states at the end", "as never killed")


def killing(folder: Path) -> Iterator[tuple[str, ...]]:
    """Yield a row for Optuna and one for each strategy of ours."""
    yield from _each(_killing, [(folder, "optunas", "RandomSampler"), (folder, "optunas", "TPESampler")])
    yield from _each(_killing, [(folder, "ours", name) for name in asked()])


def _killing(folder: Path, whose: str, name: str) -> tuple[str, ...]:
    place = folder / f"killed-{whose}-{name}"
    killed(place, whose, name, 10, SIDE, 3)
    left = _state_in(place / "study.db", whose)
    # Optuna counts the trials of this call: ten in all are six more than were finished or begun.
    trials = answer(place, whose, name, 10 if whose == "ours" else 6, SIDE)
    whole = answer(folder / f"unkilled-{whose}-{name}", whose, name, 10, SIDE)
    states = [trial["state"] for trial in trials]
    counted = ", ".join(f"{states.count(state)} {state}" for state in sorted(set(states)))
    n_same = sum(a == b for a, b in zip(trials, whole, strict=False))
    return _who(whose, name), left, states[3], counted, f"{n_same} of {len(whole)} trials"


def _state_in(path: Path, whose: str) -> str:
    """Read the state of trial 3 as it lies in the file, before anybody opens it again."""
    import sqlite3

    connection = sqlite3.connect(path)
    try:
        (state,) = connection.execute("SELECT state FROM trials WHERE number = 3").fetchone()
    finally:
        connection.close()
    return str(state)


# ---------------------------------------------------------------- recover(history)

RECOVERED = (
    "Forty proposals of one strategy, each told its score, and twenty followed by twenty of a new one that "
    "was given the history by `recover`. Counted: how many of the second twenty are the uninterrupted ones."
)
RECOVERED_HEAD = ("who", "agree after recover")


def recovering(folder: Path) -> Iterator[tuple[str, str]]:
    """Yield a row for each algorithm of PyGlove's and each strategy of ours."""
    yield from _each(_recovering, [(folder, "pygloves", name) for name in ALGORITHMS])
    yield from _each(_recovering, [(folder, "our_proposals", name) for name in asked()])


def _recovering(folder: Path, whose: str, name: str) -> tuple[str, str]:
    whole = answer(folder / f"all-{whose}-{name}", whose, name, 40, SIDE)
    half = folder / f"half-{whose}-{name}"
    answer(half, whose, name, 20, SIDE)
    parts = answer(half, whose, name, 20, SIDE)
    n_same = sum(a == b for a, b in zip(whole[20:], parts[20:], strict=True))
    return _who(whose, name), f"{n_same} of 20"


# ---------------------------------------------------------------- repeats

REPEATS = (
    "How many architectures are really evaluated when 25 trials are asked for in a space of 25, and 300 in "
    "one of 15,625. What Optuna's evaluates again costs its full price again; ours serves a repeat from the "
    "store and goes on until the budget of evaluations is spent."
)
REPEATS_HEAD = ("who", "evaluations, space of 25", "of them distinct", "evaluations, 15,625", "distinct")


def repeats(folder: Path) -> Iterator[tuple[str, ...]]:
    """Yield a row for Optuna's default sampler and one for each strategy of ours."""
    yield from _each(_repeats, [(folder, "optunas", "TPESampler")])
    yield from _each(_repeats, [(folder, "ours", name) for name in asked()])


def _repeats(folder: Path, whose: str, name: str) -> tuple[str, ...]:
    counts: list[str] = []
    for side, n in (("2x5", 25), (SIDE, 300)):
        trials = answer(folder / f"repeats-{whose}-{name}-{side}", whose, name, n, side)
        evaluated = [str(t["point"]) for t in trials if not t.get("reused")]
        counts += [str(len(evaluated)), str(len(set(evaluated)))]
    return _who(whose, name), *counts


if __name__ == "__main__":
    print("\n".join(measure()))
