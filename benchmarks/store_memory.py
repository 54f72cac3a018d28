# SPDX-License-Identifier: Apache-2.0
"""Whether a study of 100,000 trials keeps its memory: one process a strategy, looked at every 1,000 trials.

``python -m benchmarks.store_memory STRATEGY N`` is such a process. The function is cheap, the store a file,
and the space so large that nearly every trial is a new architecture: what a study remembers of each it tried
is all there.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from archloom import Study
from archloom.search_spaces import Architecture
from archloom.strategies import STRATEGIES
from benchmarks.store_problem import space
from benchmarks.store_words import table, verdict

__all__ = ["measure"]

N = 100_000
STEP = 1_000
FLAT = 20
"""Bytes a trial: two megabytes in a hundred thousand trials."""
STRATEGY_NAMES = ("random", "regularized_evolution")


def measure(n: int = N) -> list[str]:
    """Run both strategies side by side; return the memory of each as a table."""
    commands = [[sys.executable, "-m", "benchmarks.store_memory", name, str(n)] for name in STRATEGY_NAMES]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE) for command in commands]
    answers = [process.communicate()[0] for process in running]
    rows = [_row(name, json.loads(text)) for name, text in zip(STRATEGY_NAMES, answers, strict=True)]
    marks = [STEP, n // 10, n // 2, n]
    head = [
        "strategy",
        *[f"MB at {mark:,}" for mark in marks],
        "bytes a trial after the first 1,000",
        "wanted",
    ]
    return table(head, rows)


def _row(name: str, resident: Sequence[int]) -> list[str]:
    n = len(resident)
    shown = [resident[mark - 1] for mark in (1, max(1, n // 10), n // 2, n)]
    slope = float(np.polyfit(np.arange(n), resident, 1)[0]) / STEP
    return [
        name,
        *[f"{size / 1e6:.1f}" for size in shown],
        f"{slope:.0f}",
        verdict(slope < FLAT, f"below {FLAT}"),
    ]


def resident() -> int:
    """Return the bytes of memory that this process holds now."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


def run(name: str, n: int) -> list[int]:
    """Run a study of ``n`` trials; return the memory at each thousandth."""
    seen: list[int] = []

    def look(study: Any, trial: Any) -> None:
        if trial.state.is_finished and (trial.number + 1) % STEP == 0:
            seen.append(resident())

    def evaluate(architecture: Architecture) -> dict[str, float]:
        return {"accuracy": len(architecture.text) / 300}

    with tempfile.TemporaryDirectory() as folder:
        study = Study(
            space(),
            STRATEGIES.get(name)(),
            evaluate,
            {"accuracy": "maximize"},
            store=f"sqlite:///{folder}/study.db?synchronous=normal",
        )
        with study.store:
            study.run(trials=n, count="proposals", callbacks=[look])
    return seen


if __name__ == "__main__":
    print(json.dumps(run(sys.argv[1], int(sys.argv[2]))))
