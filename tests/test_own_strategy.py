# SPDX-License-Identifier: Apache-2.0
"""The example of a strategy keeps the laws, and its program compares it."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from archloom.contracts import Strategy
from archloom.registry import import_path
from archloom.testing.strategies import StrategyContract

EXAMPLES = Path(__file__).parents[1] / "examples"


class TestContract(StrategyContract):
    @pytest.fixture
    def make(self, monkeypatch: pytest.MonkeyPatch) -> Callable[[], Strategy]:
        monkeypatch.syspath_prepend(EXAMPLES)
        made: Callable[[], Strategy] = import_path("own_strategy:OnePlusOne")
        return made


@pytest.mark.slow
@pytest.mark.skipif(
    importlib.util.find_spec("nas_bench_graph") is None, reason="needs the package that brings the tables"
)
def test_its_program_compares_it() -> None:
    words = [sys.executable, "own_strategy.py", "nasbenchgraph.yaml", "2"]
    done = subprocess.run(words, cwd=EXAMPLES, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    assert len([line for line in done.stdout.splitlines() if "own_strategy:OnePlusOne" in line]) == 2
