# SPDX-License-Identifier: Apache-2.0
"""Latency from a table of operations: what it adds up, and what it refuses before the first trial."""

from __future__ import annotations

import gzip
import hashlib
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyglove as pg
import pytest

from archloom import SearchSpace, Study
from archloom.contracts import State, Trial
from archloom.errors import ConfigError, DataError
from archloom.evaluators import Latency, Tabular
from archloom.search_spaces import SPACES
from archloom.strategies import RandomSearch

Table = Callable[..., Latency]

SPACE = SearchSpace(
    pg.Dict(
        first=pg.oneof(["conv", "pool"]),
        second=pg.oneof(["conv", pg.Dict(kernel=pg.oneof([1, 3]))]),
        width=pg.oneof([8, 16]),
        lr=pg.floatv(0.1, 1.0),
    )
)
WITH_KERNEL = "{kernel: choice}"
KERNEL = f"second({WITH_KERNEL}).kernel"


@pytest.fixture
def table(tmp_path: Path) -> Table:
    """Make a prepared latency from the lines of a table."""

    def make(*lines: str, space: SearchSpace = SPACE, name: str = "ops.csv") -> Latency:
        text = "\n".join(lines) + "\n"
        path = tmp_path / name
        path.write_bytes(gzip.compress(text.encode()) if name.endswith(".gz") else text.encode())
        latency = Latency(table=str(path))
        latency.prepare(space)
        return latency

    return make


def ms(latency: Latency, space: SearchSpace = SPACE, **choices: Any) -> float:
    named = {name: value for name, value in {"lr": 0.5, **choices}.items() if value is not None}
    return latency.evaluate(space.from_choices(named), Trial())["latency_ms"]


def test_the_sum_is_over_active_decisions_that_the_table_speaks_of(table: Table) -> None:
    latency = table(
        "choice,latency_ms", "(base),0.5", "conv,2", "pool,1", f"{WITH_KERNEL},0.25", "1,4", "3,8"
    )
    assert ms(latency, first="conv", second="conv", width=8) == 4.5
    small: dict[str, Any] = {"first": "pool", "second": WITH_KERNEL, "width": 16, KERNEL: 3}
    assert ms(latency, **small) == 0.5 + 1 + 0.25 + 8
    assert latency.conditions()["table_decisions"] == "3 of 5"


def test_the_most_specific_row_counts(table: Table) -> None:
    latency = table(
        "latency_ms,decision,choice",
        "1,,conv",
        "2,,pool",
        "10,f*,conv",
        "100,fir*t,conv",
        "1000,first,pool",
        "5,*,16",
        "6,*th,8",
        f"0,,{WITH_KERNEL}",
    )
    assert ms(latency, first="conv", second="conv", width=16) == 100 + 1 + 5
    assert ms(latency, first="pool", second="conv", width=8) == 1000 + 1 + 6


def test_equally_specific_rows_are_refused(table: Table) -> None:
    with pytest.raises(DataError, match=r"line 3: '\*st' and 'fi\*' \(ops.csv line 2\) both price .*'conv'"):
        table("decision,choice,latency_ms", "fi*,conv,1", "*st,conv,2", ",pool,1")


def test_brackets_mean_themselves_and_cells_are_priced_by_source(table: Table) -> None:
    space = SPACES.get("cell")(nodes=2, operations=["conv_1x1", "skip_connect"])
    latency = table(
        "decision,choice,latency_ms",
        ",conv_1x1,1",
        ",skip_connect,0",
        "cell.nodes[1](node_0).op,conv_1x1,10",
        "cell.nodes[0](*).op,conv_1x1,100",
        space=space,
    )
    rows = space.enumerate()
    architectures = [space.architecture(rows[i]) for i in range(len(rows))]
    found = [row["latency_ms"] for row in latency.evaluate_many(architectures, [Trial()] * len(rows))]
    for architecture, sum_ms in zip(architectures, found, strict=True):
        expected = 0.0
        for name, label in architecture.choices.items():
            if label == "conv_1x1":
                expected += 10 if "(node_0)" in name else 100 if "nodes[0]" in name else 1
        assert sum_ms == expected
        assert latency.evaluate(architecture, Trial()) == {"latency_ms": sum_ms}
    assert max(found) == 211
    assert latency.evaluate_many([], []) == []


def test_nasbench201_is_priced_edge_by_edge_and_quickly(table: Table) -> None:
    space = SPACES.get("nasbench201")()
    operations = space.decisions[0].candidates
    lines = [f"{operation},{cost}" for cost, operation in enumerate(operations)]
    latency = table("choice,latency_ms", "(base),1", *lines, space=space)
    rows = space.sample(5000, np.random.default_rng(0))
    architectures = [space.architecture(rows[i]) for i in range(len(rows))]
    started = time.perf_counter()
    found = latency.evaluate_many(architectures, [Trial()] * len(rows))
    assert time.perf_counter() - started < 0.5
    assert [row["latency_ms"] for row in found] == (1.0 + rows.choices.sum(axis=1)).tolist()


def test_a_table_may_hold_more_operations_than_the_space(table: Table) -> None:
    latency = table("choice,latency_ms", "conv,1", "pool,2", f"{WITH_KERNEL},3", "sep_conv,9")
    assert ms(latency, first="pool", second="conv", width=8) == 3


@pytest.mark.parametrize("name", ["ops.csv", "ops.csv.gz"])
def test_lines_are_counted_as_an_editor_counts_them(table: Table, name: str) -> None:
    with pytest.raises(DataError, match=rf"{name} line 5: .*'pool' has 'fast'"):
        table("choice,latency_ms", '"co', 'nv",1', "", "pool,fast", name=name)


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["choice,latency_ms", "conv,-1"], "line 2: latency_ms must be a finite .* 'conv' has '-1'"),
        (["choice,latency_ms", "conv,nan"], "line 2: .*has 'nan'"),
        (["choice,latency_ms", "conv,"], "line 2: .*has ''"),
        (["choice,latency_ms", "conv,inf"], "line 2: .*has 'inf'"),
        (["choice,latency_ms", "   ", "conv,1,5"], "line 3: 3 cells under 2 columns; a decimal number"),
        (["choice,latency_ms", ",1"], "line 2: the choice is empty; .* choice '\\(base\\)'"),
        (["choice,latency_ms", "conv,1", "pool,2", "conv,1"], "line 4: 'conv' .* in ops.csv line 2 already"),
        (["choice,latency_ms"], "ops.csv: the table is empty"),
        ([""], "the table is empty"),
        (["decision,choice,latency_ms", "first,(base),1"], r"line 2: the row '\(base\)' is paid by every"),
        (["decision,choice,latency_ms", "frist,conv,1"], "no decision .* 'frist'; did you mean 'first'"),
        (["decision,choice,latency_ms", "lr,conv,1"], "line 2: no decision of the space is called 'lr'"),
        (["choice,latency_ms", "convv,1"], "speaks of no decision .* 'convv'; did you mean 'conv'"),
        (["choice,latency_ms", "(base),1"], "speaks of no decision of the space: its choices are none"),
        (
            ["choice,latency_ms", *(f"{c}{c},1" for c in "abcdefghi")],
            "choices are 'aa', .*'hh', ..., the cand",
        ),
        (
            ["choice,latency_ms", "conv,1", "pol,2"],
            "decision 'first' but has no row .*'pool'; did you mean 'pol'",
        ),
        (["decision,choice,latency_ms", "width,conv,1"], "'width' but has no row for its choice '8'"),
    ],
)
def test_what_is_wrong_is_met_before_the_first_trial(table: Table, lines: list[str], message: str) -> None:
    with pytest.raises(DataError, match=message):
        table(*lines)


def test_a_file_that_is_no_text_is_named(tmp_path: Path) -> None:
    (tmp_path / "ops.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DataError, match=r"ops.csv: this is no table of text in UTF-8"):
        Latency(table=str(tmp_path / "ops.csv")).prepare(SPACE)


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ("choice,latency", "has no column 'latency_ms'; did you mean 'latency'"),
        ("op,latency_ms", "has no column 'choice'"),
        ("decison,choice,latency_ms", "has a column 'decison'; did you mean 'decision'"),
        ("Decision,choice,latency_ms", "has a column 'Decision'; did you mean 'decision'"),
    ],
)
def test_a_missing_or_misspelt_column_is_met(table: Table, header: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        table(header, ",".join("1" for _ in header.split(",")))


def test_a_missing_table_says_where_it_looked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DataError, match=r"table 'no.csv' is missing: looked at .*no.csv.* study file"):
        Latency(table="no.csv").prepare(SPACE)
    with pytest.raises(ConfigError, match="call prepare"):
        Latency(table="no.csv").evaluate(
            SPACE.architecture(SPACE.sample(1, np.random.default_rng(0))), Trial()
        )


def test_a_parquet_table_says_the_row(tmp_path: Path) -> None:
    path = tmp_path / "ops.parquet"
    frame = pd.DataFrame({"choice": ["8", "16"], "latency_ms": [1.5, 2.5], "note": ["a", "b"]})
    frame.to_parquet(path)
    latency = Latency(table=str(path))
    latency.prepare(SPACE)
    assert ms(latency, first="conv", second="conv", width=16) == 2.5
    conditions = latency.conditions()
    assert conditions["table"] == str(path)
    assert conditions["table_sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    pd.DataFrame({"choice": ["8", "16"], "latency_ms": pd.Series([1.5, None])}).to_parquet(path)
    with pytest.raises(DataError, match=r"ops.parquet row 1: .*'16' has"):
        latency.prepare(SPACE)


@pytest.mark.skipif("ARCHLOOM_DATA" not in os.environ, reason="ARCHLOOM_DATA is unset: no measured latencies")
def test_latencies_of_whole_architectures_keep_the_slow_from_being_looked_up(tmp_path: Path) -> None:
    data = Path(os.environ["ARCHLOOM_DATA"])
    truth = pd.read_parquet(data / "nasbench201/nb201.parquet", columns=["arch", "cifar10_valid_200"])
    measured = pd.read_parquet(data / "nasbench201_hw/nb201_latency_ms.parquet")
    measured.assign(arch=truth["arch"])[["arch", "fpga"]].to_parquet(tmp_path / "fpga.parquet")
    study = Study(
        SPACES.get("nasbench201")(),
        RandomSearch(),
        [
            Tabular(path=tmp_path / "fpga.parquet", key="arch", objective={"latency_ms": "fpga"}),
            Tabular(
                path="nasbench201/nb201.parquet", key="arch", objective={"accuracy": "cifar10_valid_200"}
            ),
        ],
        {"accuracy": "maximize"},
        constraints=["latency_ms <= 6"],
    )
    study.run(trials=40)
    slow = [trial for trial in study.trials if trial.metrics["latency_ms"] > 6]
    assert 0 < len(slow) < 40
    assert all(trial.state is State.PRUNED and "accuracy" not in trial.metrics for trial in slow)
    assert study.best.metrics["latency_ms"] <= 6
