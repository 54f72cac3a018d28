# SPDX-License-Identifier: Apache-2.0
"""Where a process kills itself with SIGKILL: the product's methods are wrapped here."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any, Literal, NamedTuple

__all__ = ["POINTS", "Kill", "arm", "strike"]


class Kill(NamedTuple):
    """At which point, and at its how-many-th passing, a process dies; once only, whoever passes there.

    Args:
        point: one of ``POINTS``.
        n: counted from 1.
    """

    point: str
    n: int


class _Place(NamedTuple):
    """A method, and whether the blow falls before it or after.

    Args:
        owner: import path of the class.
        method: its name.
        when: before the call or after.
        only: of the arguments and the result, whether this call counts.
    """

    owner: str
    method: str
    when: Literal["before", "after"]
    only: Callable[[tuple[Any, ...], Any], bool] = lambda arguments, result: True


def _writes(table: str) -> Callable[[tuple[Any, ...], Any], bool]:
    """Count the calls of ``run_many`` that write rows into a table."""

    def counts(arguments: tuple[Any, ...], result: Any) -> bool:
        target = getattr(arguments[1], "table", None)
        return target is not None and target.name == table and bool(arguments[2])

    return counts


def _is_full(arguments: tuple[Any, ...], result: Any) -> bool:
    return bool(result)


_STORE, _SESSION = "archloom.store.store:Store", "archloom.store.session:Session"
_STRATEGY = "archloom.strategies.regularized_evolution:RegularizedEvolution"
_WORKERS = "archloom.store.workers:Workers"

_PLACES: dict[str, _Place] = {
    "asking": _Place(_STRATEGY, "ask", "before"),
    "asked": _Place(_STRATEGY, "ask", "after"),
    "proposals: before": _Place(_STORE, "start", "before"),
    "proposals: half written": _Place(_SESSION, "run_many", "before", _writes("decisions")),
    "proposals: written": _Place(_STORE, "start", "after"),
    "claim: in the transaction": _Place("archloom.store.life:Life", "claim", "after", _is_full),
    "claimed": _Place(_STORE, "claim_many", "after", _is_full),
    "submitted": _Place("archloom.executors.inline:InlineExecutor", "submit", "after"),
    "evaluated": _Place("archloom.executors.inline:InlineExecutor", "next_finished", "after", _is_full),
    "report: before": _Place(_STORE, "report_many", "before"),
    "report: half written": _Place(_SESSION, "run_many", "after", _writes("curves")),
    "reported": _Place(_STORE, "report_many", "after"),
    "end: before": _Place(_STORE, "finish_many", "before"),
    "end: half written": _Place(_SESSION, "run_many", "before", _writes("metrics")),
    "end: written": _Place(_STORE, "finish_many", "after"),
    "any commit: before": _Place(_SESSION, "_end", "before"),
    "any commit: after": _Place(_SESSION, "_end", "after"),
    "goodbye": _Place(_WORKERS, "leave", "before"),
}

POINTS = (*_PLACES, "evaluating", "told")
"""All points; the last two are in the evaluator and in the callback that hears of finished trials."""

_passed: dict[str, int] = {}


def arm(kill: Kill, side: Path) -> None:
    """Have this process die at its point."""
    from archloom import reports
    from archloom.registry import import_path

    _passed.clear()
    reports._FLUSH = 0.0  # every report is written
    place = _PLACES.get(kill.point)
    if place is None:
        return
    owner = import_path(place.owner)
    method = getattr(owner, place.method)

    @wraps(method)
    def wrapped(*arguments: Any, **named: Any) -> Any:
        if place.when == "before" and place.only(arguments, None):
            strike(kill, side, kill.point)
        result = method(*arguments, **named)
        if place.when == "after" and place.only(arguments, result):
            strike(kill, side, kill.point)
        return result

    setattr(owner, place.method, wrapped)


def strike(kill: Kill | None, side: Path, point: str) -> None:
    """Die, if this is the point and the passing; where another process has died of it already, go on."""
    if kill is None or kill.point != point:
        return
    _passed[point] = _passed.get(point, 0) + 1
    if _passed[point] < kill.n:
        return
    try:
        os.close(os.open(side / "struck", os.O_CREAT | os.O_EXCL))
    except FileExistsError:
        return
    os.kill(os.getpid(), signal.SIGKILL)
