# SPDX-License-Identifier: Apache-2.0
"""Which trials, in which order: filtered, sorted and limited by the database."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, collate, func, select

from archloom.contracts import Objective, State
from archloom.errors import ConfigError
from archloom.store.expressions import SortKey, Source
from archloom.store.names import Meaning, Names
from archloom.store.parsing import parse_sort
from archloom.store.queries import load_trials
from archloom.store.records import TrialRecord
from archloom.store.schema import trials
from archloom.store.session import Session
from archloom.store.where import where_clause

__all__ = ["count_trials", "find_trials"]

N_AT_ONCE = 2000


def find_trials(
    session: Session,
    goals: Sequence[Objective],
    study_id: int,
    *,
    states: Sequence[State] | None = None,
    where: str | None = None,
    sort: str | None = None,
    limit: int | None = None,
) -> list[TrialRecord]:
    """Return the trials of a study that are asked for.

    Args:
        session: in a transaction.
        goals: the study's objectives.
        study_id: the study.
        states: only those in one of these.
        where: only those of which this condition holds, ``params < 1e5 and op = conv_3x3``.
        sort: by what, ``-accuracy, params``; equal ones by number, and those without it last.
        limit: how many at most.

    Raises:
        ConfigError: ``where`` or ``sort`` is no such thing, or names what no trial has.
    """
    if limit is not None and (isinstance(limit, bool) or not isinstance(limit, int) or limit < 1):
        raise ConfigError(f"limit is a whole number of at least 1, got {limit!r}")
    conditions = _conditions(session, study_id, states, where)
    if where is None and sort is None and limit is None:
        return load_trials(session, goals, select(trials.c.id).where(*conditions))
    order = [] if sort is None else _order(session, study_id, sort)
    query = select(trials.c.number).where(*conditions).order_by(*order, trials.c.number).limit(limit)
    numbers = list(session.connection.scalars(query))
    found: dict[int, TrialRecord] = {}
    for start in range(0, len(numbers), N_AT_ONCE):
        some = trials.c.number.in_(numbers[start : start + N_AT_ONCE])
        chosen = select(trials.c.id).where(trials.c.study_id == study_id, some)
        found |= {trial.number: trial for trial in load_trials(session, goals, chosen)}
    return [found[number] for number in numbers]


def count_trials(
    session: Session, study_id: int, *, states: Sequence[State] | None = None, where: str | None = None
) -> int:
    """Return how many trials ``find_trials`` would find without a limit."""
    conditions = _conditions(session, study_id, states, where)
    return session.connection.scalar(select(func.count()).select_from(trials).where(*conditions)) or 0


def _conditions(
    session: Session, study_id: int, states: Sequence[State] | None, where: str | None
) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = [trials.c.study_id == study_id]
    if states is not None:
        found.append(trials.c.state.in_([State(state).value for state in states]))
    if where is not None:
        found.append(where_clause(session, study_id, where))
    return found


def _order(session: Session, study_id: int, sort: str) -> list[ColumnElement[Any]]:
    source, keys = parse_sort(sort)
    names = Names(session, study_id)
    return [
        (value.desc() if key.is_falling else value.asc()).nulls_last()
        for key in keys
        for value in _values(_meaning(key, names, source), is_sqlite=session.is_sqlite)
    ]


def _meaning(key: SortKey, names: Names, source: Source) -> Meaning:
    operand = key.operand
    if operand.is_value:
        raise source.error(f"a name goes here, {operand.text!r} is a value", operand.at)
    meaning = names.meaning(operand, source)
    if meaning.sort == "tags":
        raise source.error("a trial has any number of tags: nothing to sort by", operand.at)
    return meaning


def _values(meaning: Meaning, *, is_sqlite: bool) -> list[ColumnElement[Any]]:
    """Return what a name sorts by: numbers before texts, and texts by their characters' codes."""
    if meaning.sort == "flag" and meaning.flag is not None:
        return [meaning.flag]
    found: list[ColumnElement[Any]] = [] if meaning.number is None else [meaning.number]
    if meaning.text is not None:
        text = func.nullif(meaning.text, "") if meaning.sort == "text" else meaning.text
        found.append(collate(text, "BINARY" if is_sqlite else "C"))
    if not meaning.row:
        return found
    return [select(each).where(*meaning.row).correlate(trials).scalar_subquery() for each in found]
