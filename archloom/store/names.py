# SPDX-License-Identifier: Apache-2.0
"""What a name in ``where`` or ``sort`` stands for: a column of a trial, a metric or a decision of the study.

A column goes before a metric or decision of the same name, which ``metric:seconds`` or ``decision:state``
reaches. ``accuracy`` is short for ``validation/accuracy``, unless both are there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, final

from sqlalchemy import Column, ColumnElement, Table, and_, select

from archloom.errors import ConfigError, UnknownNameError, did_you_mean
from archloom.store.expressions import Operand, Source
from archloom.store.records import SPLITS, join_key
from archloom.store.schema import decisions, metrics, tags, trials
from archloom.store.session import Session
from archloom.store.views import short_key

__all__ = ["Meaning", "Names"]

SHOWN_NAMES = 24

Sort = Literal["number", "label", "text", "state", "time", "flag", "tags"]


@final
@dataclass(frozen=True)
class Meaning:
    """What a name stands for.

    Args:
        name: as it is shown.
        sort: how it is compared.
        number: its value as a number; ``None`` where it has none.
        text: its value as a text; ``None`` where it has none.
        row: what ties the row that holds it to the trial; empty for a column of the trial itself.
        flag: whether it holds, for what may stand alone.
    """

    name: str
    sort: Sort
    number: ColumnElement[Any] | None = None
    text: ColumnElement[Any] | None = None
    row: tuple[ColumnElement[bool], ...] = ()
    flag: ColumnElement[bool] | None = None

    @property
    def value(self) -> ColumnElement[Any]:
        """What it is compared by: the number of a number, else the text."""
        found = self.number if self.sort == "number" or self.text is None else self.text
        if found is None:
            raise ValueError(f"{self.name} has no value")
        return found

    @property
    def is_there(self) -> list[ColumnElement[bool]]:
        """What must hold for it not to be missing, the row apart."""
        if self.sort == "flag":
            return []
        is_nullable = getattr(self.value, "nullable", True)
        there: list[ColumnElement[bool]] = [self.value.is_not(None)] if is_nullable else []
        return [*there, self.value != ""] if self.sort == "text" and not self.row else there


def _number(name: str, column: Column[Any]) -> Meaning:
    return Meaning(name, "number", number=column)


def _text(name: str, column: Column[Any], sort: Sort = "text") -> Meaning:
    return Meaning(name, sort, text=column)


_OUT = trials.c.excluded
_COLUMNS = {
    meaning.name: meaning
    for meaning in (
        *[
            _number(name, trials.c[name])
            for name in (
                "number",
                "seconds",
                "violation",
                "ask",
                "seed",
                "reused_from",
                "finish_order",
                "n_lost",
            )
        ],
        _number("worker", trials.c.worker_id),
        _number("time", trials.c.seconds),
        _number("trial", trials.c.number),
        _number("value", trials.c.value),
        _text("state", trials.c.state, "state"),
        *[_text(name, trials.c[name]) for name in ("architecture", "reason", "fidelity", "key")],
        Meaning("excluded", "text", text=_OUT, flag=_OUT != ""),
        *[_text(name, trials.c[name], "time") for name in ("created_at", "started_at", "finished_at")],
        Meaning("feasible", "flag", flag=trials.c.violation == 0),
        Meaning("pareto", "flag", flag=trials.c.is_pareto),
        Meaning("tag", "tags", text=tags.c.tag, row=(tags.c.trial_id == trials.c.id,)),
    )
}


@final
@dataclass
class Names:
    """The names of a study, looked up one at a time: to list all of them means reading every trial."""

    session: Session
    study_id: int
    _known: dict[tuple[str, str], Meaning] = field(default_factory=dict)

    def meaning(self, operand: Operand, source: Source) -> Meaning:
        """Return what a name stands for.

        Raises:
            UnknownNameError: nothing, or both a decision and a metric; the message shows the place.
        """
        key = operand.kind, operand.text
        if key not in self._known:
            self._known[key] = self._find(operand, source)
        return self._known[key]

    def _find(self, operand: Operand, source: Source) -> Meaning:
        name, kind = operand.text, operand.kind
        if not kind and name in _COLUMNS:
            return _COLUMNS[name]
        metric = self._metric(name) if kind != "decision" else None
        decision = self._decision(name) if kind != "metric" else None
        if metric and decision:
            raise source.error(
                f"{name!r} is both a decision and a metric: write decision:{_quoted(name)} "
                f"or metric:{_quoted(name)}",
                operand.at,
                UnknownNameError,
            )
        if found := metric or decision:
            return found
        raise self._unknown(operand, source)

    def _metric(self, name: str) -> Meaning | None:
        split, slash, rest = name.partition("/")
        pairs = [("", name), ("validation", name)]
        if slash and split in SPLITS:
            pairs = [(split, rest)]
        for pair in pairs:
            if pair[1] and self._is_there(metrics, metrics.c.split == pair[0], metrics.c.name == pair[1]):
                table = metrics.alias()
                row = table.c.trial_id == trials.c.id, table.c.split == pair[0], table.c.name == pair[1]
                return Meaning(join_key(*pair), "number", number=table.c.value, row=row)
        return None

    def _decision(self, name: str) -> Meaning | None:
        if not self._is_there(decisions, decisions.c.name == name):
            return None
        table = decisions.alias()
        row = table.c.trial_id == trials.c.id, table.c.name == name
        return Meaning(name, "label", number=table.c.value, text=table.c.choice, row=row)

    def _is_there(self, table: Table, *conditions: ColumnElement[bool]) -> bool:
        query = (
            select(trials.c.id)
            .join(table, and_(table.c.trial_id == trials.c.id, *conditions))
            .where(trials.c.study_id == self.study_id)
            .limit(1)
        )
        return self.session.connection.scalar(query) is not None

    def _unknown(self, operand: Operand, source: Source) -> ConfigError:
        """Return the error that nothing has a name, with the nearest that something has."""
        found: list[str] = []
        if operand.kind != "metric":
            found += [str(name) for (name,) in self._rows(decisions.c.name)]
        if operand.kind != "decision":
            keys = [(str(split), str(name)) for split, name in self._rows(metrics.c.split, metrics.c.name)]
            is_short = "/" not in operand.text
            found += [short_key(*key, keys) if is_short else join_key(*key) for key in keys]
        what = operand.kind or "metric, decision or column"
        known = [*found, *(() if operand.kind else _COLUMNS)]
        told = did_you_mean(operand.text, known)
        if "did you mean" not in told and len(known) > SHOWN_NAMES:
            more = len(known) - SHOWN_NAMES
            told = f"; there are: {', '.join(sorted(found)[:SHOWN_NAMES])} and {more} more"
        return source.error(f"no trial has a {what} {operand.text!r}{told}", operand.at, UnknownNameError)

    def _rows(self, *columns: Column[Any]) -> Sequence[Any]:
        table = columns[0].table
        query = select(*columns).join(trials, trials.c.id == table.c.trial_id)
        return self.session.connection.execute(
            query.where(trials.c.study_id == self.study_id).distinct().order_by(*columns)
        ).all()


def _quoted(name: str) -> str:
    return name if name.replace("_", "").replace("/", "").isalnum() else f"`{name.replace('`', '``')}`"
