# SPDX-License-Identifier: Apache-2.0
"""Everything that the trials of a study have reported, in one query."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from archloom.store.exchange.columns import CurvePoint
from archloom.store.queries import read_value
from archloom.store.records import join_key
from archloom.store.schema import curves, trials

if TYPE_CHECKING:
    from archloom.store.store import Store

__all__ = ["all_curves"]


def all_curves(store: Store, study_id: int) -> list[CurvePoint]:
    """Return the step-wise values of a study, by trial, metric and step."""
    query = (
        select(trials.c.number, curves.c.split, curves.c.name, curves.c.step, curves.c.value)
        .join(curves, curves.c.trial_id == trials.c.id)
        .where(trials.c.study_id == study_id)
        .order_by(trials.c.number, curves.c.split, curves.c.name, curves.c.step)
    )
    session = store._session
    with session.transaction("read"):
        rows = session.connection.execute(query).all()
    return [
        CurvePoint(number, join_key(split, name), step, read_value(value))
        for number, split, name, step, value in rows
    ]
