"""The fact sheet's check: the six edges of a cell as two groups, on tabular truth."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from archloom.contracts import Objective, Strategy
from archloom.search_spaces.nasbench201 import nasbench201
from archloom.strategies.flows.hybrid import HybridFlow
from archloom.strategies.flows.joint import JointFlow
from archloom.strategies.flows.separate import SeparateFlow
from archloom.testing.strategies import finished

TABLE = Path(os.environ.get("ARCHLOOM_DATA", "/nowhere")) / "nasbench201" / "nb201.parquet"
LAST = [["edge_3_0", "edge_3_1", "edge_3_2"]]
N_PROPOSALS = 200
N_SEEDS = 30
FLOWS: dict[str, Callable[[], Strategy]] = {
    "joint": JointFlow,
    "separate": lambda: SeparateFlow(groups=LAST, n_each=100),
    "hybrid": lambda: HybridFlow(groups=LAST, n_outer=60, n_inner=2, n_kept=5),
}


@pytest.mark.slow
@pytest.mark.skipif(not TABLE.exists(), reason="ARCHLOOM_DATA does not hold the NAS-Bench-201 table")
def test_separate_is_clearly_worse_and_hybrid_is_near_joint() -> None:
    pandas = pytest.importorskip("pandas")
    table = pandas.read_parquet(TABLE, columns=["arch", "cifar100_valid_12"])
    accuracy = dict(zip(table["arch"], table["cifar100_valid_12"].astype(float), strict=True))
    space = nasbench201()

    def best(strategy: Strategy, seed: int) -> float:
        strategy.setup(space, [Objective("accuracy", "maximize")], seed)
        values: list[float] = []
        while len(values) < N_PROPOSALS:
            row = strategy.ask(1)
            values.append(accuracy[space.architecture(row).text])
            strategy.tell(finished(row, values[-1:], first=len(values)))
        return max(values)

    mean = {name: np.mean([best(make(), seed) for seed in range(N_SEEDS)]) for name, make in FLOWS.items()}
    assert mean["joint"] - mean["separate"] > 0.5
    assert mean["hybrid"] - mean["separate"] > 0.5
    assert abs(mean["joint"] - mean["hybrid"]) < 0.5
