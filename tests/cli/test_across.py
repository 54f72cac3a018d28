# SPDX-License-Identifier: Apache-2.0
"""``search best``, ``pareto`` and ``compare`` over several studies; ``search importance``."""

from __future__ import annotations

import csv
import io
import json
import statistics
from collections.abc import Callable
from typing import Any

import pytest

from archloom.cli._repeats import Course, Repeats, repeats_of
from archloom.contracts import Objective, State
from archloom.store import Outcome, Proposal, Store, StudyRecord

Search = Callable[..., Any]

UP, DOWN = Objective("score"), Objective("cost", "minimize")


def _add(
    store: Store, name: str, goals: tuple[Objective, ...], rows: list[tuple[float, float]], **more: Any
) -> None:
    """Add a study of trials with a score and a cost each; a negative cost breaks a constraint."""
    study = store.create_study(StudyRecord(name, more.pop("seed", 0), goals, **more))
    with store.transaction():
        plan = [Proposal(f"{name}{i}", f"net {name} {i}", {"op": "ab"[i % 2]}, i) for i in range(len(rows))]
        store.propose(study, 0, plan)
        for i, (score, cost) in enumerate(rows):
            metrics = {"score": score, "cost": abs(cost)}
            store.finish(study, i, Outcome(State.COMPLETE, metrics, violation=float(cost < 0)))


@pytest.fixture
def many(search: Search) -> Search:
    """A store of studies that search for two different things, and of one without a result."""
    with Store("sqlite:///many.db") as store:
        _add(store, "a", (UP,), [(0.1, 1), (0.8, 2), (0.9, -1)])
        _add(store, "b", (UP,), [(0.3, 1), (0.7, 2)])
        _add(store, "two", (UP, DOWN), [(0.5, 1), (0.95, 5), (0.4, 3)])
        _add(store, "three", (DOWN, UP), [(0.6, 1), (0.95, 6), (0.2, 0.5)])
        _add(store, "none", (UP,), [(0.9, -1)], constraints=("cost <= 0",))
    return search


def _json(result: Any) -> Any:
    assert result.code == 0, result.err
    return json.loads(result.out)


def _pairs(rows: list[dict[str, Any]]) -> list[tuple[str, int]]:
    return [(row["study"], row["number"]) for row in rows]


def test_best_of_every_study_of_a_store(many: Search) -> None:
    data = _json(many("best", "--store", "many.db", "-f", "json"))
    first, second = data["rankings"]
    assert first["objectives"] == [{"metric": "score", "direction": "maximize"}]
    assert first["studies"] == ["a", "b", "two"]
    assert _pairs(first["best"]) == [
        ("two", 1), ("a", 1), ("b", 1), ("two", 0), ("two", 2), ("b", 0), ("a", 0)
    ]  # fmt: skip
    assert (second["studies"], _pairs(second["best"])) == (
        ["three"],
        [("three", 2), ("three", 0), ("three", 1)],
    )
    assert data["left_out"] == [{"study": "none", "reason": "no COMPLETE trial that keeps its constraints"}]
    out = many("best", "--store", "many.db", "-n", "2").out
    assert "maximize score: a, b, two" in out
    assert "studies that search for something else are ranked apart" in out
    assert "left out: none (no COMPLETE trial that keeps its constraints)" in out
    lines = [line.split()[:2] for line in out.splitlines()]
    assert ["two", "1"] in lines
    assert ["b", "1"] not in lines
    rows = list(csv.DictReader(io.StringIO(many("best", "a", "b", "--store", "many.db", "-f", "csv").out)))
    assert [(row["study"], row["number"]) for row in rows] == [("a", "1"), ("b", "1"), ("b", "0"), ("a", "0")]


def test_one_front_of_studies_with_the_same_objectives(many: Search) -> None:
    data = _json(many("pareto", "--store", "many.db", "-f", "json"))
    single, double = data["fronts"]
    assert _pairs(single["pareto"]) == [("a", 1)]
    assert double["studies"] == ["two", "three"]
    # Of the 0.95s the cheaper one stays; 0.5 at a cost of 1 falls to 0.6 at 1.
    assert _pairs(double["pareto"]) == [("two", 1), ("three", 0), ("three", 2)]
    assert (
        "maximize score and minimize cost: two, three"
        in many("pareto", "two", "three", "--store", "many.db").out
    )


def test_studies_in_stores_of_their_own(many: Search) -> None:
    assert many("run", "fast.yaml", "study=a", "-q").code == 0
    with Store("sqlite:///many.db") as store:
        assert store.studies()
    data = _json(many("best", "--store", "fast.db", "-f", "json"))
    assert data["rankings"][0]["studies"] == ["a"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("best", "a", "c", "--store", "many.db"), "no study 'c' in sqlite:///many.db"),
        (("pareto", "--store", "empty.db"), "holds no study yet"),
        (("best", "--store", "nowhere.db"), "nowhere.db"),
        (("importance", "a", "--store", "many.db"), "need at least 4 evaluated trials with 'score', got 3"),
        (("importance", "a", "--store", "many.db", "-m", "scroe"), "did you mean 'score'?"),
    ],
)
def test_bad_input(many: Search, words: tuple[str, ...], message: str) -> None:
    Store("sqlite:///empty.db").close()
    result = many(*words)
    assert (result.code > 0, result.out) == (True, "")
    assert message in result.err
    assert "Traceback" not in result.err


# Compare


def test_repeats_are_summed_up(search: Search) -> None:
    scores = {"r0": [0.1, 0.5, 0.4, 0.9], "r1": [0.3, 0.2, 0.7], "r2": [0.2, 0.8, 0.8]}
    with Store("sqlite:///seeds.db") as store:
        for seed, (name, values) in enumerate(scores.items()):
            _add(store, name, (UP,), [(value, 1) for value in values], seed=seed, fingerprint="f")
        _add(
            store,
            "other",
            (UP,),
            [(0.6, 1), (0.65, 1), (0.7, -1)],
            fingerprint="f",
            config={"strategy": "grid"},
        )
    words = ("compare", *scores, "other", "--store", "seeds.db")
    data = _json(search(*words, "-f", "json"))
    assert data["equal_budget"] == 3
    assert [study["at_equal_budget"] for study in data["studies"]] == [0.5, 0.7, 0.8, 0.65]
    assert data["studies"][0]["course"] == [[1, 0.1], [2, 0.5], [4, 0.9]]
    assert data["studies"][1]["course"] == [[1, 0.3], [3, 0.7]]
    assert data["studies"][3]["course"] == [[1, 0.6], [2, 0.65], [3, 0.65]]
    repeats, alone = data["repeats"]
    assert (repeats["studies"], repeats["seeds"]) == (["r0", "r1", "r2"], [0, 1, 2])
    assert repeats["mean_at_equal_budget"] == pytest.approx(2.0 / 3)
    assert repeats["std_at_equal_budget"] == pytest.approx(statistics.stdev([0.5, 0.7, 0.8]))
    assert (alone["mean"], alone["std"]) == (0.65, None)
    out = search(*words).out
    assert "score after 3" in out
    assert "0.6667 ± 0.15" in out
    assert "a r0, r1, r2\nb other\n" in out
    assert max(map(len, out.splitlines())) <= 80


def test_what_differs_in_more_than_the_seed_is_no_repeat() -> None:
    made = [Course("a", 0, "x", (1.0,)), Course("b", 1, "x", (2.0,)), Course("c", 1, "x", (2.0,)),
            Course("d", 2, "y", (2.0,)), Course("e", 3, "x", (None,))]  # fmt: skip
    found = repeats_of(made)
    assert [[one.name for one in some.courses] for some in found] == [["a", "b", "e"], ["c"], ["d"]]
    assert found[0].after(1) is None
    assert Repeats((made[0],)).after(1) == (1.0, None)
    assert Course("n", 0, "", ()).after(3) is None
    assert Course("n", 0, "", (None, 2.0, 2.0)).steps() == [(2, 2.0), (3, 2.0)]


def test_nothing_is_set_equal_where_objectives_differ(many: Search) -> None:
    data = _json(many("compare", "a", "three", "--store", "many.db", "-f", "json"))
    assert data["equal_budget"] == 0
    assert many("compare", "a", "three", "--store", "many.db").code == 0
    assert many("compare", "none", "a", "--store", "many.db").code == 0
    assert many("compare", "none", "--store", "many.db").code == 0


# Importance


def test_importance_is_a_table_of_bars(search: Search) -> None:
    assert search("run", "fast.yaml", "space.widths=[2, 4, 8, 16]", "budget.trials=30", "-q").code == 0
    result = search("importance", "fast.yaml", "--metric", "cost")
    assert result.code == 0
    rows = [line.split() for line in result.out.splitlines() if "%" in line]
    assert rows[0] == ["layers[0].width", "100", "%", "█" * 30]
    assert "share of the variance of cost over 30 COMPLETE trials" in result.out
    assert "rough: fewer than 50 trials" in result.out
    assert max(map(len, result.out.splitlines())) <= 80
    data = _json(search("importance", "fast.yaml", "-f", "json"))
    assert data["metric"] == "score"
    shares = {row["decision"]: row["importance"] for row in data["importances"]}
    assert next(iter(shares)) == "layers[0].width"
    assert all(0 <= share <= 1 for share in shares.values())
    lines = search("importance", "fast.yaml", "-f", "csv").out.splitlines()
    assert lines[0] == "decision,importance"
    assert lines[1].startswith("layers[0].width,")
