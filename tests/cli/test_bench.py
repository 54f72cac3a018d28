# SPDX-License-Identifier: Apache-2.0
"""``search bench``: a table for people, rows for programs, files to keep."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Search = Callable[..., Any]
QUICK = ("--seeds", "3", "-b", "8", "-q")


def test_a_table_for_people(search: Search) -> None:
    done = search("bench", "fast.yaml", "-s", "random", "-s", "local_search", *QUICK, "--at", "8")
    assert done.code == 0, done.err
    lines = [line.split() for line in done.out.splitlines() if line.strip()]
    assert lines[0] == ["fast:", "score", "after", "8", "proposals,", "3", "seeds"]
    assert lines[1] == ["strategy", "objective", "report", "rank", "p", "evaluated"]
    assert {lines[2][0], lines[3][0]} == {"random", "local_search"}
    assert lines[4][:5] == ["mean", "±", "standard", "error;", "rank"]


def test_rows_for_programs(search: Search) -> None:
    words = ("bench", "fast.yaml", "-s", "{name: regularized_evolution, population_size: 3}", *QUICK)
    told = json.loads(search(*words, "--unit", "evaluations", "-f", "json").out)
    assert (told["objective"], told["unit"], told["n_seeds"]) == ("score", "evaluations", 3)
    assert [row["budget"] for row in told["rows"]] == [1, 2, 4, 8]
    assert told["rows"][-1]["strategy"] == "regularized_evolution(population_size=3)"
    assert told["rows"][-1]["p"] is None


@pytest.mark.slow
def test_files_to_keep(search: Search) -> None:
    done = search("bench", "fast.yaml", "-s", "random", *QUICK, "--out", "kept")
    assert done.code == 0, done.err
    assert sorted(path.name for path in Path("kept").iterdir()) == ["curves.csv", "fast.html", "fast.png"]
    assert "kept/curves.csv" in done.out


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("-s", "randm"), "did you mean 'random'"),
        (("-s", "{name: "), "is no YAML"),
        (("-s", "[1]"), "--strategy is a name or {name: ..., option: value}"),
        (("-s", "random", "-b", "0"), "a budget is above 0"),
        (("-s", "random", "--unit", "seconds"), "needs the metric 'train_seconds'"),
    ],
)
def test_what_is_wrong_is_said(search: Search, words: tuple[str, ...], told: str) -> None:
    done = search("bench", "fast.yaml", *words, "-q", "--seeds", "1")
    assert done.code == 2
    assert told in done.err
