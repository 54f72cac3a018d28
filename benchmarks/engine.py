# SPDX-License-Identifier: Apache-2.0
"""How fast the engine is, beside its peers in the same run: `make bench-engine`.

Each comparison runs both sides in turn; the ratio is the median over the pairs. Fashion-MNIST needs
ARCHLOOM_DATA.
"""

from __future__ import annotations

import argparse
import os
import platform
from collections.abc import Callable
from datetime import date
from pathlib import Path

import numpy as np
import optuna
import pyglove as pg
import torch

import archloom
from benchmarks import engine_arrays, engine_growth, engine_training, engine_trials
from benchmarks.measuring import table

SECTIONS: dict[str, Callable[[], list[str]]] = {
    "Trials a second": lambda: table(engine_trials.measure()),
    "Random architectures a second": lambda: table(engine_arrays.measure()),
    "A study that grows": engine_growth.growth,
    "The command line": engine_growth.command_line,
    "Epochs a second": lambda: table(engine_training.measure()),
}


def main() -> None:
    """Measure what is asked for, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=SECTIONS, help="one section, printed and not kept")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results" / "engine.md")
    args = parser.parse_args()
    lines = [
        "# The engine",
        "",
        f"{date.today()}, archloom {archloom.__version__}, Python {platform.python_version()}, "
        f"numpy {np.__version__}, torch {torch.__version__}, Optuna {optuna.__version__}, "
        f"PyGlove {pg.__version__}; {os.cpu_count()} cores. `make bench-engine`.",
        "",
        "Both sides of each row ran in turn in the same process; the ratio is the median over the pairs, by "
        "speed, above 1 where we are faster. The heads of `benchmarks/engine_*.py` say what each side does.",
    ]
    for title, measure in SECTIONS.items():
        if args.only in (None, title):
            lines += ["", f"## {title}", "", *measure()]
            print("\n".join(lines[-8:]), flush=True)
    if args.only is None:
        args.out.write_text("\n".join(lines) + "\n", encoding="utf-8")
        print(f"written to {args.out}")


if __name__ == "__main__":
    main()
