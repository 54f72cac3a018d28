# SPDX-License-Identifier: Apache-2.0
"""Trials to CSV and back; tables of others."""

from __future__ import annotations

import csv
import dataclasses
import math
from pathlib import Path
from typing import Any

import pandas
import pytest

from archloom.contracts import Objective, State
from archloom.errors import ArchloomError, ConfigError, DataError, StudyExistsError
from archloom.store import Store, StudyRecord, TrialRecord
from archloom.store.exchange import (
    Claims,
    add_study,
    all_curves,
    curve_columns,
    read_csv,
    trial_columns,
    write_csv,
)
from archloom.testing.stores import query
from tests.store.exchange.studies import make_rich

GOALS = [Objective("accuracy"), Objective("params", "minimize")]


def _there_and_back(store: Store, study: StudyRecord, path: Path, name: str = "again") -> StudyRecord:
    write_csv(trial_columns(store.trials(study.id or 0)), path)
    return add_study(store, name, read_csv(path, GOALS), str(path))


def _comparable(trial: TrialRecord) -> dict[str, Any]:
    fields = dataclasses.asdict(trial) | {"worker": None, "n_lost": 0}
    return fields | {"metrics": {k: repr(v) for k, v in trial.metrics.items()}}


def test_a_study_comes_back_equal(store: Store, url: str, rich: StudyRecord, tmp_path: Path) -> None:
    again = _there_and_back(store, rich, tmp_path / "rich.csv")
    assert again.objectives == rich.objectives
    assert (again.status, again.reason) == ("done", f"imported from {tmp_path / 'rich.csv'}")
    before, after = store.trials(rich.id or 0), store.trials(again.id or 0)
    assert [trial.number for trial in after] == list(range(8))
    for old, new in zip(before, after, strict=True):
        if old.state != State.RUNNING:
            assert _comparable(new) == _comparable(old)
    assert math.copysign(1, float(after[2].choices["lr"])) == -1
    lost = after[6]
    assert (lost.state, lost.reason) == (
        State.FAIL,
        "it was RUNNING when it was imported: nobody works on it any more",
    )
    assert (lost.started_at, lost.choices) == (before[6].started_at, before[6].choices)
    assert [t.number for t in store.pareto(again.id or 0)] == [t.number for t in store.pareto(rich.id or 0)]
    assert [t.number for t in store.best(again.id or 0, 9)] == [t.number for t in store.best(rich.id or 0, 9)]
    (row,) = query(url, "SELECT count(*) AS n FROM wide_again")
    assert row["n"] == 8
    (event,) = store.events(again.id or 0, "import")
    assert '"n_trials": 8' in event.detail


def test_the_second_file_is_the_first(store: Store, rich: StudyRecord, tmp_path: Path) -> None:
    ended = [State.COMPLETE, State.FAIL, State.PRUNED, State.WAITING]
    trials = store.trials(rich.id or 0, states=ended)
    write_csv(trial_columns(trials), tmp_path / "one.csv")
    incoming = read_csv(tmp_path / "one.csv", GOALS)
    assert incoming.notes == ("some trials are missing: numbered anew from 0 to 6",)
    again = add_study(store, "again", incoming, "there")
    write_csv(trial_columns(store.trials(again.id or 0)), tmp_path / "two.csv")
    one, two = ((tmp_path / name).read_text().replace("\n7,", "\n6,") for name in ("one.csv", "two.csv"))
    assert one == two


def test_a_spreadsheet_runs_nothing(store: Store, rich: StudyRecord, tmp_path: Path) -> None:
    write_csv(trial_columns(store.trials(rich.id or 0)), tmp_path / "rich.csv")
    with (tmp_path / "rich.csv").open(encoding="utf-8", newline="") as file:
        cells = [cell for row in csv.reader(file) for cell in row]
    assert "'=1+1" in cells
    assert "''quoted'" in cells
    assert "'@again" in cells
    assert "-1" in cells
    risky = [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]
    assert all(float(cell) is not None for cell in risky)


def test_pandas_reads_what_we_wrote(store: Store, rich: StudyRecord, tmp_path: Path) -> None:
    write_csv(trial_columns(store.trials(rich.id or 0)), tmp_path / "rich.csv")
    frame = pandas.read_csv(tmp_path / "rich.csv")
    assert list(frame.columns)[:3] == ["number", "state", "text"]
    assert frame["validation/accuracy"].tolist()[:3] == [0.8, 0.9, 0.99]
    assert frame["state"].tolist()[:2] == ["COMPLETE", "COMPLETE"]
    assert frame["state (metric)"][1] == 1.0


def test_curves_are_a_long_table(store: Store, rich: StudyRecord, tmp_path: Path) -> None:
    write_csv(curve_columns(all_curves(store, rich.id or 0)), tmp_path / "curves.csv")
    lines = (tmp_path / "curves.csv").read_text().splitlines()
    assert lines[:3] == ["number,metric,step,value", "0,train/loss,0,1.0", "0,train/loss,1,0.0"]
    assert "2,validation/accuracy,5,nan" in lines
    assert len(lines) == 9


def test_an_existing_file_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "there.csv"
    path.write_text("mine")
    with pytest.raises(ConfigError, match="--overwrite"):
        write_csv(trial_columns([]), path)
    assert path.read_text() == "mine"
    path.chmod(0o640)
    write_csv(trial_columns([]), path, overwrite=True)
    assert path.read_text().startswith("number,state,text,fidelity,seed,")
    assert path.stat().st_mode & 0o777 == 0o640
    with pytest.raises(ConfigError, match="there is no folder"):
        write_csv(trial_columns([]), tmp_path / "no" / "x.csv")
    with pytest.raises(ConfigError, match="is a folder"):
        write_csv(trial_columns([]), tmp_path, overwrite=True)
    assert [p.name for p in tmp_path.iterdir()] == ["there.csv"]


FOREIGN = """\
op;width;lr;accuracy;params;when
conv;8;0.1;0.9;1000;monday
pool;16;1;0.8;100;
conv;8;;;100;tuesday
"""
CLAIMS = Claims(decisions=("op", "width", "lr"), ignore=("when",))


def _foreign(tmp_path: Path, text: str, goals: list[Objective] = GOALS, claims: Claims = CLAIMS) -> Any:
    path = tmp_path / "foreign.csv"
    path.write_text(text, encoding="utf-8-sig")
    return read_csv(path, goals, claims)


def test_a_table_of_others(store: Store, tmp_path: Path) -> None:
    incoming = _foreign(tmp_path, FOREIGN)
    assert incoming.told == ["1 COMPLETE became FAIL: without a value of each objective"]
    record = add_study(store, "foreign", incoming, "foreign.csv")
    trials = store.trials(record.id or 0)
    assert trials[0].choices == {"op": "conv", "width": "8", "lr": 0.1}
    assert trials[0].text == "op=conv, width=8, lr=0.1"
    assert [trial.state for trial in trials] == [State.COMPLETE, State.COMPLETE, State.FAIL]
    assert trials[2].reason == "no value of 'accuracy'"
    assert [trial.finish_order for trial in trials] == [0, 1, 2]
    assert trials[0].key != trials[1].key
    assert store.best(record.id or 0)[0].number == 0
    assert [trial.number for trial in store.pareto(record.id or 0)] == [0, 1]
    assert store.frame(record.id or 0)["params"].tolist() == [1000.0, 100.0, 100.0]


def test_known_columns_need_no_claim(store: Store, tmp_path: Path) -> None:
    text = "op,accuracy,state,seconds,finished_at,violation\n"
    text += "a,0.5,complete,2.5,2026-11-21T10:00:00+01:00,0\nb,0.9,pruned,1,2026-11-21 08:00,0.5\n"
    incoming = _foreign(tmp_path, text, [Objective("accuracy")], Claims(decisions=("op",)))
    first, second = store.trials(add_study(store, "x", incoming, "x").id or 0)
    assert (first.started_at, first.finished_at) == (
        "2026-11-21T08:59:57.500000Z",
        "2026-11-21T09:00:00.000000Z",
    )
    assert (first.finish_order, second.finish_order) == (1, 0)
    assert (second.state, second.violation, second.seconds) == (State.PRUNED, 0.5, 1.0)


def test_constraints_make_trials_infeasible(store: Store, tmp_path: Path) -> None:
    path = tmp_path / "foreign.csv"
    path.write_text(FOREIGN)
    incoming = read_csv(path, GOALS[:1], CLAIMS, constraints=["params <= 500"])
    record = add_study(store, "x", incoming, "x")
    assert record.constraints == ("params <= 500",)
    trials = store.trials(record.id or 0)
    assert [trial.violation for trial in trials] == [1.0, 0.0, 0.0]
    assert [trial.number for trial in store.best(record.id or 0, 9)] == [1]
    with pytest.raises(ConfigError, match="no metric 'param'; did you mean 'params'"):
        read_csv(path, GOALS, CLAIMS, constraints=["param <= 5"])
    with pytest.raises(ConfigError, match="a constraint reads"):
        read_csv(path, GOALS, CLAIMS, constraints=["params = 5"])


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("0.8", "good", r"line 3, column 'accuracy': a number is wanted, got 'good'"),
        ("monday\n", "monday;\n", r"line 2: a row has a cell for each of the 6 columns, got 7"),
        (";when", ";op", r"2 columns 'op'"),
        ("params", "size", r"no metric 'params'"),
        ("when", "day", r"--ignore: .* no column 'when'"),
        ("when\n", 'when\n"', r"line 2: this is not CSV"),
        (FOREIGN, "", r"is empty"),
    ],
)
def test_a_bad_table_is_told(tmp_path: Path, old: str, new: str, told: str) -> None:
    with pytest.raises(ArchloomError, match=told):
        _foreign(tmp_path, FOREIGN.replace(old, new, 1))


@pytest.mark.parametrize(
    ("goals", "claims", "told"),
    [
        (GOALS, Claims(), r"what are the columns op,width,lr,when\?.*--decisions.*--metrics.*--ignore"),
        ([], CLAIMS, r"say what was searched for, with --maximize METRIC .*has accuracy, params"),
        ([Objective("acuracy")], CLAIMS, r"did you mean 'accuracy'"),
        ([Objective("test/accuracy")], CLAIMS, r"report metric"),
        ([*GOALS, Objective("accuracy")], CLAIMS, r"given 2 times"),
        (GOALS, Claims(("op", "width", "lr"), ("op",), ("when",)), r"'op' is claimed twice"),
        (GOALS, Claims(("op", "width", "lr"), ("when",)), r"line 2, column 'when': a number is wanted"),
    ],
)
def test_a_wrong_claim_is_told(tmp_path: Path, goals: list[Objective], claims: Claims, told: str) -> None:
    with pytest.raises(ArchloomError, match=told):
        _foreign(tmp_path, FOREIGN, goals, claims)


@pytest.mark.parametrize(
    ("column", "cell", "told"),
    [
        ("number", "1.5", "line 2, column 'number': a whole number"),
        ("number", "1", "line 3, column 'number': a number that no other trial has"),
        ("state", "COMPLET", "line 2, column 'state': .* did you mean 'COMPLETE'"),
        ("finished_at", "noon", "line 2, column 'finished_at': a time"),
        ("reused_from", "99", "line 2, column 'reused_from': the number of another trial"),
        ("violation", "-1", "line 2, column 'violation': a number of at least 0"),
        ("seed", str(2**70), "line 2, column 'seed': a smaller number"),
        ("excluded", "perhaps", "line 2, column 'excluded'"),
        ("lr", "inf", "line 2, column 'lr': a finite number"),
    ],
)
def test_a_cell_that_was_spoilt_is_told(tmp_path: Path, column: str, cell: str, told: str) -> None:
    path = tmp_path / "rich.csv"
    with Store() as store:
        write_csv(trial_columns(store.trials(make_rich(store).id or 0)), path)
        with path.open(encoding="utf-8", newline="") as file:
            header, first, *rest = csv.reader(file)
        first[header.index(column)] = cell
        with path.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([header, first, *rest])
        with pytest.raises(DataError, match=told):
            read_csv(path, GOALS)


def test_columns_that_were_moved_are_told(store: Store, rich: StudyRecord, tmp_path: Path) -> None:
    path = tmp_path / "rich.csv"
    write_csv(trial_columns(store.trials(rich.id or 0)), path)
    path.write_text(path.read_text().replace(",violation,", ",broken,", 1))
    with pytest.raises(ConfigError, match="its columns were changed since"):
        read_csv(path, [Objective("validation/accuracy")])
    write_csv(trial_columns(store.trials(rich.id or 0)), path, overwrite=True)
    with pytest.raises(ConfigError, match="leave --decisions"):
        read_csv(path, GOALS, CLAIMS)


def test_nothing_is_half_imported(store: Store, tmp_path: Path) -> None:
    incoming = _foreign(tmp_path, FOREIGN)
    broken = dataclasses.replace(incoming.trials[2], reused_from=77)
    before = len(store.studies())
    with pytest.raises(ArchloomError):
        add_study(store, "x", dataclasses.replace(incoming, trials=[*incoming.trials[:2], broken]), "x")
    assert len(store.studies()) == before
    add_study(store, "x", incoming, "x")
    with pytest.raises(StudyExistsError):
        add_study(store, "x", incoming, "x")


def test_bytes_that_are_no_text(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes(b"a,b\n\xff,1\n")
    with pytest.raises(DataError, match="not UTF-8 text"):
        read_csv(path, GOALS)
    with pytest.raises(ConfigError, match="cannot read"):
        read_csv(tmp_path / "none.csv", GOALS)
    path.write_text('a,accuracy,params\n"' + "x" * 200_000 + '",1,2\n')
    incoming = read_csv(path, GOALS, Claims(decisions=("a",)))
    assert len(str(incoming.trials[0].choices["a"])) == 200_000
