# SPDX-License-Identifier: Apache-2.0
"""``search trials tag | invalidate | restore | reevaluate``: what they change and what they say."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from archloom.contracts import Objective, State
from archloom.store import Outcome, Proposal, Store, StudyRecord

Search = Callable[..., Any]

AT = ("--store", "fast.db")


@pytest.fixture
def six(search: Search) -> Search:
    """Have a study of six trials: 0 to 3 COMPLETE, the last served from 1; 4 RUNNING and 5 WAITING."""
    with Store("fast.db") as store:
        study = store.create_study(StudyRecord("fast", 0, (Objective("score"),)))
        store.start(study, 0, [Proposal(f"k{i}", f"conv {i}", {"op": "conv"}) for i in range(6)], 5)
        for i, score in enumerate([0.5, 0.9, 0.7]):
            store.finish(study, i, Outcome(State.COMPLETE, {"score": score}))
        store.finish(study, 3, Outcome(State.COMPLETE, {"score": 0.9}, reused_from=1))
    return search


def _json(result: Any) -> Any:
    assert result.code == 0, result.err
    return json.loads(result.out)


def _excluded() -> list[int]:
    with Store("fast.db") as store:
        return [t.number for t in store.trials(1) if t.excluded]


def test_tag_and_find_again(six: Search) -> None:
    result = six("trials", "tag", "fast", "0", "2-3", "--tag", "good", *AT)
    assert (result.code, result.out) == (0, "trials 0, 2 and 3 of fast: now tagged 'good'\n")
    again = six("trials", "tag", "fast", "0", "-t", "good", *AT)
    assert again.out == "trial 0 of fast: nothing to do, all have it\n"
    found = _json(six("trials", "fast", "--where", "tag = good", "-f", "json", *AT))
    assert [trial["number"] for trial in found["trials"]] == [0, 2, 3]
    removed = _json(six("trials", "tag", "fast", "2", "--tag", "good", "--remove", "-f", "json", *AT))
    assert removed == {"study": "fast", "tag": "good", "is_on": False, "changed": [2]}
    assert "two" in six("trials", "tag", "fast", "0", "--tag", "two\nlines", *AT).err


def test_invalidate_says_what_went_and_restore_undoes_it(six: Search) -> None:
    result = six("trials", "invalidate", "fast", "1", "--reason", "wrong labels", *AT)
    assert result.code == 0, result.err
    assert result.out.splitlines() == [
        "trial 1 of fast counts no more",
        "with that trial 3, which was served the same result",
        "the best is trial 2 now",
    ]
    table = six("trials", "fast", *AT).out
    assert "† does not count: marked as invalid" in table
    again = six("trials", "invalidate", "fast", "1", "-r", "wrong labels", *AT)
    assert (again.code, again.out) == (0, "nothing to do: trial 1 of fast counted no more already\n")
    restored = six("trials", "restore", "fast", "1", *AT).out.splitlines()
    assert restored[0] == "trial 1 of fast counts again"
    assert restored[-1] == "the best is trial 1 now"
    assert _excluded() == []


def test_invalidate_by_condition(six: Search) -> None:
    words = ("trials", "invalidate", "fast", "--where", "score < 0.8 and state = COMPLETE", "-r", "low", *AT)
    rows = list(csv.DictReader(io.StringIO(six(*words, "-f", "csv").out)))
    assert [(row["number"], row["kind"], row["is_repeat"]) for row in rows] == [
        ("0", "invalidate", "false"),
        ("2", "invalidate", "false"),
    ]
    assert _excluded() == [0, 2]


def test_reevaluate_says_what_waits_and_how_to_go_on(six: Search) -> None:
    with Store("fast.db") as store:
        store.set_status(1, "done")
    out = six("trials", "reevaluate", "fast", "0-1", "-r", "a driver bug", *AT).out.splitlines()
    assert out == [
        "trials 0 and 1 of fast count no more",
        "with that trial 3, which was served the same result",
        "trial 6 waits in the place of trial 0",
        "trial 7 waits in the place of trial 1",
        "evaluate what waits: search resume fast --store fast.db",
        "the best is trial 2 now",
    ]
    found = _json(six("trials", "reevaluate", "fast", "2", "-r", "a driver bug", "-f", "json", *AT))
    assert found["changed"] == [{"number": 2, "kind": "reevaluate", "is_repeat": False, "new": 8}]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("invalidate", "fast", "4", "-r", "x"), "trial 4 is RUNNING"),
        (("reevaluate", "fast", "5", "-r", "x"), "trial 5 is WAITING"),
        (("invalidate", "fast", "3", "-r", "x"), "trial 3 was served the result of trial 1"),
        (("invalidate", "fast", "0", "9", "-r", "x"), "no trial 9; it has trials 0 to 5"),
        (("invalidate", "fast", "0-999999999", "-r", "x"), "no trial 999999999"),
        (("invalidate", "fast", "two", "-r", "x"), "named by its number"),
        (("invalidate", "fast", "3-1", "-r", "x"), "begins with its lowest number; got '3-1'"),
        (("invalidate", "fast", "-r", "x"), "neither is given"),
        (("invalidate", "fast", "0", "--where", "score > 0", "-r", "x"), "both are given"),
        (("invalidate", "fast", "--where", "score > 5", "-r", "x"), "no trial of which score > 5 holds"),
        (("invalidate", "fast", "0", "-r", " "), "needs a reason"),
        (("invalidate", "fast", "0"), "Missing option '--reason'"),
        (("invalidate", "fats", "0", "-r", "x"), "did you mean 'fast'?"),
        (("tag", "fast", "0"), "Missing option '--tag'"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_changes(
    six: Search, words: tuple[str, ...], said: str
) -> None:
    result = six("trials", *words, *AT)
    assert result.code in (1, 2)
    assert said in " ".join(result.err.replace("│", " ").split())
    assert _excluded() == []


def test_a_resumed_run_evaluates_what_was_to_be(search: Search) -> None:
    assert search("run", "fast.yaml", "-q").code == 0
    assert search("trials", "reevaluate", "fast.yaml", "0", "-r", "a driver bug").code == 0
    assert search("run", "fast.yaml", "--resume", "-q").code == 0
    found = _json(search("trials", "fast.yaml", "-f", "json"))["trials"]
    assert [(trial["state"], trial["excluded"]) for trial in found] == [
        ("COMPLETE", "invalid"),
        *[("COMPLETE", "")] * 6,
    ]
    assert found[6]["architecture"] == found[0]["architecture"]
    assert found[6]["seed"] != found[0]["seed"]
    assert Path("fast.db").exists()
