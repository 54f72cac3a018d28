# SPDX-License-Identifier: Apache-2.0
"""``search sql``: a question, its answer as a table or for programs, and no way to change anything."""

from __future__ import annotations

import csv
import io
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from archloom.cli import sql as module
from archloom.contracts import Objective, State
from archloom.store import Outcome, Proposal, Store, StudyRecord

Search = Callable[..., Any]


@pytest.fixture(autouse=True)
def _store(search: Search, monkeypatch: pytest.MonkeyPatch) -> None:
    """A store of a study with two trials, in the working folder of ``search``."""
    monkeypatch.setenv("ARCHLOOM_STORE", "sqlite:///a.db")
    with Store("a.db") as store:
        study = store.create_study(StudyRecord("demo", 0, (Objective("score"),)))
        store.propose(study, 0, [Proposal(f"k{i}", f"op={i}", {"op": str(i)}, seed=i) for i in range(2)])
        store.claim_many(study, 2)
        ends = {i: Outcome(State.COMPLETE, {"score": 0.25 + i}, reason="a\x1b[31m\n[b]") for i in range(2)}
        store.finish_many(study, ends)


def test_a_table(search: Search) -> None:
    done = search("sql", "SELECT number, state, value, fidelity FROM trials")
    assert done.code == 0
    assert [line.split() for line in done.out.splitlines()] == [
        ["number", "state", "value", "fidelity"],
        ["0", "COMPLETE", "0.25", "–"],
        ["1", "COMPLETE", "1.25", "–"],
    ]


def test_what_would_steer_a_terminal_is_shown(search: Search) -> None:
    done = search("sql", "SELECT reason FROM trials LIMIT 1")
    assert done.out.splitlines()[1] == r"a\x1b[31m\n[b]"


def test_names_too(search: Search) -> None:
    done = search("sql", 'SELECT 1 AS "\x1b]0;x\x07[red]"')
    assert "\x1b" not in done.out
    assert "[red]" in done.out.replace("\n", "").replace(" ", "")


def test_for_programs(search: Search) -> None:
    text = "SELECT number, value, x'00ff' AS raw, NULL AS missing FROM trials"
    found = json.loads(search("sql", text, "--format", "json").out)
    assert found["columns"] == ["number", "value", "raw", "missing"]
    assert found["rows"][1] == {"number": 1, "value": 1.25, "raw": "00ff", "missing": None}
    assert found["is_cut"] is False
    rows = list(csv.reader(io.StringIO(search("sql", text, "-f", "csv").out)))
    assert rows == [
        ["number", "value", "raw", "missing"],
        ["0", "0.25", "00ff", ""],
        ["1", "1.25", "00ff", ""],
    ]
    assert "number: 1" in search("sql", text, "--format", "yaml").out


def test_no_row(search: Search) -> None:
    text = "SELECT number, state FROM trials WHERE number > 9"
    assert search("sql", text).out == "no row; the columns are number, state\n"
    assert search("sql", text, "--format", "csv").out == "number,state\n"


def test_a_limit_is_told(search: Search, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "the first 1 row; --limit N shows more" in search("sql", "SELECT * FROM trials", "-n", "1").out
    assert json.loads(search("sql", "SELECT * FROM trials", "-n", "1", "-f", "json").out)["is_cut"]
    monkeypatch.setattr(module, "SHOWN_ROWS", 1)
    assert "the first 1 row" in search("sql", "SELECT * FROM trials").out
    assert len(json.loads(search("sql", "SELECT * FROM trials", "-f", "json").out)["rows"]) == 2


def test_from_stdin(search: Search, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("SELECT count(*) AS n\nFROM trials;\n"))
    assert search("sql", "-", "-f", "csv").out == "n\n2\n"


def test_no_cell_is_a_formula_for_a_spreadsheet(search: Search) -> None:
    text = "SELECT '=1+1' AS \"@x\", '-1' AS label, -1 AS n, '' AS empty"
    rows = list(csv.reader(io.StringIO(search("sql", text, "-f", "csv").out)))
    assert rows == [["'@x", "label", "n", "empty"], ["'=1+1", "-1", "-1", ""]]


def test_long_texts_are_left_out_first(search: Search) -> None:
    out = search("sql", "SELECT * FROM best").out
    assert {"study", "trial", "value"} <= set(out.splitlines()[0].split())
    assert "left out: " in out


def test_a_cell_is_cut(search: Search) -> None:
    out = search("sql", "SELECT hex(zeroblob(1000000)) AS big").out
    assert len(out) < 500
    assert out.rstrip().endswith("…")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("DELETE FROM trials", "only reading is allowed: a statement begins with SELECT, WITH or VALUES"),
        ("SELECT 1; DROP TABLE trials", "one statement at a time; a second begins at line 1, column 11"),
        ("SELECT * FROM trails", "there is no table 'trails' at line 1, column 15; did you mean 'trials'?"),
        ("", "there is no statement"),
    ],
)
def test_mistakes_are_one_line(search: Search, text: str, told: str) -> None:
    done = search("sql", text)
    assert (done.code, done.out) == (1, "")
    assert told in done.err
    assert len(done.err.splitlines()) == 1


def test_time_is_bounded(search: Search) -> None:
    endless = "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r) SELECT max(n) FROM r"
    assert search("sql", endless, "--timeout", "0.1").err == "the statement took longer than 0.1 s\n"


def test_a_file_that_is_not_there_is_not_made(search: Search) -> None:
    done = search("sql", "SELECT 1", "--store", "none.db")
    assert (done.code, done.err) == (1, "cannot open sqlite:///none.db: there is no file none.db\n")
    assert not Path("none.db").exists()
