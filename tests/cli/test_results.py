# SPDX-License-Identifier: Apache-2.0
"""``search status``, ``best``, ``show`` and ``schema``: what a store holds."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from archloom.cli._words import percent

Search = Callable[..., Any]


@pytest.fixture
def ran(search: Search) -> Search:
    """Have run ``fast.yaml``."""
    assert search("run", "fast.yaml", "constraints=[cost <= 100]").code == 0
    return search


def test_status_lists_the_studies(ran: Search) -> None:
    result = ran("status", "--store", "fast.db")
    assert result.code == 0
    assert result.out.split()[:6] == ["study", "status", "trials", "failed", "best", "of"]
    assert "fast" in result.out
    studies = json.loads(ran("status", "--store", "fast.db", "-f", "json").out)["studies"]
    assert [study["study"] for study in studies] == ["fast"]


def test_status_of_one_study(ran: Search) -> None:
    result = ran("status", "fast.yaml")
    assert "done: the budget of 6 evaluations is spent" in result.out
    assert "maximize score" in result.out
    assert "cost <= 100" in result.out
    data = json.loads(ran("status", "fast.yaml", "-f", "json").out)
    assert data["counts"]["COMPLETE"] == 6
    assert data["config"]["study"] == "fast"
    rows = list(csv.DictReader(io.StringIO(ran("status", "fast.yaml", "-f", "csv").out)))
    assert float(rows[0]["score"]) == data["best"]["objectives"]["score"]


def test_an_interrupted_study_says_so(search: Search) -> None:
    Path("interrupt").touch()
    assert search("run", "fast.yaml", "-q").code == 130
    assert "stopped: interrupted\n" in search("status", "fast.yaml").out


def test_cells_of_csv_are_no_python(ran: Search) -> None:
    rows = list(csv.DictReader(io.StringIO(ran("trials", "fast.yaml", "-f", "csv").out)))
    assert {row["is_pareto"] for row in rows} == {"true", "false"}
    lines = ran("space", "show", "mlp", "widths=[8, 16]", "-f", "csv").out.splitlines()
    assert "8 | 16" in lines[1]
    options = {row["name"]: row for row in csv.DictReader(io.StringIO(ran("spaces", "mlp", "-f", "csv").out))}
    assert options["activations"]["default"] == "relu | gelu | tanh"
    assert "{'" not in ran("doctor", "--store", "fast.db", "-f", "csv").out
    empty = ran("trials", "fast.yaml", "--state", "running", "-f", "csv").out
    assert empty == "number,state,architecture,reason\n"


def test_status_of_an_empty_store(search: Search) -> None:
    from archloom.store import Store

    Store("sqlite:///empty.db").close()
    assert "holds no study yet" in search("status", "--store", "empty.db").out


def test_best_shows_the_winner_in_words(ran: Search) -> None:
    result = ran("best", "fast", "--store", "fast.db")
    assert "objective, maximized" in result.out
    assert "layers[0]" in result.out


def test_best_n_is_a_table_without_repeats(ran: Search) -> None:
    result = ran("best", "fast.yaml", "-n", "3")
    assert result.code == 0
    assert max(map(len, result.out.splitlines())) <= 80
    trials = json.loads(ran("best", "fast.yaml", "-n", "3", "-f", "json").out)["best"]
    scores = [trial["metrics"]["score"] for trial in trials]
    assert len(scores) == 3
    assert scores == sorted(scores, reverse=True)


def test_show_says_everything_of_a_trial(ran: Search) -> None:
    result = ran("show", "fast.yaml", "0")
    for words in ("0 of fast", "COMPLETE", "objective, maximized", "seed", "layers[0]", "step"):
        assert words in result.out
    data = json.loads(ran("show", "fast.yaml", "0", "-f", "json").out)
    assert data["number"] == 0
    assert set(data["curves"]["score"]) == {"1"}


def test_a_long_curve_is_shown_by_a_few_steps(search: Search) -> None:
    text = Path("scores.py").read_text()
    reports = '[trial.report(step, {"score": width / step}) for step in range(1, 101)]'
    Path("scores.py").write_text(text.replace('trial.report(1, {"score": width / 2})', reports))
    assert search("run", "fast.yaml").code == 0
    lines = search("show", "fast.yaml", "0").out.splitlines()
    start = next(i for i, line in enumerate(lines) if line.split() == ["step", "score"])
    rows = lines[start + 1 : lines.index("12 of 100 steps; --format json has all")]
    steps = [int(line.split()[0]) for line in rows if line]
    assert steps == [1, 10, 19, 28, 37, 46, 55, 64, 73, 82, 91, 100]
    assert len(json.loads(search("show", "fast.yaml", "0", "-f", "json").out)["curves"]["score"]) == 100


def test_a_repeat_and_a_broken_constraint_are_told(search: Search) -> None:
    strategy = "strategy={name: regularized_evolution, population_size: 2, sample_size: 1}"
    words = (strategy, "constraints=[cost <= 5]", "budget={trials: 15, count: proposals}")
    data = json.loads(search("run", "fast.yaml", *words, "-f", "json").out)
    repeat = next(trial for trial in data["trials"] if trial["reused_from"] is not None)
    shown = search("show", "fast.yaml", str(repeat["number"])).out
    assert f"trial {repeat['reused_from']}" in shown
    broken = next(trial for trial in data["trials"] if trial["violation"] > 0)
    told = f"no: breaks its constraints by {percent(broken['violation'])}"
    assert told in search("show", "fast.yaml", str(broken["number"])).out


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (
            ("best", "fest", "--store", "fast.db"),
            1,
            "no study 'fest' in sqlite:///fast.db; did you mean 'fast'?",
        ),
        (("best", "fast", "--store", "nowhere.db"), 1, "nowhere.db"),
        (("best", "nowhere.yaml"), 2, "nowhere.yaml: there is no such study file"),
        (("show", "fast.yaml", "99"), 1, "has no trial 99"),
        (("show", "fast.yaml", "worst"), 2, "TRIAL must be 'best' or a trial's number, got 'worst'"),
        (("status", "--store", "scores.py"), 1, "scores.py"),
    ],
)
def test_bad_input(ran: Search, words: tuple[str, ...], code: int, message: str) -> None:
    result = ran(*words)
    assert result.code == code
    assert message in result.err
    assert "Traceback" not in result.err
    assert result.out == ""


def test_the_environment_names_the_store(ran: Search, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ARCHLOOM_STORE", "sqlite:///fast.db")
    assert ran("best", "fast").code == 0
    assert ran("status").code == 0


def test_a_study_file_names_its_study_and_store(ran: Search) -> None:
    Path("elsewhere").mkdir()
    Path("elsewhere/fast.yml").write_text(Path("fast.yaml").read_text())
    assert ran("best", "elsewhere/fast.yml").code == 0


def test_the_schema_is_json(search: Search) -> None:
    assert json.loads(search("schema").out)["title"] == "archloom study file"


def test_version_and_help(search: Search) -> None:
    assert search("--version").out.startswith("archloom 0.")
    for verb in ("run", "status", "best", "show", "export", "schema"):
        result = search(verb, "--help")
        assert result.code == 0
        assert "Usage: search " + verb in result.out
