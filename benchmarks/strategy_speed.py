# SPDX-License-Identifier: Apache-2.0
"""How fast strategies learn and propose, and what they remember: ``python -m benchmarks.strategy_speed``.

Each comparison runs both sides in turn with one thread; the ratio is the median over the pairs. torchgfn is
compared with where it is installed (``pip install torchgfn``).
"""

from __future__ import annotations

import argparse
import os
import platform
from collections.abc import Callable
from datetime import date
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import torch

import archloom
from archloom.strategies.numerics import one_thread
from benchmarks import (
    strategy_speed_memory,
    strategy_speed_peers,
    strategy_speed_proposals,
    strategy_speed_torchgfn,
)
from benchmarks.measuring import table

SECTIONS: dict[str, Callable[[], list[str]]] = {
    "Learning": lambda: table([*strategy_speed_peers.measure(), *strategy_speed_torchgfn.measure()]),
    "Policies, in batches of 512": strategy_speed_proposals.policies,
    "Evolution, one by one": lambda: table(strategy_speed_proposals.evolution()),
    "After 10,000 observations": strategy_speed_memory.memory,
}
NOTES = {
    "Learning": strategy_speed_peers,
    "Evolution, one by one": strategy_speed_proposals,
    "After 10,000 observations": strategy_speed_memory,
}


def main() -> None:
    """Measure what is asked for, and write the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.strategy_speed", description=__doc__)
    parser.add_argument("--only", choices=SECTIONS, help="one section, printed and not kept")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results" / "strategy_speed.md")
    args = parser.parse_args()
    lines = _head()
    for title, measure in SECTIONS.items():
        if args.only not in (None, title):
            continue
        lines += ["", f"## {title}", ""]
        if title in NOTES:
            lines += [_note(NOTES[title].__doc__ or ""), ""]
        with one_thread():
            found = measure()
        lines += found
        print(f"{title}\n", *found, sep="\n", flush=True)
        if args.only is None:
            args.out.write_text("\n".join(lines) + "\n", encoding="utf-8")
    if args.only is None:
        print(f"written to {args.out}")


def _head() -> list[str]:
    peers = ", ".join(f"{name} {_version(name)}" for name in ("numpy", "pyglove", "optuna", "torchgfn"))
    return [
        "# The speed and the memory of strategies",
        "",
        f"{date.today()}, archloom {archloom.__version__}, Python {platform.python_version()}, "
        f"torch {torch.__version__}, {peers}; {os.cpu_count()} cores, one thread, load "
        f"{os.getloadavg()[0]:.1f} at the start. `python -m benchmarks.strategy_speed`.",
        "",
        "Both sides of each row ran in turn in the same process; the ratio is the median over the pairs, by "
        "speed, above 1 where we are faster.",
    ]


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"


def _note(text: str) -> str:
    """Return what a part's head says of how it measures, as one line."""
    return " ".join(" ".join(text.split("\n\n")[1:]).replace("``", "`").split())


if __name__ == "__main__":
    main()
