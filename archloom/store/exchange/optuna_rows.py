# SPDX-License-Identifier: Apache-2.0
"""Trials into an Optuna storage by its tables, in one transaction.

Optuna's own ``add_trial`` makes a query for each parameter, attribute and step: some 30 ms a trial, and a
study that is broken off stays half there. Here a thousand trials take less than a second. Its tables are
no interface, though, so that what was written is read again by Optuna's own means: where that is not what
was meant, or a table has changed, the caller goes the slow way.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from optuna import Study
    from optuna.trial import FrozenTrial
    from sqlalchemy import Connection, Engine, Table

__all__ = ["is_as_meant", "write_rows"]

_TABLES = {
    "trials": {"trial_id", "number", "study_id", "state", "datetime_start", "datetime_complete"},
    "trial_values": {"trial_id", "objective", "value", "value_type"},
    "trial_params": {"trial_id", "param_name", "param_value", "distribution_json"},
    "trial_user_attributes": {"trial_id", "key", "value_json"},
    "trial_system_attributes": {"trial_id", "key", "value_json"},
    "trial_intermediate_values": {
        "trial_id",
        "step",
        "intermediate_value",
        "intermediate_value_type",
    },
}
"""Columns that are written; beside them, a table has only its own id."""


def write_rows(engine: Engine, study_id: int, trials: Sequence[FrozenTrial]) -> bool:
    """Write trials, numbered from 0, into a study without any; return whether the tables are known."""
    from sqlalchemy import select

    with engine.begin() as connection:
        tables = _tables(connection)
        if tables is None:
            return False
        place = tables["trials"]
        _insert(connection, place, [_trial_row(study_id, i, trial) for i, trial in enumerate(trials)])
        query = select(place.c.number, place.c.trial_id).where(place.c.study_id == study_id)
        ids = {number: trial_id for number, trial_id in connection.execute(query)}
        for name, table in tables.items():
            if name == "trials":
                continue
            rows = [
                row | {"trial_id": ids[i]} for i, trial in enumerate(trials) for row in _ROWS[name](trial)
            ]
            _insert(connection, table, rows)
    return True


def is_as_meant(study: Study, trials: Sequence[FrozenTrial]) -> bool:
    """Whether Optuna reads what was to be written."""
    found = sorted(study.get_trials(deepcopy=False), key=lambda trial: trial.number)
    is_numbered = [trial.number for trial in found] == list(range(len(trials)))
    return is_numbered and [*map(_told, found)] == [*map(_told, trials)]


def _told(trial: FrozenTrial) -> list[str]:
    """Return what a trial says, as words: nan equals nan there."""
    mappings = (
        trial.params,
        trial.distributions,
        trial.user_attrs,
        trial.system_attrs,
        trial.intermediate_values,
    )
    plain = (trial.state, trial.values, trial.datetime_start, trial.datetime_complete)
    return [repr(value) for value in plain] + [repr(sorted(found.items())) for found in mappings]


def _tables(connection: Connection) -> dict[str, Table] | None:
    """Return the tables as they are; ``None`` where one is not as it is known here."""
    from sqlalchemy import MetaData
    from sqlalchemy.exc import InvalidRequestError

    metadata = MetaData()
    try:
        metadata.reflect(connection, only=list(_TABLES))
    except InvalidRequestError:  # one of them is missing
        return None
    tables = {name: metadata.tables[name] for name in _TABLES}
    for name, table in tables.items():
        own_ids = {column.name for column in table.primary_key}
        if {column.name for column in table.columns} | own_ids != _TABLES[name] | own_ids:
            return None
    return tables


def _insert(connection: Connection, table: Table, rows: list[dict[str, Any]]) -> None:
    from sqlalchemy import insert

    if rows:
        connection.execute(insert(table), rows)


def _trial_row(study_id: int, number: int, trial: FrozenTrial) -> dict[str, Any]:
    return {
        "study_id": study_id,
        "number": number,
        "state": trial.state.name,
        "datetime_start": _utc(trial.datetime_start),
        "datetime_complete": _utc(trial.datetime_complete),
    }


def _utc(local: datetime | None) -> datetime | None:
    return None if local is None else local.astimezone(UTC).replace(tzinfo=None)


def _value_rows(trial: FrozenTrial) -> list[dict[str, Any]]:
    return [
        {"objective": i, "value": _stored(value), "value_type": _kind(value)}
        for i, value in enumerate(trial.values or ())
    ]


def _param_rows(trial: FrozenTrial) -> list[dict[str, Any]]:
    from optuna.distributions import distribution_to_json

    return [
        {
            "param_name": name,
            "param_value": trial.distributions[name].to_internal_repr(value),
            "distribution_json": distribution_to_json(trial.distributions[name]),
        }
        for name, value in trial.params.items()
    ]


def _attribute_rows(attributes: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"key": key, "value_json": json.dumps(value)} for key, value in attributes.items()]


def _curve_rows(trial: FrozenTrial) -> list[dict[str, Any]]:
    return [
        {"step": step, "intermediate_value": _stored(value), "intermediate_value_type": _kind(value)}
        for step, value in trial.intermediate_values.items()
    ]


_ROWS = {
    "trial_values": _value_rows,
    "trial_params": _param_rows,
    "trial_user_attributes": lambda trial: _attribute_rows(trial.user_attrs),
    "trial_system_attributes": lambda trial: _attribute_rows(trial.system_attrs),
    "trial_intermediate_values": _curve_rows,
}


def _stored(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _kind(value: float) -> str:
    if math.isnan(value):
        return "NAN"
    return "FINITE" if math.isfinite(value) else "INF_POS" if value > 0 else "INF_NEG"
