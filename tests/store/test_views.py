# SPDX-License-Identifier: Apache-2.0
"""What a person sees in plain SQL, on both databases."""

from __future__ import annotations

import math

from sqlalchemy import literal_column, quoted_name, select, table

from archloom.contracts import State
from archloom.store import Outcome, Proposal, Store
from archloom.testing.stores import complete, query, study_record


def test_views_tell_metrics_apart(store: Store, url: str, study: int) -> None:
    values = {"accuracy": 1.0, "validation/accuracy": 0.5, "loss": math.nan, "big": 1e300, "small": 1e-9}
    complete(store, study, values)
    (row,) = query(url, "SELECT metrics FROM best")
    assert row["metrics"] == "accuracy=1, big=1e+300, loss=nan, small=1e-09, validation/accuracy=0.5"


def test_wide_views_of_hostile_names(store: Store, url: str) -> None:
    hostile = "x\"'; DROP TABLE trials; -- %s :a %(b)s ünï \\ " + "long " * 40
    names = [hostile, hostile + "2", "a b", "a-b", "A B"]
    choices: dict[str, str | float] = {
        hostile: "a'\"%",
        hostile + "2": 0.5,
        "": "empty",
        "Op": "1",
        "op": "2",
        "number": "3",
    }
    views = []
    for name in names:
        study = store.create_study(study_record(name))
        store.propose(study, 0, [Proposal("k", "t", choices, 0)])
        store.finish(study, 0, Outcome(State.COMPLETE, {"accuracy": 1.0, hostile: 2.0, "Op": 3.0}))
        views.append(store.refresh_wide(study))
    assert len({view.lower() for view in views}) == len(names)
    assert all(len(view.encode()) <= 63 for view in views)
    assert views[2:] == ["wide_a_b", "wide_a_b_2", "wide_a_b_3"]
    for view in views:
        (row,) = query(url, select(literal_column("*")).select_from(table(quoted_name(view, quote=True))))
        assert len({name.lower() for name in row}) == len(row)
        values = list(row.values())[2:11]
        assert sorted(map(str, values)) == sorted(
            ["empty", "1.0", "3.0", "2.0", "a'\"%", "0.5", "2.0", "3.0", "1.0"]
        )
    assert len(store.studies()) == len(names)


def test_wide_view_of_a_huge_space(store: Store, url: str, study: int) -> None:
    store.propose(study, 0, [Proposal("k", "t", {f"d{i:04}": "x" for i in range(1700)}, 0)])
    store.finish(study, 0, Outcome(State.COMPLETE, {"accuracy": 1.0}))
    view = table(store.refresh_wide(study))
    (row,) = query(url, select(literal_column("*")).select_from(view))
    assert row["accuracy"] == 1.0
    assert row["d0000"] == "x"
