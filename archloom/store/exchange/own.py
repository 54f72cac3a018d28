# SPDX-License-Identifier: Apache-2.0
"""Trials from the columns that archloom wrote; each comes back as it was."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence

from archloom.contracts import Objective
from archloom.store.exchange.cells import unguarded
from archloom.store.exchange.columns import LEADING, OUTCOME, PROPOSAL, Layout
from archloom.store.exchange.goals import goals_in
from archloom.store.exchange.incoming import Incoming, IncomingTrial
from archloom.store.exchange.row import Row

__all__ = ["read_own"]

_EXCLUDED = ("", "outside", "invalid")


def read_own(
    layout: Layout, rows: Sequence[Row], objectives: Sequence[Objective], *, source: str
) -> Incoming:
    """Read what ``write_csv`` wrote.

    Where rows were taken out since, those that are left are numbered anew, in their order.

    Raises:
        ConfigError: an objective that is no metric of the file.
        DataError: a cell that is not what its column holds, or a number that two rows have.
    """
    goals = goals_in(layout.metrics, objectives, source)
    places = _Places(layout)
    ordered = sorted(((places.number(row), row) for row in rows), key=lambda item: item[0])
    renumbered = {number: i for i, (number, _) in enumerate(ordered)}
    if len(renumbered) < len(ordered):
        _refuse_double(ordered, places)
    trials = [places.read(row, renumbered) for _, row in ordered]
    is_whole = all(number == i for number, i in renumbered.items())
    notes = () if is_whole else (f"some trials are missing: numbered anew from 0 to {len(trials) - 1}",)
    return Incoming(trials, goals, notes=notes)


def _refuse_double(ordered: Sequence[tuple[int, Row]], places: _Places) -> None:
    for (number, _), (again, row) in itertools.pairwise(ordered):
        if number == again:
            row.refuse(places.at["number"], "a number that no other trial has")


class _Places:
    """Where in a row everything is.

    Args:
        layout: of the file.
    """

    def __init__(self, layout: Layout):
        header = layout.header
        self.at = {name: i for i, name in enumerate(header)}
        first = len(LEADING)
        self._labels = {name: first + i for i, name in enumerate(layout.labels)}
        first += len(layout.labels) + len(PROPOSAL)
        self._numbers = {name: first + i for i, name in enumerate(layout.numbers)}
        first += len(layout.numbers) + len(OUTCOME)
        self._metrics = {name: first + i for i, name in enumerate(layout.metrics)}

    def number(self, row: Row) -> int:
        """Return a trial's number."""
        found = row.integer(self.at["number"], least=0)
        if found is None:
            row.refuse(self.at["number"], "a trial's number")
        return found

    def read(self, row: Row, renumbered: Mapping[int, int]) -> IncomingTrial:
        """Return the trial of a row."""
        at = self.at
        ask = row.integer(at["ask"])
        return IncomingTrial(
            state=row.state(at["state"]),
            choices=self._choices(row),
            metrics={key: value for key, i in self._metrics.items() if (value := row.number(i)) is not None},
            key=_text(row, at["key"]) or "",
            text=_text(row, at["text"]) or "",
            violation=self._violation(row),
            seed=row.integer(at["seed"]) or 0,
            fidelity=_text(row, at["fidelity"]),
            ask=-1 if ask is None else ask,
            reused_from=self._reused_from(row, renumbered),
            excluded=self._excluded(row),
            finish_order=row.integer(at["finish_order"], least=0),
            reason=_text(row, at["reason"]) or "",
            started_at=row.time(at["started_at"]),
            finished_at=row.time(at["finished_at"]),
            seconds=row.finite(at["seconds"], least=0),
        )

    def _choices(self, row: Row) -> dict[str, str | float]:
        choices: dict[str, str | float] = {}
        for name, i in self._labels.items():
            if (label := _text(row, i)) is not None:
                choices[name] = label
        for name, i in self._numbers.items():
            if (value := row.finite(i)) is not None:
                choices[name] = value
        return choices

    def _reused_from(self, row: Row, renumbered: Mapping[int, int]) -> int | None:
        number = row.integer(self.at["reused_from"])
        if number is None:
            return None
        if number not in renumbered or number == self.number(row):
            row.refuse(self.at["reused_from"], "the number of another trial in the file")
        return renumbered[number]

    def _violation(self, row: Row) -> float:
        found = row.number(self.at["violation"]) or 0.0
        if not found >= 0:
            row.refuse(self.at["violation"], "a number of at least 0")
        return found

    def _excluded(self, row: Row) -> str:
        found = _text(row, self.at["excluded"]) or ""
        if found not in _EXCLUDED:
            row.refuse(self.at["excluded"], "'outside', 'invalid' or nothing")
        return found


def _text(row: Row, column: int) -> str | None:
    """Return the text of a cell; ``None`` from an empty one."""
    cell = row.cells[column]
    return unguarded(cell) if cell else None
