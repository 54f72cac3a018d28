# SPDX-License-Identifier: Apache-2.0
"""The crash matrix: each fault on each database, as a table. `make crash-test`.

A cell reads: finished results lost / trials or architectures doubled / trials left RUNNING.
"""

from __future__ import annotations

import argparse
import os
import platform
import sqlite3
import sys
import time
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import archloom
from benchmarks.crash import resumed, rows
from benchmarks.crash.cells import Cell
from benchmarks.crash.stage import Stage
from benchmarks.crash.steps import Stages
from benchmarks.store_words import table

_DATABASES = ("SQLite", "PostgreSQL")


def main() -> int:
    """Run what is asked for; write the table where all of it was."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.crash", description=__doc__)
    parser.add_argument("--only", nargs="*", default=[], help="rows whose name holds one of these words")
    parser.add_argument("--database", choices=_DATABASES, help="one of them")
    parser.add_argument("--kills", type=int, default=200, help="at random moments")
    parser.add_argument("--quick", action="store_true", help="each fault once, or a few times")
    parser.add_argument(
        "--postgresql", default=os.environ.get("ARCHLOOM_TEST_POSTGRES"), help="URL of a server"
    )
    parser.add_argument("--out", type=Path, help="where the table is written")
    args = parser.parse_args()
    scale = rows.Scale(n_kills=args.kills, is_quick=args.quick)
    databases = {name: stages for name, stages in _stages(args.postgresql) if args.database in (None, name)}
    wanted = [word.lower() for word in args.only]
    troubles: list[str] = []
    lines = [
        *_matrix(databases, scale, wanted, troubles),
        "",
        *_agreement(databases, wanted, troubles, args.quick),
    ]
    for trouble in troubles:
        print(f"TROUBLE {trouble}", file=sys.stderr)
    if args.out:
        args.out.write_text("\n".join([*_head(args.kills), *lines]) + "\n", encoding="utf-8")
        print(f"written to {args.out}")
    return 1 if troubles else 0


def _stages(server: str | None) -> Iterator[tuple[str, Stages | None]]:
    yield "SQLite", Stage.sqlite
    yield "PostgreSQL", (lambda: Stage.postgresql(server)) if server else None


def _head(n_kills: int) -> list[str]:
    return [
        "# The crash matrix",
        "",
        f"{date.today()}, archloom {archloom.__version__}, Python {platform.python_version()}, "
        f"SQLite {sqlite3.sqlite_version}; {os.cpu_count()} cores. "
        f"`make crash-test` ({n_kills} random kills).",
        "",
        "A cell reads *lost / doubled / zombies*: finished results that are not in the store as they were "
        "told; trials or architectures that ended or were evaluated once too often (beside what was "
        "under way in a process that was killed); trials that are still RUNNING when all is over. "
        "*Same sequence* counts the tries after which all trials, with their architectures, seeds, values "
        "and order, are those of a run that nothing befell. Every try is also checked by the laws of "
        "`search storage check`, and by its budget: OTHER TROUBLES, where there were any. Words in "
        "quotation marks are what the user reads.",
        "",
    ]


def _matrix(
    databases: dict[str, Stages | None], scale: rows.Scale, wanted: list[str], troubles: list[str]
) -> list[str]:
    made, counted = [], []
    for row in rows.ROWS:
        if wanted and not any(word in row.name.lower() for word in wanted):
            continue
        cells = [_cell(row.act, name, stages, scale) for name, stages in databases.items()]
        if all(str(cell) == "not passed" for cell in cells):
            continue
        for database, cell in zip(databases, cells, strict=True):
            troubles += [f"{row.name}, {database}: {trouble}" for trouble in cell.troubles]
        made.append([row.name, *map(str, cells)])
        counted += cells
        print(" | ".join(made[-1]), flush=True)
    return [_total(counted), "", *table(["fault", *databases], made)] if made else []


def _total(cells: list[Cell]) -> str:
    n_tries, n_alike, n_compared = (
        sum(getattr(cell, name) for cell in cells) for name in ("n_tries", "n_alike", "n_compared")
    )
    n_lost, n_doubled, n_zombies, n_other = (
        sum(getattr(cell, name) for cell in cells) for name in ("n_lost", "n_doubled", "n_zombies", "n_other")
    )
    return (
        f"In all: {n_tries} tries; {n_lost} lost, {n_doubled} doubled, {n_zombies} zombies, {n_other} other "
        f"troubles; the same sequence in {n_alike} of {n_compared}."
    )


def _cell(
    act: Callable[[Stages, rows.Scale], Cell], database: str, stages: Stages | None, scale: rows.Scale
) -> Cell:
    if stages is None:
        return Cell(skipped="no server: set ARCHLOOM_TEST_POSTGRES")
    began = time.monotonic()
    try:
        cell = act(stages, scale)
    except Exception as error:
        cell = Cell()
        cell.expect(False, f"{type(error).__name__}: {error}")
    print(f"  [{time.monotonic() - began:.1f} s, {database}]", file=sys.stderr, flush=True)
    return cell


def _agreement(
    databases: dict[str, Stages | None], wanted: list[str], troubles: list[str], is_quick: bool
) -> list[str]:
    if wanted and "strategies" not in wanted:
        return []
    made, ways = [], resumed.ways(is_quick=is_quick)
    for database, stages in databases.items():
        if stages is None:
            continue
        for strategy in resumed.names(is_quick=is_quick):
            words = []
            for way in ways:
                word, cell = resumed.agreement(stages, strategy, way)
                words.append(word)
                troubles += [f"{database}: {trouble}" for trouble in cell.troubles]
            made.append([database, strategy, *words])
            print(" | ".join(made[-1]), flush=True)
    title = "## 25 trials, SIGKILL, 25 trials: the trials that are those of an uninterrupted run"
    return [title, "", *table(["database", "strategy", *ways], made)]


if __name__ == "__main__":
    sys.exit(main())
