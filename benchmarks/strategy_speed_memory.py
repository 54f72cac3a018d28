# SPDX-License-Identifier: Apache-2.0
"""What 10,000 observations cost each registered strategy: memory, one more proposal, and recovery.

Each figure is from fresh processes. A strategy meets NAS-Bench-201, is told of 10,000 random architectures in
batches of 100 with a smooth score, and is asked for one proposal, number 10,000, and for one more; what it
learns lazily it learns in the first. A new strategy is then given the same history at once to ``recover``.
One process counts what Python allocates at its peak (``tracemalloc``); the other, whose seconds count, by how
much its largest resident set grows after a first proposal, what is imported only for learning included.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np

from archloom.contracts import Finished, Genotypes, Objective, Strategy
from archloom.search_spaces.nasbench201 import nasbench201
from archloom.strategies import STRATEGIES
from archloom.testing.quick import asked
from benchmarks.strategy_speed_words import finished, worth

__all__ = ["memory"]

N, AT_ONCE = 10_000, 100
OPTIONS: dict[str, dict[str, Any]] = {
    "op_gfn": {"n_steps": 1, "restart_steps": 1},
    "mogfn_pc": {"n_steps": 1, "restart_steps": 1},
}
"""Of those whose training is left out: one step a round."""
OF_ITS_OWN = {"hybrid_flow"}
"""Those whose stages are made of their own proposals: they are given these by ``recover`` instead of told."""
ROOT = Path(__file__).resolve().parents[1]


def memory(names: list[str] | None = None, limit: float = 600.0) -> list[str]:
    """Measure every strategy in processes of its own; return a table."""
    lines = [
        "| strategy | peak, MiB | resident, MiB | tell 100: first, last, ms | ask(1), next, s | recover, s |",
        "|---|---|---|---|---|---|",
    ]
    for name in names or asked():
        try:
            traced, timed = (_in_process(name, mode, limit) for mode in ("traced", "timed"))
        except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
            reason = f"more than {limit:g} s" if isinstance(error, subprocess.TimeoutExpired) else "failed"
            lines.append(f"| {_label(name)} | {reason} | | | | |")
            continue
        lines.append(
            f"| {_label(name)} | {traced['mib']:.1f} | {timed['mib']:.0f} | {timed['first_ms']:.2f}, "
            f"{timed['last_ms']:.2f} | {timed['ask']:.3f}, {timed['next']:.3f} | {timed['recover']:.2f} |"
        )
        print(lines[-1], flush=True)
    return lines


def _label(name: str) -> str:
    options = ", ".join(f"{option}={value}" for option, value in OPTIONS.get(name, {}).items())
    return f"{name}({options})" if options else name


def _in_process(name: str, mode: str, limit: float) -> dict[str, float]:
    command = [sys.executable, "-W", "ignore", "-m", "benchmarks.strategy_speed_memory", name, mode]
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True, timeout=limit)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def _made(name: str) -> Strategy:
    strategy: Strategy = STRATEGIES.get(name)(**OPTIONS.get(name, {}))
    strategy.setup(nasbench201(), [Objective("score")], 0)
    return strategy


def _resident() -> float:
    """Return the largest resident set so far, in MiB."""
    words = Path("/proc/self/status").read_text(encoding="utf-8").split()
    return int(words[words.index("VmHWM:") + 1]) / 1024


def _seconds(act: Any) -> float:
    started = time.perf_counter()
    act()
    return time.perf_counter() - started


def measured(name: str, *, is_traced: bool) -> dict[str, float]:
    """Measure one strategy in this process."""
    rows = nasbench201().sample(N, np.random.default_rng(0))
    values = worth(rows)[:, None]
    strategy = _made(name)
    strategy.ask(1)  # imports what it needs
    strategy = _made(name)
    if is_traced:
        tracemalloc.start()
    before = _resident()
    if name in OF_ITS_OWN:
        strategy.recover(rows, finished(rows, 0, values))
        tells = [float("nan")]
    else:
        tells = [_seconds(lambda i=i: strategy.tell(_part(rows, values, i))) for i in range(0, N, AT_ONCE)]
        strategy.n_asked = N
    asks = [_seconds(lambda: strategy.ask(1)) for _ in range(2)]
    mib = tracemalloc.get_traced_memory()[1] / 2**20 if is_traced else _resident() - before
    tracemalloc.stop()
    another = _made(name)
    recover = 0.0 if is_traced else _seconds(lambda: another.recover(rows, finished(rows, 0, values)))
    return {
        "mib": mib,
        "first_ms": 1e3 * float(np.median(tells[:10])),
        "last_ms": 1e3 * float(np.median(tells[-10:])),
        "ask": asks[0],
        "next": asks[1],
        "recover": recover,
    }


def _part(rows: Genotypes, values: Any, first: int) -> Finished:
    return finished(rows[first : first + AT_ONCE], first, values[first : first + AT_ONCE])


if __name__ == "__main__":
    print(json.dumps(measured(sys.argv[1], is_traced=sys.argv[2] == "traced")))
