# SPDX-License-Identifier: Apache-2.0
"""What differentiable search derives, and what its steps take: `make bench-differentiable`.

Each part is kept in a file of its own, so that one can be run again. The part ``cells`` needs ARCHLOOM_DATA.
"""

from __future__ import annotations

import argparse
import os
import platform
from collections.abc import Callable
from datetime import date
from pathlib import Path

import torch

import archloom
from benchmarks.differentiable_cells import cells
from benchmarks.differentiable_speed import speed

RESULTS = Path(__file__).parent / "results"
PARTS: dict[str, Callable[[], list[str]]] = {"cells": cells, "speed": speed}


def main() -> None:
    """Run the parts, and put them together."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.differentiable", description=__doc__)
    parser.add_argument("--parts", nargs="*", choices=sorted(PARTS), default=list(PARTS))
    args = parser.parse_args()
    folder = RESULTS / "differentiable"
    folder.mkdir(parents=True, exist_ok=True)
    for part in args.parts:
        lines = PARTS[part]()
        told = f"`python -m benchmarks.differentiable --parts {part}`"
        lines.insert(2, f"{date.today()}, {_versions()}. {told}.\n")
        (folder / f"{part}.md").write_text("\n".join(lines), encoding="utf-8")
    there = [folder / f"{part}.md" for part in PARTS if (folder / f"{part}.md").exists()]
    text = "\n".join(["# Differentiable search", "", *(file.read_text(encoding="utf-8") for file in there)])
    (RESULTS / "differentiable.md").write_text(text.rstrip() + "\n", encoding="utf-8")
    print(f"written to {RESULTS / 'differentiable.md'}")


def _versions() -> str:
    return (
        f"archloom {archloom.__version__}, torch {torch.__version__}, Python {platform.python_version()}; "
        f"{os.cpu_count()} cores"
    )


if __name__ == "__main__":
    main()
