# SPDX-License-Identifier: Apache-2.0
"""A problem of 27 points whose answers stand in a table beside it."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

FILE = """
study: little
space: {a: {oneof: [0, 1, 2]}, b: {oneof: [0, 1, 2]}, c: {oneof: [0, 1, 2]}}
strategy: random
evaluator: {name: tabular, path: table.csv, objective: {score: v}, report: [w], seconds: s}
objectives: {score: maximize}
budget: {trials: 3}
"""


@pytest.fixture
def problem_file(tmp_path: Path) -> Path:
    rows = ["a,b,c,v,w,s"]
    for a, b, c in itertools.product(range(3), repeat=3):
        rows.append(f"{a},{b},{c},{100 * a + 10 * b + c},{a},{1 + c}")
    (tmp_path / "table.csv").write_text("\n".join(rows) + "\n")
    (tmp_path / "little.yaml").write_text(FILE)
    return tmp_path / "little.yaml"
