"""Every registered evaluator keeps the laws."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from archloom.contracts import Evaluator
from archloom.evaluators import EVALUATORS
from archloom.search_spaces import SPACES, SearchSpace
from archloom.testing.evaluators import EvaluatorContract

SPACE = {"layers": 2, "widths": [8, 16]}


def describe(architecture: Any) -> float:
    """Count letters."""
    return float(len(architecture.text))


def table(folder: Path) -> Path:
    """Write the whole space's truth: each architecture with a number."""
    space = SPACES.get("mlp")(**SPACE)
    rows = [space.architecture(space.at([i])).text for i in range(space.size)]
    path = folder / "truth.csv"
    path.write_text("arch,score,final\n" + "".join(f'"{a}",{i},{i + 1}\n' for i, a in enumerate(rows)))
    return path


def operations(folder: Path) -> str:
    """Write what each width takes."""
    path = folder / "ops.csv"
    path.write_text("choice,latency_ms\n(base),0.5\n8,1.25\n16,2\n")
    return str(path)


OPTIONS: dict[str, Callable[[Path], dict[str, Any]]] = {
    "function": lambda folder: {"function": describe},
    "tabular": lambda folder: {
        "path": table(folder),
        "key": "arch",
        "objective": ["score"],
        "report": ["final"],
    },
    "supernet": lambda folder: {"data": "digits", "epochs": 1},
    "training": lambda folder: {"data": "digits", "epochs": 1},
    "costs": lambda folder: {"data": "digits"},
    "latency": lambda folder: {"table": operations(folder)},
    "memory": lambda folder: {"data": "digits"},
}

OF_ONE_SPACE = {"nasbenchgraph"}
"""Their own tests inherit the suite."""

OF_EPOCHS = {"relaxed"}
"""They answer what was measured in a search by gradients: see tests/evaluators/relaxed."""


def test_every_registered_evaluator_is_here() -> None:
    assert sorted({*OPTIONS} | OF_ONE_SPACE | OF_EPOCHS) == EVALUATORS.names()


class TestRegistered(EvaluatorContract):
    @pytest.fixture(params=sorted(OPTIONS))
    def make(
        self, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
    ) -> Callable[[], Evaluator]:
        options = OPTIONS[request.param](tmp_path_factory.mktemp("table"))
        return lambda: EVALUATORS.get(request.param)(**options)

    @pytest.fixture
    def space(self) -> SearchSpace:
        made: SearchSpace = SPACES.get("mlp")(**SPACE)
        return made


class TestByTheClock(EvaluatorContract):
    timed = frozenset({"latency_ms", "latency_ms_iqr"})

    @pytest.fixture
    def make(self) -> Callable[[], Evaluator]:
        return lambda: EVALUATORS.get("latency")(input_shape=[1, 8, 8], n_warmup=1, n_repeats=3)

    @pytest.fixture
    def space(self) -> SearchSpace:
        made: SearchSpace = SPACES.get("mlp")(**SPACE)
        return made


class TestByCommand(EvaluatorContract):
    @pytest.fixture
    def make(self) -> Callable[[], Evaluator]:
        return lambda: EVALUATORS.get("latency")(input_shape=[1, 8, 8], command=["sh", "-c", "echo 12.5 ms"])

    @pytest.fixture
    def space(self) -> SearchSpace:
        made: SearchSpace = SPACES.get("mlp")(**SPACE)
        return made
