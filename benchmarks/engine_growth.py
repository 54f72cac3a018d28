# SPDX-License-Identifier: Apache-2.0
"""Whether a study stays as fast and as small as it grows, and how long the command line takes."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import numpy as np

from archloom import Study, config
from benchmarks.engine_trials import prepared

__all__ = ["command_line", "growth"]

SEARCH = str(Path(sys.executable).with_name("search"))
MARKS = (1_000, 10_000, 100_000)


def growth(marks: Sequence[int] = MARKS, n: int = 100, n_rounds: int = 15) -> list[str]:
    """Grow a durable study to each mark, then time them in turn; return speed and memory as a table."""
    lines = ["| recorded trials | trials a second | of the first, in turn | memory when it was reached, MB |"]
    lines.append("|---|---|---|---|")
    with prepared() as (folder, _), ExitStack() as open_stores:
        studies: list[Study] = []
        for mark in reversed(marks):  # the largest first, whose memory is looked at on the way
            store = f"sqlite:///{folder / str(mark)}.db?synchronous=normal"
            changes = [f"store={store}", f"evaluator.path={folder / 'table.csv'}"]
            study = config.load(folder / "engine.yaml", changes).study()
            open_stores.enter_context(study.store)
            if not studies:
                memory = [_grown(study, step) for step in marks]
            studies.insert(0, study.run(trials=mark))
        seconds = np.array([[_more(study, n) for study in studies] for _ in range(n_rounds)])
    for i, mark in enumerate(marks):
        share = np.median(seconds[:, 0] / seconds[:, i])
        lines.append(f"| {mark:,} | {n / np.median(seconds[:, i]):,.0f} | {share:.2f} | {memory[i]:.1f} |")
    return lines


def _grown(study: Study, n: int) -> float:
    """Run a study to ``n`` trials; return the megabytes that the process then holds."""
    study.run(trials=n)
    return resident_mb()


def _more(study: Study, n: int) -> float:
    """Return the seconds that ``n`` more trials take."""
    started = time.perf_counter()
    study.run(trials=study.n_evaluations + n)
    return time.perf_counter() - started


def resident_mb() -> float:
    """Return the megabytes of memory this process holds now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096 / 1e6


def command_line(n_runs: int = 9) -> list[str]:
    """Time ``search --help`` beside the import of typer, and ``search best`` on a study of 1,000 trials."""
    with prepared() as (folder, _):
        subprocess.run(
            [SEARCH, "run", "engine.yaml", "store=sqlite:///e.db", "--quiet"],
            cwd=folder,
            check=True,
            stdout=subprocess.DEVNULL,
        )
        commands = {
            "python -c 'import typer'": [sys.executable, "-c", "import typer"],
            "search --help": [SEARCH, "--help"],
            "search best, 1,000 trials": [SEARCH, "best", "engine", "--store", "sqlite:///e.db"],
        }
        times: dict[str, list[float]] = {name: [] for name in commands}
        for _ in range(n_runs):
            for name, words in commands.items():
                started = time.perf_counter()
                subprocess.run(words, cwd=folder, check=True, stdout=subprocess.DEVNULL)
                times[name].append(time.perf_counter() - started)
    lines = ["| command | seconds | times `import typer` |", "|---|---|---|"]
    base = times["python -c 'import typer'"]
    for name, seconds in times.items():
        ratio = statistics.median(a / b for a, b in zip(seconds, base, strict=True))
        spread = f"{min(seconds):.2f} to {max(seconds):.2f}"
        lines.append(f"| `{name}` | {statistics.median(seconds):.2f} ({spread}) | {ratio:.2f} |")
    return lines
