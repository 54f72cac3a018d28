# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pyglove as pg
import pytest

from archloom.contracts import Architecture, Trial
from archloom.errors import ConfigError, DataError, MissingExtraError
from archloom.evaluators.tabular import Tabular
from archloom.search_spaces import SearchSpace

Point = Callable[..., Architecture]

TABLE = pd.DataFrame(
    {
        "arch": ["a", "b", "none"],
        "valid": [1.0, 2.0, 3.0],
        "held_out": [10.0, 20.0, 30.0],
        "hours": [0.5, None, 1.5],
    }
)
SPACE = SimpleNamespace(decisions=())


def write(frame: pd.DataFrame, folder: Path, suffix: str) -> Path:
    path = folder / f"table{suffix}"
    if suffix == ".parquet":
        frame.to_parquet(path)
    else:
        frame.to_csv(path, index=False)
    return path


@pytest.fixture(params=[".parquet", ".csv", ".csv.gz"])
def path(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return write(TABLE, tmp_path, request.param)


def test_rows_are_found_by_key(path: Path, point: Point) -> None:
    tabular = Tabular(
        path=path, objective={"accuracy": "valid"}, report=["held_out"], key="arch", seconds="hours"
    )
    tabular.prepare(SPACE)
    assert tabular.gives == ("accuracy", "test/held_out", "train_seconds")
    assert tabular.keyed_by == "genotype"
    assert tabular.evaluate(point(text="a"), Trial()) == {
        "accuracy": 1.0,
        "test/held_out": 10.0,
        "train_seconds": 0.5,
    }
    found = tabular.evaluate_many([point(text="none"), point(text="b")], [Trial(), Trial()])
    assert found[0] == {"accuracy": 3.0, "test/held_out": 30.0, "train_seconds": 1.5}
    assert found[1] == {"accuracy": 2.0, "test/held_out": 20.0}


def test_a_table_with_a_key_loads_itself(path: Path, point: Point) -> None:
    assert Tabular(path=str(path), objective=["valid"], key="arch").evaluate(point(text="b"), Trial()) == {
        "valid": 2.0
    }


@pytest.mark.parametrize("suffix", [".parquet", ".csv"])
def test_rows_are_found_by_the_decisions_of_a_real_space(tmp_path: Path, suffix: str) -> None:
    space = SearchSpace(
        pg.Dict(op=pg.oneof(["conv", "none"]), cell=pg.oneof([pg.Dict(k=pg.oneof([1, 3])), 7]))
    )
    architectures = [space.architecture(space.enumerate()[i]) for i in range(space.size or 0)]
    names = [decision.name for decision in space.decisions]
    frame = pd.DataFrame([{name: a.choices.get(name) for name in names} for a in architectures])
    last = frame.columns[-1]
    if suffix == ".parquet":  # numbers with gaps, as other tools write them
        frame[last] = frame[last].astype("Int64")
    frame["score"] = range(len(frame))
    tabular = Tabular(path=write(frame, tmp_path, suffix), objective=["score"], keyed_by="canonical")
    tabular.prepare(space)
    found = tabular.evaluate_many(architectures, [Trial()] * len(architectures))
    assert [row["score"] for row in found] == list(range(6))
    assert tabular.keyed_by == "canonical"


def test_matching_by_decisions_needs_the_space(path: Path, point: Point) -> None:
    with pytest.raises(ConfigError, match="call prepare"):
        Tabular(path=path, objective=["valid"]).evaluate(point(), Trial())


def test_an_unknown_architecture_is_named(path: Path, point: Point) -> None:
    tabular = Tabular(path=path, objective=["valid"], key="arch")
    with pytest.raises(DataError, match=r"has no row for net-zz"):
        tabular.evaluate(point(text="net-zz"), Trial())


def test_an_empty_objective_is_an_error_when_it_is_asked_for(path: Path, point: Point) -> None:
    tabular = Tabular(path=path, objective={"time": "hours"}, key="arch")
    assert tabular.evaluate(point(text="a"), Trial()) == {"time": 0.5}
    with pytest.raises(DataError, match=r"column 'hours' is empty for b.*no 'time'"):
        tabular.evaluate(point(text="b"), Trial())


@pytest.mark.parametrize("objective", [["valid", "held_out"], {"sly": "held_out"}])
def test_a_reported_column_cannot_be_searched(objective: Any) -> None:
    with pytest.raises(ConfigError, match="'held_out' is both objective and report"):
        Tabular(path="x.csv", objective=objective, report=["held_out"])


@pytest.mark.parametrize("name", ["test/valid", "train_seconds"])
def test_kept_names_cannot_be_objectives(name: str) -> None:
    with pytest.raises(ConfigError, match=name):
        Tabular(path="x.csv", objective={name: "valid"})


def test_an_objective_is_needed() -> None:
    with pytest.raises(ConfigError, match="at least one objective"):
        Tabular(path="x.csv", objective=[])


@pytest.mark.parametrize(
    "options", [{"key": "arhc"}, {"objective": ["valdi"]}, {"report": ["held_outt"]}, {"seconds": "hour"}]
)
def test_an_unknown_column_is_met_with_the_nearest(path: Path, options: dict[str, Any]) -> None:
    merged: dict[str, Any] = {"objective": ["valid"], "key": "arch", **options}
    with pytest.raises(ConfigError, match=r"has no column .*did you mean"):
        Tabular(path=path, **merged).prepare(SPACE)


def test_a_column_of_words_is_no_objective(path: Path) -> None:
    with pytest.raises(DataError, match="'arch' must hold numbers; row 0 holds 'a'"):
        Tabular(path=path, objective=["arch"], key="arch").prepare(SPACE)


def test_equal_duplicates_are_harmless_and_others_are_refused(tmp_path: Path, point: Point) -> None:
    twice = pd.concat([TABLE, TABLE.iloc[[1]]])
    tabular = Tabular(path=write(twice, tmp_path, ".csv"), objective=["valid"], key="arch", seconds="hours")
    assert tabular.evaluate(point(text="b"), Trial()) == {"valid": 2.0}
    other = pd.concat([twice, TABLE.iloc[[1]].assign(valid=5.0)])
    tabular = Tabular(path=write(other, tmp_path, ".csv"), objective=["valid"], key="arch")
    with pytest.raises(DataError, match="rows 1 and 4 are both 'b'"):
        tabular.prepare(SPACE)


def test_a_missing_table_says_where_it_looked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, point: Point
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ARCHLOOM_DATA", raising=False)
    tabular = Tabular(path="sub/table.csv", objective=["valid"], key="arch")
    with pytest.raises(DataError, match=r"looked at .*sub/table.csv .*ARCHLOOM_DATA.*unset"):
        tabular.prepare(SPACE)
    monkeypatch.setenv("ARCHLOOM_DATA", str(tmp_path / "data"))
    with pytest.raises(DataError, match=r" and .*data/sub/table.csv \(ARCHLOOM_DATA is "):
        tabular.prepare(SPACE)
    (tmp_path / "data/sub").mkdir(parents=True)
    write(TABLE, tmp_path / "data/sub", ".csv")
    tabular.prepare(SPACE)
    assert tabular.evaluate(point(text="a"), Trial()) == {"valid": 1.0}


def test_a_table_is_found_beside_the_study_file_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, point: Point
) -> None:
    folders = [tmp_path / name for name in ("here", "study", "data")]
    for folder in folders:
        folder.mkdir()
    monkeypatch.chdir(folders[0])
    monkeypatch.syspath_prepend(folders[1])
    monkeypatch.setenv("ARCHLOOM_DATA", str(folders[2]))
    with pytest.raises(
        DataError, match=r"looked at .*here/table.csv, .*study/table.csv and .*data/table.csv"
    ):
        Tabular(path="table.csv", objective=["valid"], key="arch").prepare(SPACE)
    for number, folder in reversed(list(enumerate(folders))):
        write(TABLE.assign(valid=[number, 2, 3]), folder, ".csv")
        tabular = Tabular(path="table.csv", objective=["valid"], key="arch")
        tabular.prepare(SPACE)
        assert tabular.evaluate(point(text="a"), Trial()) == {"valid": number}


def test_other_kinds_of_files_are_refused(tmp_path: Path) -> None:
    (tmp_path / "table.xlsx").touch()
    with pytest.raises(ConfigError, match=r"\.parquet, \.csv .* got 'table.xlsx'"):
        Tabular(path=tmp_path / "table.xlsx", objective=["valid"], key="arch").prepare(SPACE)


def test_parquet_without_pyarrow_names_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(TABLE, tmp_path, ".parquet")
    monkeypatch.setitem(__import__("sys").modules, "pyarrow.parquet", None)
    with pytest.raises(MissingExtraError, match=r"archloom\[parquet\]"):
        Tabular(path=path, objective=["valid"], key="arch").prepare(SPACE)


@pytest.mark.skipif(
    "ARCHLOOM_DATA" not in os.environ, reason="ARCHLOOM_DATA is unset: no NAS-Bench-201 table"
)
def test_nasbench201_has_its_published_best(point: Point) -> None:
    tabular = Tabular(
        path="nasbench201/nb201.parquet",
        key="arch",
        objective={"accuracy": "cifar10_valid_200"},
        report=["cifar10_test_200"],
    )
    tabular.prepare(SPACE)
    best = "|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_3x3~1|+|skip_connect~0|nor_conv_3x3~1|nor_conv_1x1~2|"
    metrics = tabular.evaluate(point(text=best), Trial())
    assert metrics["accuracy"] == pytest.approx(91.6067, abs=1e-4)
    assert metrics["test/cifar10_test_200"] == pytest.approx(94.3733, abs=1e-4)
    started = time.process_time()
    tabular.evaluate_many([point(text=best)] * 1000, [Trial()] * 1000)
    assert time.process_time() - started < 0.5


@pytest.mark.parametrize(("text", "message"), [("", "the table is empty"), ('a,b\n1,2\n"3', "no CSV table")])
def test_a_broken_csv_is_named(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "broken.csv"
    path.write_text(text)
    with pytest.raises(DataError, match=f"broken.csv: .*{message}"):
        Tabular(path=str(path), key="a", objective=["b"]).prepare(None)
