# SPDX-License-Identifier: Apache-2.0
"""Whether a study stays as fast and as small as it grows, and how long the command line takes."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from archloom import config
from benchmarks.engine_trials import prepared

__all__ = ["command_line", "growth"]

SEARCH = str(Path(sys.executable).with_name("search"))
MARKS = (1_000, 10_000, 100_000)


def growth(marks: Sequence[int] = MARKS, n: int = 1_000) -> list[str]:
    """Run one durable study to the last mark; return its speed and memory around each as a table."""
    lines = ["| recorded trials | trials a second | of the first | memory, MB |", "|---|---|---|---|"]
    with prepared() as (folder, _):
        store = f"sqlite:///{folder / 'growth.db'}?synchronous=normal"
        changes = [f"store={store}", f"evaluator.path={folder / 'table.csv'}"]
        study = config.load(folder / "engine.yaml", changes).study()
        first = 0.0
        with study.store:
            for mark in marks:
                study.run(trials=mark - n // 2)
                rates = []
                for step in range(5):
                    started = time.perf_counter()
                    study.run(trials=mark - n // 2 + (step + 1) * n // 5)
                    rates.append(n / 5 / (time.perf_counter() - started))
                rate = statistics.median(rates)
                first = first or rate
                lines.append(f"| {mark:,} | {rate:,.0f} | {rate / first:.2f} | {resident_mb():.1f} |")
    return lines


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
