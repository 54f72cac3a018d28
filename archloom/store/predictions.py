# SPDX-License-Identifier: Apache-2.0
"""What predictors said of trials before they were measured, so that they can be held to it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert as upsert_postgresql
from sqlalchemy.dialects.sqlite import insert as upsert_sqlite
from sqlalchemy.sql.dml import Insert

from archloom.errors import StoreError
from archloom.store import rows
from archloom.store.records import join_key, split_key
from archloom.store.schema import metrics, predictions, trials
from archloom.store.session import Session

__all__ = ["Prediction", "add_predictions", "load_predictions"]


class Prediction(NamedTuple):
    """A prediction beside the truth.

    Args:
        number: the trial's.
        predictor: who made it.
        metric: of what, as a full key.
        mean: what was predicted.
        std: the predicted standard deviation; ``None`` where the predictor gives none.
        value: what was measured; ``None`` while it has not been.
    """

    number: int
    predictor: str
    metric: str
    mean: float
    std: float | None
    value: float | None


def add_predictions(
    session: Session,
    study_id: int,
    predictor: str,
    metric: str,
    made: Mapping[int, tuple[float, float | None]],
) -> None:
    """Write what a predictor says of trials, by number: mean and standard deviation.

    Raises:
        StoreError: no such trial, or a number that is not finite.
    """
    split, name = split_key(metric)
    ids = dict(
        session.connection.execute(
            select(trials.c.number, trials.c.id).where(
                trials.c.study_id == study_id, trials.c.number.in_(list(made))
            )
        ).all()
    )
    written = []
    for number, (mean, std) in made.items():
        if number not in ids:
            raise StoreError(f"there is no trial {number} to predict")
        if not math.isfinite(mean) or (std is not None and not (math.isfinite(std) and std >= 0)):
            raise StoreError(
                f"a prediction is finite and its deviation at least 0; trial {number}: {mean}, {std}"
            )
        place = {"trial_id": ids[number], "predictor": rows.clean(predictor), "split": split, "name": name}
        written.append({**place, "mean": float(mean), "std": std, "at": rows.now()})
    if written:
        session.connection.execute(_upsert(session), written)


def load_predictions(session: Session, study_id: int) -> list[Prediction]:
    """Return the predictions of a study's trials, by number."""
    query = (
        select(
            trials.c.number,
            predictions.c.predictor,
            predictions.c.split,
            predictions.c.name,
            predictions.c.mean,
            predictions.c.std,
            metrics.c.value,
        )
        .join(predictions, predictions.c.trial_id == trials.c.id)
        .join(
            metrics,
            (metrics.c.trial_id == trials.c.id)
            & (metrics.c.split == predictions.c.split)
            & (metrics.c.name == predictions.c.name)
            & (trials.c.excluded == ""),
            isouter=True,
        )
        .where(trials.c.study_id == study_id)
        .order_by(trials.c.number, predictions.c.predictor, predictions.c.split, predictions.c.name)
    )
    return [
        Prediction(number, predictor, join_key(split, name), mean, std, value)
        for number, predictor, split, name, mean, std, value in session.connection.execute(query)
    ]


def _upsert(session: Session) -> Insert:
    """Write a prediction, or replace what the same predictor said before."""
    insert: Any = upsert_sqlite if session.is_sqlite else upsert_postgresql
    new = insert(predictions)
    keys = [column.name for column in predictions.primary_key.columns]
    values = {name: new.excluded[name] for name in ("mean", "std", "at")}
    upsert: Insert = new.on_conflict_do_update(index_elements=keys, set_=values)
    return upsert
