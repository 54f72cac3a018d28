# SPDX-License-Identifier: Apache-2.0
"""How the store holds out: size, a million trials, memory, many processes; and peers after a stop or a kill.

`make bench-store` measures all of it and writes ``results/store.md``; ``--only`` picks sections.
"""

from __future__ import annotations

import argparse
import os
import platform
import sqlite3
import tempfile
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path

import optuna
import pyglove as pg

import archloom
from benchmarks import peers_resume, store_memory, store_processes, store_reading, store_size
from benchmarks.store_files import Files

SECTIONS: dict[str, tuple[str, Callable[[Files], list[str]]]] = {
    "size": ("Bytes a trial", store_size.measure),
    "reading": ("A million trials", store_reading.large),
    "optuna": ("Ten thousand trials, beside Optuna", store_reading.beside_optuna),
    "memory": ("Memory of a study of 100,000 trials", lambda files: store_memory.measure()),
    "processes": ("Many processes on one SQLite file", lambda files: store_processes.measure()),
    "peers": ("After a stop, a kill, a recovery", lambda files: peers_resume.measure()),
}


def main() -> None:
    """Measure what is asked for, and write the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="+", choices=SECTIONS, help="sections, printed and not kept")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results" / "store.md")
    parser.add_argument("--folder", type=Path, help="keep the databases here, and use those that are there")
    args = parser.parse_args()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    with tempfile.TemporaryDirectory() as temporary:
        files = Files(args.folder or Path(temporary))
        files.folder.mkdir(parents=True, exist_ok=True)
        lines = head()
        for name, (title, measure) in SECTIONS.items():
            if args.only is None or name in args.only:
                lines += section(title, measure, files)
    if args.only is None:
        args.out.write_text("\n".join(lines) + "\n", encoding="utf-8")
        print(f"written to {args.out}")


def section(title: str, measure: Callable[[Files], list[str]], files: Files) -> list[str]:
    """Measure a section, print it, and return its lines."""
    started = time.perf_counter()
    lines = ["", f"## {title}", "", *measure(files)]
    print("\n".join(lines), f"\n({time.perf_counter() - started:.0f} s)", flush=True)
    return lines


def head() -> list[str]:
    """Return what stands above the tables."""
    return [
        "# The store",
        "",
        f"{date.today()}, archloom {archloom.__version__}, Python {platform.python_version()}, SQLite "
        f"{sqlite3.sqlite_version}, Optuna {optuna.__version__}, PyGlove {pg.__version__}; {os.cpu_count()} "
        "cores. `make bench-store`.",
        "",
        "Where a peer stands beside ours, both ran in turn on the same machine; a ratio is the median over "
        "the pairs, above 1 where we are faster. The heads of `benchmarks/store_*.py` and "
        "`benchmarks/peers_*.py` say what each side does.",
    ]


if __name__ == "__main__":
    main()
