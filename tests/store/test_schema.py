# SPDX-License-Identifier: Apache-2.0
"""The constraints that make wrong states impossible, on both databases."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select, table
from sqlalchemy.exc import IntegrityError

from archloom.store import Store
from archloom.testing.stores import complete, query


def test_deleting_a_study_deletes_all_of_it(store: Store, url: str, study: int) -> None:
    complete(store, study, {"accuracy": 0.5}, {"accuracy": 0.5})
    store.add_event(study, "note", number=1)
    with store.transaction():
        store._session.connection.exec_driver_sql("DELETE FROM studies")
    for name in ("objectives", "trials", "decisions", "metrics", "events"):
        assert query(url, select(func.count().label("n")).select_from(table(name))) == [{"n": 0}]


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE trials SET state = 'DONE'",
        "UPDATE trials SET state = 'WAITING'",
        "UPDATE trials SET finished_at = NULL",
        "UPDATE trials SET violation = 1",
        "UPDATE trials SET number = 0",
        "UPDATE trials SET reused_from = number",
        "UPDATE objectives SET direction = 'up'",
        "UPDATE studies SET status = 'lost'",
        "UPDATE metrics SET split = 'holdout'",
        "INSERT INTO metrics (trial_id, name, split, value) SELECT trial_id, name, split, 2 FROM metrics",
        "INSERT INTO decisions (trial_id, name, choice, is_float) SELECT id, 'x', '1', TRUE FROM trials",
        "INSERT INTO studies SELECT * FROM studies",
    ],
)
def test_wrong_states_are_impossible(store: Store, url: str, study: int, change: str) -> None:
    complete(store, study, {"accuracy": 0.5}, {"accuracy": 0.5})
    before = store.trials(study)
    with pytest.raises(IntegrityError):
        query(url, change)
    assert store.trials(study) == before
