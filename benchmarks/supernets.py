# SPDX-License-Identifier: Apache-2.0
"""What supernets are worth: ranking, sums of paths, nested widths, what runs with what, speed and memory.

The truth of the rankings is kept as tables, which take an hour to make anew: delete them for that. Each part
is kept in a file of its own, so that one can be run again. Needs ``archloom[digits]``; the part
``fashion_mnist`` needs ARCHLOOM_DATA.
"""

from __future__ import annotations

import argparse
import os
import platform
from collections.abc import Callable
from datetime import date
from functools import partial
from pathlib import Path

import torch

import archloom
from benchmarks.supernets_matrix import matrix
from benchmarks.supernets_nested import nested
from benchmarks.supernets_ranking import ranking
from benchmarks.supernets_speed import speed
from benchmarks.supernets_sums import sums

RESULTS = Path(__file__).parent / "results"
PARTS: dict[str, Callable[[], list[str]]] = {
    "digits": partial(ranking, "digits"),
    "fashion_mnist": partial(ranking, "fashion_mnist"),
    "sums": sums,
    "nested": nested,
    "matrix": matrix,
    "speed": speed,
}


def main() -> None:
    """Run the parts, and put them together."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.supernets", description=__doc__)
    parser.add_argument("--parts", nargs="*", choices=sorted(PARTS), default=list(PARTS))
    args = parser.parse_args()
    torch.set_num_threads(1)
    folder = RESULTS / "supernets"
    folder.mkdir(parents=True, exist_ok=True)
    for part in args.parts:
        lines = PARTS[part]()
        lines.insert(2, f"{date.today()}, {_versions()}. `python -m benchmarks.supernets --parts {part}`.\n")
        (folder / f"{part}.md").write_text("\n".join(lines), encoding="utf-8")
    there = [folder / f"{part}.md" for part in PARTS if (folder / f"{part}.md").exists()]
    text = "\n".join(["# Supernets", "", *(file.read_text(encoding="utf-8") for file in there)])
    (RESULTS / "supernets.md").write_text(text.rstrip() + "\n", encoding="utf-8")
    print(f"written to {RESULTS / 'supernets.md'}")


def _versions() -> str:
    return (
        f"archloom {archloom.__version__}, torch {torch.__version__}, Python {platform.python_version()}; "
        f"{os.cpu_count()} cores, one thread"
    )


if __name__ == "__main__":
    main()
