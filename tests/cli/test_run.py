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
    assert "  search best fast.yaml -n 10\n  search show fast.yaml best\n" in result.out
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
    assert "No trial is COMPLETE." in result.out
    assert "No trial succeeded." in result.err
    assert "RuntimeError: no [bold]luck[/bold] today" in result.err
    assert "  search show fast.yaml 0" in result.err.splitlines()
    shown = search("show", "fast", "0", "--store", "fast.db")
    assert "FAIL" in shown.out
    assert 'raise RuntimeError("no [bold]luck[/bold] today")' in shown.out
    status = search("status", "fast.yaml")
    assert "6 FAIL" in status.out
    assert "6 x RuntimeError" in status.out
    assert "–" in search("status", "--store", "fast.db").out
    best = search("best", "fast.yaml")
    assert best.code == 1
    assert best.err == "study 'fast' has no COMPLETE trial yet\n"
    assert search("show", "fast.yaml", "best").err == best.err
    assert search("pareto", "fast.yaml").err == best.err


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
        f"No trial keeps the constraints: the nearest is trial {nearest['number']}, which breaks cost <= 2 "
        "by 100 %\n"
    )


@pytest.mark.parametrize(
    ("overrides", "named", "at"),
    [
        ((), "fast.yaml", ""),
        (("space.layers=1",), "fast.yaml", ""),
        (("study=fast",), "fast.yaml", ""),
        (("study=other",), "other", " --store sqlite:///fast.db"),
        (("store=sqlite:///x.db",), "fast", " --store sqlite:///x.db"),
        (("study=other", "store=sqlite:///archloom.db"), "other", ""),
    ],
)
def test_what_to_type_next_works(search: Search, overrides: tuple[str, ...], named: str, at: str) -> None:
    lines = search("run", "fast.yaml", *overrides).out.splitlines()
    assert f"  search best {named} -n 10{at}" in lines
    assert search(*f"best {named} -n 10{at}".split()).code == 0


def test_a_file_that_is_whole_only_with_overrides_is_not_named(search: Search) -> None:
    Path("fast.yaml").write_text(Path("fast.yaml").read_text().replace("budget: {trials: 6}\n", ""))
    result = search("run", "fast.yaml", "budget.trials=6")
    assert result.code == 0, result.err
    assert "  search best fast -n 10 --store sqlite:///fast.db" in result.out.splitlines()


WEIGHTS = 'trial.artifact("weights.safetensors").write_bytes(b"")\n    width ='


@pytest.mark.parametrize(
    ("overrides", "command"),
    [
        ((), "search export fast.yaml best fast-model"),
        (("study=b",), "search export b best b-model --store sqlite:///fast.db --trust"),
        (("space=scores:one",), "search export fast.yaml best fast-model --trust"),
    ],
)
def test_export_is_told_to_trust_where_it_must(
    search: Search, overrides: tuple[str, ...], command: str
) -> None:
    text = Path("scores.py").read_text().replace("width =", WEIGHTS)
    made = "\ndef one():\n    from archloom.search_spaces.mlp import mlp\n    return mlp(layers=1)\n"
    Path("scores.py").write_text(text + made)
    result = search("run", "fast.yaml", *overrides)
    assert f"  {command}" in result.out.splitlines(), result.err


def test_what_is_under_a_constraint_is_shown_and_marked(search: Search) -> None:
    text = Path("scores.py").read_text().replace('"cost": float(width)', '"heat": float(width)')
    Path("scores.py").write_text(text)
    words = ("evaluator.gives=[score, heat, test/score]", "constraints=[heat <= 1000]")
    ran = search("run", "fast.yaml", *words)
    assert "constraint, <= 1000" in ran.out
    assert "constraint, <= 1000" in search("show", "fast.yaml", "0").out
    assert "constraint, <= 1000" in search("best", "fast.yaml").out
    for verb in (("best", "fast.yaml", "-n", "2"), ("trials", "fast.yaml"), ("pareto", "fast.yaml")):
        assert "heat" in " ".join(search(*verb).out.split("architecture")[0].splitlines()[-2:])
    assert "its heat" in search("compare", "fast.yaml").out


@pytest.mark.parametrize("cost", ["latency_ms", "memory_mb"])
def test_a_cost_is_shown_without_a_constraint(search: Search, cost: str) -> None:
    text = Path("scores.py").read_text().replace('"cost": float(width)', f'"{cost}": float(width)')
    Path("scores.py").write_text(text)
    result = search("run", "fast.yaml", f"evaluator.gives=[score, {cost}, test/score]")
    assert cost in result.out, result.err
    assert cost.split("_")[0] in search("trials", "fast.yaml").out


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
