# SPDX-License-Identifier: Apache-2.0
"""``search run``."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

Search = Callable[..., Any]


def test_a_run_ends_with_its_winner(search: Search) -> None:
    result = search("run", "fast.yaml")
    assert result.code == 0
    assert "fast: the winner is trial" in result.out
    assert "objective, maximized" in result.out
    assert "test/score" in result.out
    assert "report only, never searched on" in result.out
    assert "6 evaluated of 6 proposed (6 COMPLETE)" in result.out
    assert "the budget of 6 evaluations is spent" in result.out
    assert "sqlite:///fast.db" in result.out
    assert "search show fast best --store sqlite:///fast.db" in result.out
    assert "search run fast.yaml budget.trials=12 --resume" in result.out
    assert "search export" not in result.out  # nothing was trained
    assert max(map(len, result.out.splitlines())) <= 80
    assert result.err == ""


def test_json_alone_is_on_stdout(search: Search) -> None:
    result = search("run", "fast.yaml", "--format", "json")
    data = json.loads(result.out, parse_constant=pytest.fail)
    assert (data["study"], data["store"]) == ("fast", "sqlite:///fast.db")
    assert (data["n_proposals"], data["n_evaluations"]) == (6, 6)
    assert data["counts"]["COMPLETE"] == 6
    assert data["objectives"] == [{"metric": "score", "direction": "maximize"}]
    assert [trial["number"] for trial in data["trials"]] == list(range(6))
    best = max(data["trials"], key=lambda trial: trial["metrics"]["score"])
    assert data["best"] == [best]
    assert best["objectives"] == {"score": best["metrics"]["score"]}
    assert set(best["choices"]) >= {"layers[0].width", "layers[1]"}


def test_yaml_and_csv_say_the_same(search: Search) -> None:
    by_yaml = YAML(typ="safe").load(search("run", "fast.yaml", "--format", "yaml").out)
    lines = search("run", "fast.yaml", "study=again", "-f", "csv", "--quiet").out
    rows = list(csv.DictReader(io.StringIO(lines)))
    assert [int(row["number"]) for row in rows] == [trial["number"] for trial in by_yaml["trials"]]
    assert [float(row["score"]) for row in rows] == [trial["metrics"]["score"] for trial in by_yaml["trials"]]
    assert [row["layers[0].width"] for row in rows] == [
        trial["choices"]["layers[0].width"] for trial in by_yaml["trials"]
    ]


def test_several_objectives_end_with_the_front(search: Search) -> None:
    words = ("run", "fast.yaml", "objectives={score: maximize, cost: minimize}")
    strategy = "strategy={name: regularized_evolution, population_size: 4, sample_size: 2}"
    result = search(*words, strategy)
    assert result.code == 0
    assert "on the Pareto front" in result.out
    data = json.loads(search(*words, strategy, "study=again", "-f", "json").out)
    assert "best" not in data
    costs = [trial["metrics"]["cost"] for trial in data["pareto"]]
    assert costs == sorted(costs, reverse=True)
    assert {trial["number"] for trial in data["pareto"]} <= {
        t["number"] for t in data["trials"] if t["is_pareto"]
    }


def test_a_second_study_of_the_name_is_refused(search: Search) -> None:
    assert search("run", "fast.yaml").code == 0
    result = search("run", "fast.yaml")
    assert result.code == 1
    assert result.out == ""
    assert "--resume" in result.err
    assert "study=NAME" in result.err
    assert "Traceback" not in result.err


def test_interrupt_says_how_to_go_on_and_resume_goes_on(search: Search) -> None:
    whole = json.loads(search("run", "fast.yaml", "study=whole", "-f", "json").out)
    Path("interrupt").touch()
    result = search("run", "fast.yaml")
    assert result.code == 130
    assert result.out == ""
    assert "search run fast.yaml --resume" in result.err
    Path("interrupt").unlink()
    data = json.loads(search("run", "fast.yaml", "--resume", "-f", "json").out)
    assert [trial["choices"] for trial in data["trials"]] == [trial["choices"] for trial in whole["trials"]]
    assert data["counts"]["COMPLETE"] == 6


def test_a_study_in_which_nothing_succeeds_fails(search: Search) -> None:
    Path("fail").touch()
    result = search("run", "fast.yaml")
    assert result.code == 1
    assert "No trial is COMPLETE" in result.out
    assert "No trial succeeded." in result.err
    assert "RuntimeError: no [bold]luck[/bold] today" in result.err
    assert "  search show fast 0 --store sqlite:///fast.db" in result.err.splitlines()
    shown = search("show", "fast", "0", "--store", "fast.db")
    assert "FAIL" in shown.out
    assert 'raise RuntimeError("no [bold]luck[/bold] today")' in shown.out
    status = search("status", "fast.yaml")
    assert "6 FAIL" in status.out
    assert "6 x RuntimeError" in status.out
    assert "–" in search("status", "--store", "fast.db").out
    best = search("best", "fast.yaml")
    assert best.code == 1
    assert "no COMPLETE trial that keeps its constraints" in best.err


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (("run", "nowhere.yaml"), 2, "nowhere.yaml: there is no such study file"),
        (("run", "scores.py"), 2, "scores.py"),
        (
            ("run", "fast.yaml", "space.layrs=3"),
            2,
            "override 'space.layrs=3': space.layrs: unknown key; did you",
        ),
        (("run", "fast.yaml", "space.layers=x"), 2, "space.layers: should be a valid integer, got 'x'"),
        (("run", "fast.yaml", "strategy=randon"), 2, "did you mean 'random'?"),
        (
            ("run", "fast.yaml", "space.widths=[]"),
            2,
            "space.widths: mlp needs at least one of widths, got none",
        ),
        (("run", "fast.yaml", "objectives={scroe: maximize}"), 2, "did you mean 'score'?"),
        (("run", "fast.yaml", "objectives={test/score: maximize}"), 2, "is a report metric"),
        (("run", "fast.yaml", "constraints=[cots <= 3]"), 2, "did you mean 'cost'?"),
        (("run", "fast.yaml", "store=sqlite:////no/such/folder/x.db"), 1, "/no/such/folder"),
        (
            (
                "run",
                "fast.yaml",
                "evaluator={name: training, data: fashion_mnist}",
                "objectives={accuracy: maximize}",
            ),
            1,
            "ARCHLOOM_DATA",
        ),
        (("run",), 2, "Missing argument 'FILE'"),
        (("run", "fast.yaml", "--format", "xml"), 2, "'xml' is not one of"),
        (("frobnicate",), 2, "No such command 'frobnicate'"),
    ],
)
def test_bad_input_ends_in_one_clean_message(
    search: Search, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], code: int, message: str
) -> None:
    monkeypatch.delenv("ARCHLOOM_DATA", raising=False)
    result = search(*words)
    assert result.code == code
    assert message in result.err
    assert "Traceback" not in result.err
    assert result.out == ""


def test_whatever_a_factory_raises_is_one_line(search: Search) -> None:
    text = "def boom():\n    return {}['nope']\n" + Path("scores.py").read_text()
    Path("scores.py").write_text(text)
    result = search("run", "fast.yaml", "space=scores:boom")
    assert (result.code, result.out) == (2, "")
    assert result.err == (
        "override 'space=scores:boom': space: scores:boom() raised KeyError: 'nope' (scores.py:2)\n"
    )
    debugged = search("run", "fast.yaml", "space=scores:boom", "--debug").err
    assert "return {}['nope']" in debugged


def test_commands_and_paths_are_never_cut(search: Search) -> None:
    folder = Path("a_rather_long_folder" * 4, "and_one_below_it" * 2)
    folder.mkdir(parents=True)
    store = f"sqlite:///{folder}/results.db"
    words = ("run", "fast.yaml", f"store={store}")
    ran = search(*words)
    lines = ran.out.splitlines()
    assert f"  search best fast -n 10 --store {store}" in lines
    assert f"  search run fast.yaml store={store} budget.trials=12 --resume" in lines
    assert f"database  {store}" in lines
    assert [line for line in lines if line != line.rstrip()] == []
    assert f"database   {store}" in search("status", "fast", "--store", store).out.splitlines()


def test_files_and_tracebacks_are_never_cut(search: Search) -> None:
    made = 'trial.artifact("weights.safetensors").write_bytes(b"")'
    text = Path("scores.py").read_text()
    Path("scores.py").write_text(text.replace("    width =", f"    {made}\n    width ="))
    folder = Path("a_rather_long_folder" * 6).absolute()
    assert search("run", "fast.yaml", f"artifacts={folder}").code == 0
    lines = search("show", "fast.yaml", "0").out.splitlines()
    file = next(line for line in lines if line.startswith("file "))
    assert Path(file.removeprefix("file").strip()).is_file()
    assert [line for line in lines if line != line.rstrip()] == []


def test_a_study_in_which_nothing_keeps_the_constraints_fails(search: Search) -> None:
    result = search("run", "fast.yaml", "constraints=[cost <= 2]")
    assert result.code == 1
    assert "No trial is COMPLETE and keeps the constraints." in result.out
    trials = json.loads(search("run", "fast.yaml", "study=b", "constraints=[cost <= 2]", "-f", "json").out)
    nearest = min(trials["trials"], key=lambda trial: trial["violation"])
    assert result.err == (
        f"No trial keeps the constraints: the nearest is trial {nearest['number']}, cost <= 2 (violation 1)\n"
    )


def test_resume_of_nothing_says_so_and_starts(search: Search) -> None:
    first = search("run", "fast.yaml", "--resume")
    assert first.code == 0
    assert first.err == "no study 'fast' in sqlite:///fast.db yet: starting it\n"
    assert search("run", "fast.yaml", "--resume").err == ""
    other = search("run", "fast.yaml", "study=other", "--resume")
    assert other.err == "no study 'other' in sqlite:///fast.db yet: starting it\n"
    assert search("run", "fast.yaml", "study=quiet", "--resume", "--quiet").err == ""


def test_a_wrong_objective_names_its_line(search: Search) -> None:
    Path("fast.yaml").write_text(
        Path("fast.yaml").read_text().replace("{score: maximize}", "{scroe: maximize}")
    )
    assert search("run", "fast.yaml").err.startswith("fast.yaml:9: ")


def test_debug_shows_the_traceback(search: Search) -> None:
    result = search("run", "fast.yaml", "strategy=randon", "--debug")
    assert result.code == 2
    assert "Traceback" in result.err


def test_the_file_s_store_comes_from_the_environment(search: Search, monkeypatch: pytest.MonkeyPatch) -> None:
    text = Path("fast.yaml").read_text().replace("store: sqlite:///fast.db\n", "")
    Path("fast.yaml").write_text(text)
    monkeypatch.setenv("ARCHLOOM_STORE", "sqlite:///mine.db")
    result = search("run", "fast.yaml")
    assert Path("mine.db").exists()
    assert "--store" not in result.out
    assert search("best", "fast").code == 0
