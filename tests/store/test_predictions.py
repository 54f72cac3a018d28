# SPDX-License-Identifier: Apache-2.0
"""Predictions are kept beside what was measured, on both databases."""

from __future__ import annotations

import math

import pytest

from archloom.errors import StoreError
from archloom.store import Prediction, Store
from archloom.testing.stores import complete, proposals, query


def test_predictions_stand_beside_the_truth(store: Store, url: str, study: int) -> None:
    complete(store, study, {"accuracy": 0.5}, {"accuracy": 0.75})
    store.propose(study, 1, proposals(1))
    store.add_predictions(study, "gp", "accuracy", {0: (0.25, 0.125), 1: (0.75, None), 2: (0.5, 0.0)})
    assert store.predictions(study) == [
        Prediction(0, "gp", "accuracy", 0.25, 0.125, 0.5),
        Prediction(1, "gp", "accuracy", 0.75, None, 0.75),
        Prediction(2, "gp", "accuracy", 0.5, 0.0, None),
    ]
    rows = query(url, "SELECT trial, predictor, metric, mean, error, z FROM calibration ORDER BY trial")
    assert [tuple(row.values()) for row in rows] == [
        (0, "gp", "accuracy", 0.25, 0.25, 2.0),
        (1, "gp", "accuracy", 0.75, 0.0, None),
        (2, "gp", "accuracy", 0.5, None, None),
    ]


def test_a_later_prediction_replaces_the_same_predictors_earlier_one(store: Store, study: int) -> None:
    complete(store, study, {"accuracy": 0.5})
    for mean in (0.25, 0.75):
        store.add_predictions(study, "gp", "accuracy", {0: (mean, 0.5)})
    store.add_predictions(study, "trees", "accuracy", {0: (0.125, 0.5)})
    assert [(p.predictor, p.mean) for p in store.predictions(study)] == [("gp", 0.75), ("trees", 0.125)]


@pytest.mark.parametrize(
    ("made", "message"),
    [({7: (0.5, 0.5)}, "no trial 7"), ({0: (math.nan, 0.5)}, "finite"), ({0: (0.5, -1.0)}, "at least 0")],
)
def test_what_cannot_be_is_refused(
    store: Store, study: int, made: dict[int, tuple[float, float]], message: str
) -> None:
    complete(store, study, {"accuracy": 0.5})
    with pytest.raises(StoreError, match=message):
        store.add_predictions(study, "gp", "accuracy", made)
    assert store.predictions(study) == []
