# SPDX-License-Identifier: Apache-2.0
"""The views: ``front``, ``best`` and ``pareto`` as the migrations have them, ``wide`` made for each study.

A ``wide`` view has one row a trial, one column a decision and one a final metric. Its names come
from users, so they are made unique, cut to what PostgreSQL keeps of a name, and quoted.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, ScalarSelect, Select, select

from archloom.store.records import join_key
from archloom.store.schema import REVISIONS, decisions, metrics, studies, trials

__all__ = ["column_names", "create_views", "refresh_wide", "short_key", "wide_names"]

_FOLDER = Path(__file__).parent / "migrations" / "views"
_N_BYTES = 63
_N_COLUMNS = 1500
_LEADING = ("number", "state")
_TRAILING = (
    "seconds",
    "violation",
    "is_pareto",
    "reused_from",
    "fidelity",
    "excluded",
    "reason",
    "finished_at",
)


def create_views(connection: Connection, revision: str = REVISIONS[-1]) -> None:
    """Create the views of a revision of the schema."""
    script = (_FOLDER / f"v{revision}.{connection.dialect.name}.sql").read_text(encoding="utf-8")
    for statement in script.split(";\n"):
        if statement.strip():
            connection.exec_driver_sql(statement)


def short_key(split: str, name: str, all_keys: Iterable[tuple[str, str]]) -> str:
    """Return the column name of a metric: ``accuracy`` for ``validation/accuracy``, unless both are there.

    >>> short_key("validation", "accuracy", []), short_key("test", "accuracy", [])
    ('accuracy', 'test/accuracy')
    """
    is_short = split == "validation" and ("", name) not in set(all_keys)
    return name if is_short else join_key(split, name)


def column_names(names: Sequence[str], taken: Iterable[str] = ()) -> list[str]:
    """Return ``names`` as column names: unique without regard to case, at most 63 bytes.

    >>> column_names(["op", "Op", "state"], taken=["state"])
    ['op', 'Op_2', 'state_2']
    """
    used = {name.lower() for name in taken}
    return [_unique(name, used) for name in names]


def wide_names(studies: Sequence[tuple[int, str]]) -> dict[int, str]:
    """Return the ``wide`` view's name of each study, given all ``(id, name)`` in the order of ids.

    >>> wide_names([(1, "digits-cells"), (2, "digits cells")])
    {1: 'wide_digits_cells', 2: 'wide_digits_cells_2'}
    """
    used: set[str] = set()
    return {key: _unique("wide_" + re.sub(r"\W", "_", name.lower()), used) for key, name in studies}


def refresh_wide(connection: Connection, study_id: int) -> str:
    """Make a study's ``wide`` view anew and return its name.

    Databases hold some 1,600 columns a view; where a space has more decisions, the last are left out.
    """
    known = connection.execute(select(studies.c.id, studies.c.name).order_by(studies.c.id))
    name = wide_names([(row.id, row.name) for row in known])[study_id]
    keys = _metric_keys(connection, study_id)
    choices = _decision_names(connection, study_id)[: max(0, _N_COLUMNS - len(keys))]
    labels = [decision for decision, _ in choices] + [short_key(*key, keys) for key in keys]
    values = [_decision(*choice) for choice in choices] + [_metric(*key) for key in keys]
    names = column_names(labels, taken=(*_LEADING, *_TRAILING))
    query = (
        select(
            *[trials.c[column] for column in _LEADING],
            *[value.label(label) for value, label in zip(values, names, strict=True)],
            *[trials.c[column] for column in _TRAILING],
        )
        .where(trials.c.study_id == study_id)
        .order_by(trials.c.number)
    )
    _replace(connection, name, query)
    return name


def _decision_names(connection: Connection, study_id: int) -> list[tuple[str, bool]]:
    """Return the decisions of a study, each with whether it is a number in every trial."""
    is_number = decisions.c.value.is_not(None)
    query = select(decisions.c.name, is_number).join(trials).where(trials.c.study_id == study_id)
    numeric: dict[str, bool] = {}
    for name, flag in connection.execute(query.distinct()):
        numeric[name] = numeric.get(name, True) and flag
    return sorted(numeric.items())


def _metric_keys(connection: Connection, study_id: int) -> list[tuple[str, str]]:
    """Return split and name of the final metrics of a study."""
    query = select(metrics.c.split, metrics.c.name).join(trials)
    query = query.where(trials.c.study_id == study_id)
    return sorted((row.split, row.name) for row in connection.execute(query.distinct()))


def _replace(connection: Connection, name: str, query: Select[Any]) -> None:
    # A view takes no parameters: the dialect writes names and literals, quoted.
    text = query.compile(dialect=connection.dialect, compile_kwargs={"literal_binds": True})
    quoted = connection.dialect.identifier_preparer.quote(name)
    connection.exec_driver_sql(f"DROP VIEW IF EXISTS {quoted}")
    connection.exec_driver_sql(f"CREATE VIEW {quoted} AS {text}")


def _decision(name: str, is_number: bool) -> ScalarSelect[Any]:
    column = decisions.c.value if is_number else decisions.c.choice
    return (
        select(column).where(decisions.c.trial_id == trials.c.id, decisions.c.name == name).scalar_subquery()
    )


def _metric(split: str, name: str) -> ScalarSelect[Any]:
    return (
        select(metrics.c.value)
        .where(
            metrics.c.trial_id == trials.c.id,
            metrics.c.split == split,
            metrics.c.name == name,
        )
        .scalar_subquery()
    )


def _unique(name: str, used: set[str]) -> str:
    """Cut a name to 63 bytes, number it until it is not in ``used``, and add it there."""
    candidate, n = _cut(name, ""), 1
    while candidate.lower() in used:
        n += 1
        candidate = _cut(name, f"_{n}")
    used.add(candidate.lower())
    return candidate


def _cut(name: str, suffix: str) -> str:
    return (name or "_").encode()[: _N_BYTES - len(suffix)].decode(errors="ignore") + suffix
