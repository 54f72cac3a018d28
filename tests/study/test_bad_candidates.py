"""Architectures that cannot be built or were never measured are recorded, and the study goes on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyglove as pg
import pytest
from torch import nn

from archloom import Blueprint, SearchSpace, Study, build
from archloom.contracts import State
from archloom.errors import ConfigError
from archloom.evaluators import Tabular, Training
from archloom.strategies import RandomSearch


class Wide(Blueprint):
    """A layer that cannot be of odd width."""

    width: int

    def build(self, c_in: int, **context: Any) -> nn.Module:
        if self.width % 2:
            raise ValueError(f"width must be even, got {self.width}")
        return nn.Linear(c_in, self.width)


class Net(Blueprint):
    """Flatten, a layer, a head."""

    layer: Any

    def build(self, c_in: int, n_outputs: int, **context: Any) -> nn.Module:
        layer = build(self.layer, 64)
        return nn.Sequential(nn.Flatten(), layer, nn.ReLU(), nn.Linear(self.layer.width, n_outputs))


def test_a_candidate_that_cannot_be_built() -> None:
    space = SearchSpace(Net(layer=Wide(width=pg.oneof([4, 5]))))
    study = Study(space, RandomSearch(), Training(data="digits", epochs=1), {"accuracy": "maximize"})
    study.run(trials=2)
    failed, complete = sorted(study.trials, key=lambda trial: trial.state != State.FAIL)
    assert (failed.state, complete.state) == (State.FAIL, State.COMPLETE)
    assert "Net > Wide: width must be even, got 5" in failed.reason
    assert study.best.choices == {"layer.width": "4"}


def test_a_table_that_lacks_an_architecture(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text("a,b,accuracy\n1,x,0.5\n2,x,0.6\n1,y,0.7\n")
    space = SearchSpace(pg.Dict(a=pg.oneof([1, 2]), b=pg.oneof(["x", "y"])))
    table = Tabular(path=str(path), objective=["accuracy"])
    study = Study(space, RandomSearch(), table, {"accuracy": "maximize"}).run(trials=4)
    (failed,) = [trial for trial in study.trials if trial.state == State.FAIL]
    assert "table.csv" in failed.reason
    assert failed.text in failed.reason
    assert study.best.text == "a=1, b=y"


def test_a_report_column_is_never_an_objective(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text("a,accuracy,final\n1,0.5,0.4\n2,0.6,0.7\n")
    space = SearchSpace(pg.Dict(a=pg.oneof([1, 2])))
    table = Tabular(path=str(path), objective=["accuracy"], report=["final"])
    for name in ("final", "test/final"):
        with pytest.raises(ConfigError, match=r"report metric|no evaluator gives"):
            Study(space, RandomSearch(), table, {name: "maximize"})
    study = Study(space, RandomSearch(), table, {"accuracy": "maximize"}).run(trials=2)
    assert study.best.metrics == {"accuracy": 0.6, "test/final": 0.7}
