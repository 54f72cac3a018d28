# SPDX-License-Identifier: Apache-2.0
"""Strategies compared on problems whose answers are known: seeds in parallel, curves, tables, pictures.

===========  ====================================================================
``runs``     one search of a study file's problem, and its curve
``crowd``    many of them in parallel processes
``tables``   what they amount to: means, spread, ranks, paired tests; CSV
``plots``    score against budget, with bands: PNG and HTML
===========  ====================================================================
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from archloom.lazy import lazy_face

if TYPE_CHECKING:
    from archloom.bench.crowd import run_all
    from archloom.bench.plots import draw
    from archloom.bench.runs import Curve, Problem, Unit, search_once
    from archloom.bench.tables import Row, compare, read_csv, write_csv

__all__ = [
    "Curve",
    "Problem",
    "Row",
    "Unit",
    "compare",
    "draw",
    "read_csv",
    "run_all",
    "search_once",
    "write_csv",
]

_HOME = {
    "Curve": "runs",
    "Problem": "runs",
    "Row": "tables",
    "Unit": "runs",
    "compare": "tables",
    "draw": "plots",
    "read_csv": "tables",
    "run_all": "crowd",
    "search_once": "runs",
    "write_csv": "tables",
}

__getattr__, __dir__ = lazy_face(__name__, _HOME, __all__)
