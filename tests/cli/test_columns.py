# SPDX-License-Identifier: Apache-2.0
"""Tables on screens of any width, whatever is in them."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from archloom.cli._columns import Column, Fitted, fit
from archloom.contracts import Objective, State
from archloom.store import Outcome, Proposal, Store, StudyRecord

Search = Callable[..., Any]

HOSTILE = "[red]x[/red]\x1b[31mX\x1b]0;t\x07\n:smile: \U0001f600\u202e\x9b2J"
LONG = "z" * 300


def _drawn(columns: list[Column], width: int) -> str:
    out = io.StringIO()
    Console(file=out, width=width).print(Fitted(columns))
    return out.getvalue()


def test_what_matters_least_is_left_out_and_named() -> None:
    columns = [Column("trial", ["1"], is_number=True)]
    columns += [Column(f"metric_{i}", ["123,456,789"], is_number=True, rank=i) for i in range(1, 11)]
    shown, left_out = fit(columns, 60)
    assert [column.title for column in shown] == ["trial", *(f"metric_{i}" for i in range(1, len(shown)))]
    assert [column.title for column in left_out] == [f"metric_{i}" for i in range(len(shown), 11)]
    drawn = _drawn(columns, 60)
    assert drawn.count("123,456,789") == len(shown) - 1
    assert "left out: " + left_out[0].title in drawn
    assert "left out" not in _drawn(columns, 200)


@pytest.mark.parametrize("width", [20, 40, 80, 200])
def test_no_number_is_ever_wrapped(width: int) -> None:
    columns = [
        Column("trial", ["7"], is_number=True),
        Column("validation/" + LONG, ["123,456,789.5"], is_number=True),
        Column("architecture", [LONG], rank=1),
    ]
    drawn = _drawn(columns, width)
    if width > 20:
        assert re.search(r"\b123,456,789\.5\b", drawn)
    assert "\n7" not in drawn.replace("    7", "")


@pytest.fixture
def hostile(search: Search) -> Search:
    """Have a study whose every word comes from an enemy."""
    goals = (Objective("validation/accuracy"), Objective(LONG), Objective(HOSTILE))
    record = StudyRecord(HOSTILE, 0, goals, constraints=(HOSTILE,), config={"strategy": {"name": HOSTILE}})
    with Store("hostile.db") as store:
        study = store.create_study(record)
        for i, text in enumerate((LONG, HOSTILE * 9, HOSTILE)):
            choices: dict[str, str | float] = {HOSTILE: HOSTILE, LONG: LONG}
            store.propose(study, i, [Proposal(str(i), text, choices, seed=i)])
            store.claim(study)
            store.report(study, i, 1, {HOSTILE: 1.0, LONG: 2.0})
            metrics = {goal.metric: 123456.7 + i for goal in goals} | {
                f"test/m{j}": 1e9 / 7 for j in range(9)
            }
            failed = Outcome(State.FAIL, {}, reason=HOSTILE, traceback=f"File\n  {HOSTILE}")
            store.finish(study, i, failed if i == 2 else Outcome(State.COMPLETE, metrics))
    return search


@pytest.mark.parametrize("width", [40, 80, 200])
@pytest.mark.parametrize(
    "words",
    [
        ("status",),
        ("status", HOSTILE),
        ("trials", HOSTILE),
        ("best", HOSTILE),
        ("best", HOSTILE, "-n", "3"),
        ("pareto", HOSTILE),
        ("show", HOSTILE, "0"),
        ("show", HOSTILE, "2"),
        ("compare", HOSTILE, HOSTILE),
    ],
    ids=lambda words: f"{words[0]}{len(words)}",
)
def test_hostile_words_are_shown_and_do_nothing(
    hostile: Search, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], width: int
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    result = hostile(*words, "--store", "hostile.db")
    assert result.code == 0, result.err
    assert [c for c in result.out if not c.isprintable() and c != "\n"] == []
    assert "[red]" in result.out
    if words[0] != "show" or words[-1] != "2":  # a traceback is never cut
        assert max(map(len, result.out.splitlines())) <= width


def test_an_error_that_quotes_an_enemy_is_inert(search: Search) -> None:
    Store("empty.db").close()
    result = search("best", "x\x1b[31m", "--store", "empty.db")
    assert result.code == 1
    assert "\x1b" not in result.err


def test_the_bar_and_the_summary_are_inert(search: Search) -> None:
    name = "[red]a\u202e\x9b2J"
    text = Path("fast.yaml").read_text().replace("study: fast", 'study: "[red]a\\u202e\\u009b2J"')
    Path("fast.yaml").write_text(text)
    result = search("run", "fast.yaml")
    assert result.code == 0, result.err
    assert "[red]a\\u202e\\x9b2J: the winner" in result.out
    head = result.out.split("Next")[0]
    assert [c for c in head if not c.isprintable() and c != "\n"] == []
    assert search("trials", name, "--store", "fast.db").code == 0
