# SPDX-License-Identifier: Apache-2.0
"""Trials as a Parquet file, with their types."""

from __future__ import annotations

import sys
from pathlib import Path

import pandas
import pytest

from archloom.errors import ConfigError, MissingExtraError
from archloom.store import Store, StudyRecord
from archloom.store.exchange import all_curves, curve_columns, trial_columns, write_parquet

pytest.importorskip("pyarrow")


def test_types_are_kept(store: Store, rich: StudyRecord, tmp_path: Path) -> None:
    import pyarrow.parquet as pq

    columns = trial_columns(store.trials(rich.id or 0))
    write_parquet(columns, tmp_path / "rich.parquet", notes={"archloom": "told"})
    table = pq.read_table(tmp_path / "rich.parquet")
    assert table.column_names == [column.name for column in columns]
    assert {column.name: table[column.name].to_pylist() for column in columns}.keys()
    for column in columns:
        assert repr(table[column.name].to_pylist()) == repr(column.values)
    assert str(table.schema.field("seed").type) == "int64"
    assert str(table.schema.field("is_pareto").type) == "bool"
    assert table.schema.metadata[b"archloom"] == b"told"
    frame = pandas.read_parquet(tmp_path / "rich.parquet")
    assert frame["state (decision)"][0] == "=1+1"


def test_curves_and_an_empty_study(store: Store, rich: StudyRecord, tmp_path: Path) -> None:
    write_parquet(curve_columns(all_curves(store, rich.id or 0)), tmp_path / "curves.parquet")
    assert len(pandas.read_parquet(tmp_path / "curves.parquet")) == 8
    write_parquet(trial_columns([]), tmp_path / "none.parquet")
    assert len(pandas.read_parquet(tmp_path / "none.parquet")) == 0
    with pytest.raises(ConfigError, match="--overwrite"):
        write_parquet(trial_columns([]), tmp_path / "none.parquet")


def test_a_missing_library_is_the_install_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'archloom\[parquet\]'"):
        write_parquet(trial_columns([]), tmp_path / "x.parquet")
    assert not list(tmp_path.iterdir())
