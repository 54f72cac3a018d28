# SPDX-License-Identifier: Apache-2.0
"""The rows of the matrix: the faults, and what tries each."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from benchmarks.crash import clocks, command, damage, disk, killings, rivals, server, steps
from benchmarks.crash.cells import Cell
from benchmarks.crash.killing import POINTS
from benchmarks.crash.steps import Stages

__all__ = ["ROWS", "Row", "Scale"]


class Scale(NamedTuple):
    """How much is tried.

    Args:
        n_kills: at random moments.
        is_quick: each fault once or a few times.
    """

    n_kills: int
    is_quick: bool

    def of(self, n: int, n_quick: int = 1) -> int:
        """Return how often something is tried."""
        return n_quick if self.is_quick else n


class Row(NamedTuple):
    """A fault, and what tries it on a database."""

    name: str
    act: Callable[[Stages, Scale], Cell]


def _killed(stages: Stages, scale: Scale, *, who: str, batch: int, point: str) -> Cell:
    n = scale.of(12 if point.startswith("any commit") else 4, 2)
    if who in ("leader", "worker"):
        n = scale.of(2)
    return steps.killed_at(stages, point, who=who, batch=batch, n_passings=n)


def _sqlite_only(act: Callable[[Stages], Cell], stages: Stages, scale: Scale) -> Cell:
    with stages() as stage:
        is_sqlite = stage.is_sqlite
    return act(stages) if is_sqlite else Cell(skipped="the server's own affair")


def _server(act: Callable[[server.Server], Cell], stages: Stages, scale: Scale) -> Cell:
    with stages() as stage:
        if stage.is_sqlite:
            return Cell(skipped="there is no server")
    try:
        with server.own_server() as own:
            return act(own)
    except server.NoServerError as error:
        return Cell(skipped=str(error))


def _server_row(name: str, act: Callable[[server.Server, int, int], Cell], n: int, n_processes: int) -> Row:
    def try_it(stages: Stages, scale: Scale) -> Cell:
        return _server(lambda own: act(own, scale.of(n, 2), n_processes), stages, scale)

    return Row(name, try_it)


def _newer(stages: Stages, scale: Scale) -> Cell:
    with stages() as stage:
        return damage.newer_schema(stage)


def _damage_row(name: str) -> Row:
    how, is_killed = damage.DAMAGES[name]
    act = partial(_sqlite_only, lambda stages: damage.damaged(how, is_killed=is_killed))
    return Row(f"the file {name}" if name.startswith("cut") else f"the file: {name}", act)


_WHO = {"driver": "the only process", "leader": "the one that proposes, of two", "worker": "a worker"}


def _step_rows() -> list[Row]:
    made = []
    for who, batch in (("driver", 1), ("driver", 5), ("leader", 1), ("worker", 1)):
        for point in POINTS:
            if who == "worker" and (point.startswith("proposals") or point in ("asking", "asked")):
                continue  # a worker proposes nothing
            name = f"kill -9 of {_WHO[who]}{', ask(5)' if batch > 1 else ''}: {point}"
            made.append(Row(name, partial(_killed, who=who, batch=batch, point=point)))
    child = partial(_killed, who="child", batch=1, point="evaluating")
    return [*made, Row("kill -9 of a child of ProcessExecutor: evaluating", child)]


ROWS: list[Row] = [
    *_step_rows(),
    Row(
        "kills at random moments, one process",
        lambda s, scale: killings.at_random(s, scale.n_kills, n_processes=1),
    ),
    Row(
        "kills at random moments, two processes",
        lambda s, scale: killings.at_random(s, scale.n_kills, n_processes=2),
    ),
    Row(
        "kills at random moments, two processes with two children each",
        lambda s, scale: killings.at_random(s, max(1, scale.n_kills // 10), n_processes=2, processes=2),
    ),
    Row("disk full, then room again", partial(_sqlite_only, lambda s: disk.full_disk())),
    Row("disk full for longer than the run waits", partial(_sqlite_only, lambda s: disk.stays_full())),
    Row("files that may not grow (RLIMIT_FSIZE) for 2 s", partial(_sqlite_only, disk.full_file)),
    Row("no more pages (max_page_count) for 2 s", partial(_sqlite_only, disk.full_pages)),
    Row("read-only file", partial(_sqlite_only, lambda s: disk.read_only(s, "file"))),
    Row("read-only folder", partial(_sqlite_only, lambda s: disk.read_only(s, "folder"))),
    Row("locked by another program for 20 s", lambda s, scale: disk.locked(s, scale.of(20, 2))),
    Row("kill -9 of a child while the database is locked", lambda s, scale: disk.child_lost_while_locked(s)),
    Row(
        "locked for longer than SQLite waits by itself",
        partial(_sqlite_only, lambda s: disk.locked(s, 3, timeout=0.5)),
    ),
    _server_row(
        "server crashed and started again, one process",
        lambda own, n, k: server.restarted(own, n, n_processes=k),
        5,
        1,
    ),
    _server_row(
        "server crashed and started again, two processes",
        lambda own, n, k: server.restarted(own, n, n_processes=k),
        5,
        2,
    ),
    _server_row(
        "connections ended by the server, one process",
        lambda own, n, k: server.terminated(own, n, n_processes=k),
        30,
        1,
    ),
    _server_row(
        "connections ended by the server, two processes",
        lambda own, n, k: server.terminated(own, n, n_processes=k),
        30,
        2,
    ),
    Row("clock set back and forth by hours, killed and resumed", lambda s, scale: clocks.alone(s)),
    Row("two processes with clocks hours apart, one killed", lambda s, scale: clocks.shared(s)),
    *map(_damage_row, damage.DAMAGES),
    Row("a database of a newer archloom", _newer),
    Row("two drivers at once", lambda s, scale: rivals.at_once(s, 2, scale.of(10))),
    Row("five drivers at once", lambda s, scale: rivals.at_once(s, 5, scale.of(10))),
    Row(
        "a driver killed while four others start",
        lambda s, scale: rivals.killed_among_rivals(s, scale.of(10)),
    ),
    Row(
        "driver suspended past its lease, wakes amid the others' work",
        lambda s, scale: rivals.suspended(s, scale.of(5), wakes="amid"),
    ),
    Row(
        "driver suspended past its lease, wakes when all is done",
        lambda s, scale: rivals.suspended(s, scale.of(5), wakes="after"),
    ),
    Row("a worker there before the budget, driver killed", lambda s, scale: rivals.early_worker(s)),
    Row("a trial that kills its child each time", lambda s, scale: killings.deadly_in_process(s)),
    Row("a trial that kills its only process each time", lambda s, scale: killings.deadly_inline(s)),
    Row("`search run`, kill -9, `search run --resume`", lambda s, scale: command.killed(s)),
    Row("`search run --resume` twice at once", lambda s, scale: command.two_commands(s)),
]
"""All faults, in the order of the table."""
