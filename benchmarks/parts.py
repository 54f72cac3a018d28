# SPDX-License-Identifier: Apache-2.0
"""A study in parts, each kept in a file of its own, so that one can be run again."""

from __future__ import annotations

import argparse
import os
import platform
from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path

import torch

import archloom

__all__ = ["run_parts"]

RESULTS = Path(__file__).parent / "results"


def run_parts(name: str, title: str, parts: Mapping[str, Callable[[], list[str]]], doc: str | None) -> None:
    """Run the parts that the command line names, and put all there are together.

    Args:
        name: of the module in ``benchmarks``, and of its results.
        title: heads the results.
        parts: each returns the lines of its section.
        doc: what ``--help`` says.
    """
    parser = argparse.ArgumentParser(prog=f"python -m benchmarks.{name}", description=doc)
    parser.add_argument("--parts", nargs="*", choices=sorted(parts), default=list(parts))
    args = parser.parse_args()
    folder = RESULTS / name
    folder.mkdir(parents=True, exist_ok=True)
    for part in args.parts:
        lines = parts[part]()
        lines.insert(2, f"{date.today()}, {_versions()}. `python -m benchmarks.{name} --parts {part}`.\n")
        (folder / f"{part}.md").write_text("\n".join(lines), encoding="utf-8")
    there = [folder / f"{part}.md" for part in parts if (folder / f"{part}.md").exists()]
    text = "\n".join([f"# {title}", "", *(file.read_text(encoding="utf-8") for file in there)])
    (RESULTS / f"{name}.md").write_text(text.rstrip() + "\n", encoding="utf-8")
    print(f"written to {RESULTS / name}.md")


def _versions() -> str:
    return (
        f"archloom {archloom.__version__}, torch {torch.__version__}, Python {platform.python_version()}; "
        f"{os.cpu_count()} cores, one thread"
    )
