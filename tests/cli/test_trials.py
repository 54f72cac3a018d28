# SPDX-License-Identifier: Apache-2.0
"""``search trials``, ``pareto`` and ``compare``: many trials at once."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine

from archloom.cli._plot import plot

Search = Callable[..., Any]

TWO = ("objectives={score: maximize, cost: minimize}", "constraints=[cost <= 8]")


@pytest.fixture
def two(search: Search) -> Search:
    """Have run ``fast.yaml`` with two objectives and a constraint; trial 2 failed."""
    text = Path("scores.py").read_text()
    failing = '    if trial.number == 2:\n        raise RuntimeError("no luck")\n    width ='
    Path("scores.py").write_text(text.replace("    width =", failing))
    words = (*TWO, "space.widths=[2, 4, 8, 16]", "budget.trials=12")
    assert search("run", "fast.yaml", *words, "-q").code == 0
    return search


def _json(result: Any) -> Any:
    assert result.code == 0, result.err
    return json.loads(result.out)


def test_trials_are_a_line_each(two: Search) -> None:
    result = two("trials", "fast.yaml")
    lines = result.out.splitlines()
    assert lines[0].split()[:4] == ["trial", "state", "score", "cost"] or "trial" in lines[1]
    data = _json(two("trials", "fast.yaml", "-f", "json"))
    assert [trial["number"] for trial in data["trials"]] == list(range(12))
    for trial in data["trials"]:
        line = next(line for line in lines if line.split()[:1] == [str(trial["number"])])
        assert trial["state"] in line
        assert ("RuntimeError: no luck" if trial["state"] == "FAIL" else trial["architecture"]) in line
        assert (trial["violation"] > 0) == (f"{trial['state']}*" in line)
    assert "* breaks a constraint" in lines


def test_trials_by_state_order_and_number(two: Search) -> None:
    failed = _json(two("trials", "fast.yaml", "--state", "fail", "-f", "json"))["trials"]
    assert [trial["number"] for trial in failed] == [2]
    for sort, sign in (("cost", 1), ("-cost", -1)):
        trials = _json(two("trials", "fast.yaml", "--sort", sort, "-f", "json"))["trials"]
        costs = [sign * trial["metrics"]["cost"] for trial in trials if trial["state"] == "COMPLETE"]
        assert costs == sorted(costs)
        assert trials[-1]["number"] == 2  # it has no cost
    few = two("trials", "fast.yaml", "--limit", "3").out
    assert "3 of 12 trials" in few
    rows = list(csv.DictReader(io.StringIO(two("trials", "fast.yaml", "-n", "3", "-f", "csv").out)))
    assert [row["number"] for row in rows] == ["0", "1", "2"]
    assert "has no trial that is RUNNING" in two("trials", "fast.yaml", "--state", "running").out


@pytest.mark.parametrize("width", [40, 80])
@pytest.mark.parametrize(
    ("sort", "header"),
    [("time", "time"), ("-seconds", "time"), ("violation", "violation"), ("test/score", "test")],
)
def test_the_column_that_is_sorted_by_is_shown(
    two: Search, monkeypatch: pytest.MonkeyPatch, sort: str, header: str, width: int
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    lines = two("trials", "fast.yaml", "--sort", sort).out.splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith("trial"))
    assert header in " ".join(lines[: start + 1]).split()


def test_a_metric_of_any_name_is_shown_when_it_is_sorted_by(search: Search) -> None:
    assert search("run", "fast.yaml", "-q").code == 0
    assert "cost" not in search("trials", "fast.yaml").out
    assert "cost" in search("trials", "fast.yaml", "--sort", "-cost").out


def test_trials_of_which_a_condition_holds(two: Search) -> None:
    everything = _json(two("trials", "fast.yaml", "-f", "json"))["trials"]
    words = (
        "trials",
        "fast.yaml",
        "--where",
        "score > 5 and layers[0].width in (8, 16) and not reason contains luck",
    )
    found = _json(two(*words, "--sort", "-score,cost", "-f", "json"))
    wanted = [
        trial["number"]
        for trial in everything
        if trial["metrics"].get("score", 0) > 5 and trial["choices"]["layers[0].width"] in ("8", "16")
    ]
    assert sorted(trial["number"] for trial in found["trials"]) == wanted != []
    order = [(-t["metrics"]["score"], t["metrics"]["cost"], t["number"]) for t in found["trials"]]
    assert order == sorted(order)
    few = _json(two(*words, "-n", "2", "-f", "json"))
    assert (len(few["trials"]), few["n_trials"]) == (2, len(wanted))
    assert f"2 of {len(wanted)} trials" in two(*words, "-n", "2").out
    assert "has no trial of which cost > 99 holds" in two("trials", "fast.yaml", "-w", "cost > 99").out


def test_a_decision_and_a_column_are_shown_when_sorted_by(two: Search) -> None:
    lines = two("trials", "fast.yaml", "--sort", "-layers[0].width,seed").out.splitlines()
    head = "".join(" ".join(lines[: lines.index("")]).split("trial")[0].split()) + lines[1]
    assert "seed" in head
    assert "layers" in "".join(lines[:2])


def test_an_excluded_trial_is_shown_and_marked(two: Search) -> None:
    engine = create_engine("sqlite:///fast.db")
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE trials SET excluded = 'outside', is_pareto = 0 WHERE number = 1")
    engine.dispose()
    result = two("trials", "fast.yaml")
    (line,) = [line for line in result.out.splitlines() if line.split()[:1] == ["1"]]
    assert "†" in line.split()[1]
    assert "† does not count: outside the space as it is now" in result.out
    trials = _json(two("trials", "fast.yaml", "-w", "excluded", "-f", "json"))["trials"]
    assert [(trial["number"], trial["excluded"]) for trial in trials] == [(1, "outside")]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--state", "FALI"), "--state 'FALI' is no state of a trial; did you mean 'FAIL'?"),
        (
            ("--sort", "-scroe"),
            "sort: no trial has a metric, decision or column 'scroe'; did you mean 'score'?\n  -scroe\n   ^",
        ),
        (("--where", "cost >"), "where: expected a value, got the end\n  cost >\n        ^\n"),
        (
            ("--where", "cost > 1 or coast < 2"),
            "did you mean 'cost'?\n  cost > 1 or coast < 2\n              ^\n",
        ),
        (("--limit", "0"), "--limit"),
    ],
)
def test_bad_input_of_trials(two: Search, words: tuple[str, ...], message: str) -> None:
    result = two("trials", "fast.yaml", *words)
    assert (result.code, result.out) == (2, "")
    assert message in result.err


def test_the_front_is_feasible_undominated_and_drawn(two: Search) -> None:
    data = _json(two("pareto", "fast.yaml", "-f", "json"))
    trials = _json(two("trials", "fast.yaml", "-f", "json"))["trials"]
    feasible = [t["objectives"] for t in trials if t["state"] == "COMPLETE" and not t["violation"]]
    for trial in data["pareto"]:
        mine = trial["objectives"]
        assert trial["violation"] == 0
        assert not any(
            o["score"] >= mine["score"] and o["cost"] <= mine["cost"] and o != mine for o in feasible
        )
    result = two("pareto", "fast.yaml")
    assert f"{len(data['pareto'])} on the front of {len(feasible)}" in result.out
    assert "maximize score and minimize cost, cost <= 8" in result.out
    assert result.out.count("●") >= len({tuple(t["objectives"].values()) for t in data["pareto"]})
    assert max(map(len, result.out.splitlines())) <= 80


def test_the_front_of_one_objective_is_the_best(search: Search) -> None:
    assert search("run", "fast.yaml", "-q").code == 0
    result = search("pareto", "fast.yaml")
    assert result.code == 0
    assert "with one objective, the front is the best trial" in result.out


def test_a_front_that_is_empty_is_told(search: Search) -> None:
    assert search("run", "fast.yaml", "constraints=[cost <= 1]", "-q").code == 1
    result = search("pareto", "fast.yaml")
    assert (result.code, result.out) == (1, "")
    assert "no COMPLETE trial that keeps its constraints" in result.err


def test_a_plot_puts_points_where_they_belong() -> None:
    lines = plot({"·": [(1, 0), (1000, 1)], "●": [(31.6, 0.5)]}, "cost", "score", 60, 5)
    assert lines[0] == "score"
    assert lines[1].endswith("·")
    assert lines[3].index("●") == pytest.approx((len(lines[1]) + lines[5].index("·")) / 2, abs=2)
    assert lines[-1].strip() == "cost (logarithmic)"
    assert plot({"o": [(3, 3)]}, "a", "b", 20, 3)[2].count("o") == 1


def test_studies_side_by_side(search: Search) -> None:
    strategy = "strategy={name: regularized_evolution, population_size: 2, sample_size: 1}"
    assert search("run", "fast.yaml", "-q").code == 0
    assert search("run", "fast.yaml", "study=other", strategy, "store=sqlite:///other.db", "-q").code == 0
    words = ("compare", "fast", "other", "--store", "fast.db", "--store", "other.db")
    data = _json(search(*words, "-f", "json"))
    assert data["differences"] == []
    first, second = data["studies"]
    assert (first["strategy"], second["strategy"]) == ("random", "regularized_evolution")
    scores = [t["metrics"]["score"] for t in _json(search("trials", "fast.yaml", "-f", "json"))["trials"]]
    assert first["incumbent"] == {
        str(share): max(scores[:n]) for share, n in ((10, 1), (25, 2), (50, 3), (100, 6))
    }
    assert first["metrics"]["test/score"] == 0.25
    shown = search(*words).out
    assert "differ" not in shown
    assert shown.splitlines()[0].split() == ["fast", "other"]
    rows = list(csv.DictReader(io.StringIO(search(*words, "-f", "csv").out)))
    assert [float(row["incumbent at 100 %"]) for row in rows] == [max(scores), second["incumbent"]["100"]]


def test_studies_that_are_no_match_are_told(two: Search) -> None:
    words = ("study=b", "store=sqlite:///fast.db", "space.layers=1", "budget.trials=2", "constraints=[]")
    assert two("run", "fast.yaml", *words, "objectives={score: maximize}", "-q").code == 0
    shown = two("compare", "fast.yaml", "b", "--store", "fast.db").out.splitlines()
    assert shown[:4] == [
        "these studies search different spaces: fast | b",
        "these studies have different objectives: fast | b",
        "these studies have different constraints: fast | b",
        "these studies have different budgets: fast | b",
    ]


def test_a_tree_is_a_tree_and_test_metrics_have_an_owner(two: Search) -> None:
    space = "space={a: {oneof: [1, 2]}, b: 3}"
    text = Path("scores.py").read_text().replace('"layers[0].width"', '"a"')
    Path("scores.py").write_text(text)
    assert two("run", "fast.yaml", "study=tree", space, "budget.trials=2", "-q").code == 0
    lines = two("compare", "fast", "tree", "--store", "fast.db").out.splitlines()
    best = _json(two("best", "fast.yaml", "-f", "json"))["pareto"][0]
    cells = {tuple(line.split()) for line in lines}
    assert ("space", "mlp", "tree") in cells
    assert ("test/score", "0.2500", "(trial", f"{best['number']})", "–") in cells
    assert ("its", "test/score", "–", "0.2500") in cells
    assert any(line.startswith("time ") for line in lines)


def test_many_studies_go_on_below(two: Search) -> None:
    names = ["fast"] * 7
    lines = two("compare", *names, "--store", "fast.db").out.splitlines()
    assert max(map(len, lines)) <= 80
    assert sum(line.split()[:1] == ["strategy"] for line in lines) > 1
    assert sum(line.count("mlp") for line in lines if line.startswith("space")) == 7


def test_bad_input_of_compare(two: Search) -> None:
    result = two("compare", "fast", "fast", "fast", "--store", "a.db", "--store", "b.db")
    assert (result.code, result.out) == (2, "")
    assert "got 2 for 3 studies" in result.err
    assert "did you mean 'fast'?" in two("compare", "fasst", "--store", "fast.db").err
