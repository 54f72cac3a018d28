# SPDX-License-Identifier: Apache-2.0
"""Trials from a table that archloom did not write: the person says what its columns are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from archloom.contracts import Objective, State
from archloom.errors import ConfigError, did_you_mean
from archloom.store.exchange.goals import constraints_in, goals_in
from archloom.store.exchange.incoming import Incoming, IncomingTrial
from archloom.store.exchange.row import Row
from archloom.store.records import label_value

__all__ = ["Claims", "read_foreign"]

_READERS: dict[str, Callable[[Row, int], Any]] = {
    "state": Row.state,
    "reason": lambda row, i: row.cells[i],
    "fidelity": lambda row, i: row.cells[i] or None,
    "seed": Row.integer,
    "violation": lambda row, i: row.finite(i, least=0),
    "seconds": lambda row, i: row.finite(i, least=0),
    "started_at": Row.time,
    "finished_at": Row.time,
}
"""Columns that mean what they mean in our own files, unless they are claimed."""


@dataclass(frozen=True)
class Claims:
    """What a person says of the columns of a table.

    Args:
        decisions: columns that hold choices.
        metrics: columns that hold measured numbers; objectives need not be among them.
        ignore: columns that are left out.
    """

    decisions: tuple[str, ...] = ()
    metrics: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()

    @property
    def are_made(self) -> bool:
        """Whether anything is said."""
        return bool(self.decisions or self.metrics or self.ignore)


def read_foreign(
    header: Sequence[str],
    rows: Sequence[Row],
    objectives: Sequence[Objective],
    claims: Claims,
    constraints: Sequence[str] = (),
    *,
    source: str,
    is_changed: bool = False,
) -> Incoming:
    """Read the trials of a table, a row each, in their order.

    A decision whose cells are all numbers, and not all of them whole, is a number; else it is a label.
    A row without a state is COMPLETE if it has its objectives, else FAIL.

    Args:
        header: the names of its columns.
        rows: below it.
        objectives: as a person writes them.
        claims: what the columns are.
        constraints: as a person writes them.
        source: the file.
        is_changed: whether the header begins like one of ours.

    Raises:
        ConfigError: a column that is claimed twice, or that nothing is known of.
        DataError: a cell that is not what its column holds.
    """
    _check(header, claims, source)
    others = [name for name in header if name not in (*claims.decisions, *claims.ignore)]
    goals = goals_in(others, objectives, source)
    searched = [goal.metric for goal in goals if goal.metric not in claims.metrics]
    rules = constraints_in(others, constraints, source)
    bound = [rule.metric for rule in rules if rule.metric not in (*claims.metrics, *searched)]
    metrics = (*claims.metrics, *searched, *dict.fromkeys(bound))
    rest = [name for name in others if name not in metrics]
    unknown = [name for name in rest if name not in _READERS]
    if unknown:
        raise ConfigError(_words(unknown, source, is_changed=is_changed))
    table = _Table(list(header), rows, claims.decisions, metrics, rest)
    trials = [table.read(row) for row in rows]
    if rules and "violation" not in rest:
        trials = [
            replace(trial, violation=sum(r.violation(trial.metrics) for r in rules)) for trial in trials
        ]
    return Incoming(trials, goals, constraints=tuple(map(str, rules)))


def _check(header: Sequence[str], claims: Claims, source: str) -> None:
    for name in header:
        if header.count(name) > 1:
            raise ConfigError(f"{source} has {header.count(name)} columns {name!r}: give each its own name")
    seen: dict[str, str] = {}
    for option, names in vars(claims).items():
        for name in names:
            if name not in header:
                raise ConfigError(f"--{option}: {source} has no column {name!r}{did_you_mean(name, header)}")
            if name in seen:
                raise ConfigError(f"column {name!r} is claimed twice, by --{seen[name]} and by --{option}")
            seen[name] = option


def _words(unknown: Sequence[str], source: str, *, is_changed: bool) -> str:
    names = ",".join(unknown)
    if is_changed:
        return (
            f"{source} was written by archloom, but its columns were changed since (rows may be taken out, "
            f"columns may not); or say what they are with --decisions, --metrics and --ignore: {names}"
        )
    return (
        f"{source}: what are the columns {names}? Say which hold choices with --decisions, which hold "
        "measured numbers with --metrics, and which to leave out with --ignore (names with commas between)"
    )


class _Table:
    """The columns by their meaning: name to place."""

    def __init__(
        self,
        header: Sequence[str],
        rows: Sequence[Row],
        decisions: Sequence[str],
        metrics: Sequence[str],
        known: Sequence[str],
    ):
        at = {name: i for i, name in enumerate(header)}
        self._decisions = {name: at[name] for name in decisions}
        self._metrics = {name: at[name] for name in metrics}
        self._known = {name: at[name] for name in known}
        self._numeric = {name for name, i in self._decisions.items() if _is_numeric(rows, i)}

    def read(self, row: Row) -> IncomingTrial:
        """Return the trial of a row."""
        known = {name: _READERS[name](row, i) for name, i in self._known.items()}
        metrics = {name: row.number(i) for name, i in self._metrics.items()}
        return IncomingTrial(
            choices=self._choices(row),
            metrics={name: value for name, value in metrics.items() if value is not None},
            **{"state": State.COMPLETE} | {name: value for name, value in known.items() if value is not None},
        )

    def _choices(self, row: Row) -> dict[str, str | float]:
        cells = {name: row.cells[i].strip() for name, i in self._decisions.items()}
        return {name: float(c) if name in self._numeric else c for name, c in cells.items() if c}


def _is_numeric(rows: Sequence[Row], column: int) -> bool:
    cells = [cell for row in rows if (cell := row.cells[column].strip())]
    is_whole = all(cell.lstrip("+-").isdecimal() for cell in cells)
    return not is_whole and all(label_value(cell) is not None for cell in cells)
