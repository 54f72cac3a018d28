# SPDX-License-Identifier: Apache-2.0
"""``search export --to`` and ``search import``: studies out and in."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import optuna
import pandas
import pytest

Search = Callable[..., Any]


@pytest.fixture
def ran(search: Search) -> Search:
    """Have run ``fast.yaml``, whose trials report a step."""
    assert search("run", "fast.yaml", "-q", "objectives={score: maximize, cost: minimize}").code == 0
    return search


def _trials(search: Search, study: str) -> Any:
    found = json.loads(search("trials", study, "--store", "fast.db", "-f", "json").out)["trials"]
    return [{**trial, "worker": None} for trial in found]  # who had it means nothing elsewhere


def test_a_study_goes_out_as_csv_and_comes_back(ran: Search) -> None:
    result = ran("export", "fast", "--to", "csv", "fast.csv", "--store", "fast.db")
    assert result.code == 0, result.err
    assert result.out.splitlines() == ["exported  6 trials of study fast", "written   fast.csv"]
    words = ("--minimize", "cost", "--maximize", "score", "--constraint", "cost <= 6")
    again = ran("import", "fast.csv", "--study", "back", *words, "--store", "fast.db")
    assert again.code == 0, again.err
    assert "study back, 6 trials: 6 COMPLETE" in again.out
    assert "search best back --store fast.db" in again.out
    before, after = _trials(ran, "fast"), _trials(ran, "back")
    for old, new in zip(before, after, strict=True):
        assert list(new.pop("objectives")) == ["cost", "score"]
        assert {**new, "objectives": old["objectives"]} == old
    for verb in ("status", "best", "pareto", "compare", "show"):
        shown = ran(verb, "back", *(["0"] if verb == "show" else []), "--store", "fast.db")
        assert shown.code == 0, shown.err
    assert "imported from fast.csv" in ran("status", "back", "--store", "fast.db").out


def test_tables_are_written_once(ran: Search) -> None:
    for words in (("csv", "t.csv"), ("parquet", "t.parquet"), ("optuna", "sqlite:///o.db")):
        command = ("export", "fast", "--to", *words, "--store", "fast.db")
        assert ran(*command).code == 0
        refused = ran(*command)
        assert (refused.code, refused.out) == (2, "")
        assert "--overwrite" in refused.err
        assert ran(*command, "--overwrite").code == 0
    assert len(pandas.read_parquet("t.parquet")) == 6
    assert not list(Path().glob("*.part"))


def test_curves_are_a_table_of_their_own(ran: Search) -> None:
    result = ran("export", "fast", "--to", "csv", "c.csv", "--curves", "--store", "fast.db")
    assert "6 reported values of study fast" in result.out
    assert Path("c.csv").read_text().startswith("number,metric,step,value\n0,score,1,")


def test_a_study_goes_to_optuna_and_comes_back(ran: Search) -> None:
    result = ran("export", "fast", "--to", "optuna", "o.db", "--store", "fast.db")
    assert result.code == 0, result.err
    assert "optuna-dashboard sqlite:///o.db" in result.out
    assert result.err == ""
    assert [s.study_name for s in optuna.get_all_study_summaries("sqlite:///o.db")] == ["fast"]
    assert ran("import", "o.db", "--study", "back", "--store", "fast.db").code == 0
    assert _trials(ran, "back") == _trials(ran, "fast")
    taken = ran("import", "sqlite:///o.db", "--store", "fast.db")
    assert (taken.code, taken.out) == (1, "")
    assert "there is a study 'fast' in fast.db already" in taken.err
    assert "--study" in taken.err


def test_a_table_of_others_goes_into_the_usual_store(search: Search, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ARCHLOOM_STORE", "sqlite:///usual.db")
    Path("mine.csv").write_text('op,"a,b",acc,size,who\nconv,1,0.5,10,me\npool,2,0.6,20,you\n')
    words = ("mine.csv", "--maximize", "acc", "--decisions", 'op,"a,b"', "--metrics", "size")
    refused = search("import", *words)
    assert refused.code == 2
    assert "what are the columns who?" in refused.err
    assert not Path("usual.db").exists()
    result = search("import", *words, "--ignore", "who")
    assert result.code == 0, result.err
    assert "search best mine\n" in result.out
    best = json.loads(search("best", "mine", "-f", "json").out)["best"][0]
    assert best["choices"] == {"a,b": "2", "op": "pool"}
    assert best["metrics"] == {"acc": 0.6, "size": 20.0}


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("export fast", "say which trial's network, and where to: search export fast best FOLDER"),
        ("export fast 3", "search export fast 3 FOLDER; all trials as a table: search export fast --to csv"),
        ("export fast t.csv", "search export fast --to csv t.csv"),
        ("export fast sqlite:///o.db", "search export fast --to optuna sqlite:///o.db"),
        ("export fast --curves", "--curves goes with --to"),
        ("export fast 3 there --curves", "--curves goes with --to"),
        ("export fast --to csv", "say where to: search export fast --to csv trials.csv"),
        ("export fast --to csv 3 t.csv", "one word follows the study"),
        ("export fast --to csv t.parquet", "that name is for --to parquet"),
        ("export fast --to csv sqlite:///o.db", "writes a file, got the URL"),
        ("export fast --to optuna t.csv", "that name is for --to csv"),
        ("export fast --to optuna o.db --curves", "has curves anyway"),
        ("export fast --to csv t.csv --trust", "--trust goes with a trial's network"),
        ("export fast --to csv no/t.csv --store fast.db", "there is no folder no"),
        ("export fast --to optuna fast.db --store fast.db", "is an archloom store"),
        ("import none.csv --maximize score", "cannot read none.csv"),
        ("import none.csv --optuna-study x", "--optuna-study goes with --from optuna"),
        ("import none.db", "there is no Optuna storage sqlite:///none.db"),
        ("import o.db --maximize score", "leave --maximize out"),
        ("import o.db --constraint a<=1", "leave --constraint out"),
        ("import o.db --from csv --maximize score", "cannot read o.db"),
        ("import sqlite:///o.db --from csv --maximize score", "--from csv reads a file"),
    ],
)
def test_a_wrong_mixture_is_one_error(ran: Search, words: str, told: str) -> None:
    result = ran(*words.split())
    assert (result.code, result.out) == (2, "")
    assert told in " ".join(result.err.split())
