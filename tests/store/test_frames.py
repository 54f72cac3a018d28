# SPDX-License-Identifier: Apache-2.0
"""A frame says what the records say."""

from __future__ import annotations

import math
from typing import Any

import pytest

from archloom.contracts import State
from archloom.store import Outcome, Proposal, Store, frames
from archloom.testing.store_parts import FLOATS, LABELS, study_record


def _value(cell: Any) -> Any:
    """A cell as the record has it: what is missing is None."""
    if isinstance(cell, float) and math.isnan(cell):
        return None
    return None if cell is not None and str(cell) == "<NA>" else cell


@pytest.fixture
def varied(store: Store, study: int) -> Store:
    """A store with trials of conditional decisions, floats, labels, metrics that are no numbers."""
    other = store.create_study(study_record("other"))
    store.propose(other, 0, [Proposal("k", "t", {"foreign": "x"}, 1)])
    plan = []
    for i in range(25):
        choices: dict[str, str | float] = {"op": LABELS[i % len(LABELS)]}
        if i % 2:
            choices["lr"] = FLOATS[i % len(FLOATS)]
        if i == 24:
            choices["late"] = "here"
        plan.append(Proposal(f"k{i}", f"net {i}", choices, i, "epochs=1" if i % 3 else None))
    with store.transaction():
        store.propose(study, 0, plan)
        for i in range(20):
            metrics = {"accuracy": i / 3, "validation/loss": math.nan if i % 4 else math.inf}
            if i == 19:
                metrics["rare"] = -0.0
            reused = i - 1 if i % 5 == 4 else None
            store.finish(study, i, Outcome(State.COMPLETE, metrics, violation=i % 2, reused_from=reused))
        store.claim(study)
    return store


@pytest.mark.parametrize("n_at_once", [1, 7, 2000])
def test_a_frame_is_what_the_records_say(
    varied: Store, study: int, monkeypatch: pytest.MonkeyPatch, n_at_once: int
) -> None:
    monkeypatch.setattr(frames, "N_AT_ONCE", n_at_once)
    frame = varied.frame(study)
    records = varied.trials(study)
    assert list(frame["number"]) == [record.number for record in records]
    for row, record in zip(frame.to_dict("records"), records, strict=True):
        for name in ("late", "lr", "op"):
            assert repr(_value(row[name])) == repr(record.choices.get(name))
        for column, key in (("accuracy", "accuracy"), ("loss", "validation/loss"), ("rare", "rare")):
            value = record.metrics.get(key)
            assert _value(row[column]) == (None if value is None or math.isnan(value) else value)
        for name in (
            "state",
            "violation",
            "is_pareto",
            "reused_from",
            "fidelity",
            "seed",
            "ask",
            "key",
            "text",
        ):
            assert _value(row[name]) == getattr(record, name), name
        for name in ("reason", "excluded", "seconds", "started_at", "finished_at", "finish_order"):
            assert _value(row[name]) == getattr(record, name), name
    assert frame["is_pareto"].dtype == bool
    assert frame["lr"].dtype == frame["accuracy"].dtype == "float64"
    assert "foreign" not in frame


def test_columns_that_share_a_name_are_told_apart(store: Store, study: int) -> None:
    store.propose(study, 0, [Proposal("k", "t", {"accuracy": "x", "seconds": "y"}, 1)])
    store.finish(study, 0, Outcome(State.COMPLETE, {"accuracy": 0.5, "validation/accuracy": 0.25}))
    row = store.frame(study).iloc[0]
    assert (row["accuracy"], row["accuracy (metric)"], row["validation/accuracy"]) == ("x", 0.5, 0.25)
    assert row["seconds (decision)"] == "y"
