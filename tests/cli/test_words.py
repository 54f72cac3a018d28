# SPDX-License-Identifier: Apache-2.0
"""Results in words and as plain data."""

from __future__ import annotations

import math

from archloom.cli._output import finite
from archloom.cli._studies import folder_of, shown_url
from archloom.cli._tables import beside
from archloom.cli._words import moment, number, span
from archloom.contracts import State
from archloom.store import TrialRecord


def _trial(**metrics: float) -> TrialRecord:
    return TrialRecord(
        number=0,
        state=State.COMPLETE,
        key="k",
        text="t",
        choices={},
        metrics={name.replace("__", "/"): value for name, value in metrics.items()},
        values=(),
        violation=0.0,
        seed=0,
        fidelity=None,
        ask=0,
        is_pareto=False,
        reused_from=None,
        reason="",
        traceback="",
        seconds=None,
        started_at=None,
        finished_at=None,
        artifacts={},
    )


def test_odd_numbers_have_words() -> None:
    assert [number(x) for x in (math.nan, math.inf, -2.5, 1234.5, 1e20, 0.0)] == [
        "–",
        "inf",
        "-2.500",
        "1,234.5",
        "1e+20",
        "0",
    ]
    assert span(None) == span(math.inf) == moment(None) == "–"


def test_what_json_cannot_hold_is_null() -> None:
    assert finite({"a": [math.nan, (1, -math.inf)], "b": {3: "x"}}) == {
        "a": [None, [1, None]],
        "b": {"3": "x"},
    }


def test_passwords_are_hidden() -> None:
    assert shown_url("postgresql+psycopg://me:secret@host/db") == "postgresql+psycopg://me:***@host/db"
    assert shown_url("some/file.db") == "some/file.db"


def test_the_folder_of_a_store() -> None:
    assert str(folder_of("sqlite:///a/b.db")) == "a"
    assert str(folder_of("a/b.db")) == "a"
    assert str(folder_of("postgresql+psycopg://host/db")) == "."


def test_the_columns_beside_the_objectives() -> None:
    trained = _trial(validation__accuracy=1, test__accuracy=1, test__loss=1, train__loss=1, params=3)
    assert beside([trained], ["validation/accuracy"]) == ["test/accuracy", "params"]
    assert beside([trained], ["params", "validation/accuracy"]) == ["test/accuracy"]
    tabular = _trial(valid=1, test__after_200=1)
    assert beside([tabular], ["valid"]) == ["test/after_200"]
