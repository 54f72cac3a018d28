# SPDX-License-Identifier: Apache-2.0
"""Curves by some of their steps: what a trial reported, and how a search by gradients came to it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from rich.console import RenderableType

    from archloom.cli._columns import Column
    from archloom.report import Course

SHOWN_STEPS = 12
SHOWN_EPOCHS = 6
SHOWN_SITES = 28
ADVICE = "--format json has all"

Curves: TypeAlias = dict[str, dict[int, float]]


def curves_parts(curves: Curves) -> list[RenderableType]:
    """Show curves by their first step, their last, and some evenly between."""
    from archloom.cli._columns import Column, Fitted
    from archloom.cli._tables import plain
    from archloom.cli._words import number

    steps = sorted({step for curve in curves.values() for step in curve})
    shown = spread(steps, SHOWN_STEPS)
    columns = [Column("step", [str(step) for step in shown], is_number=True)]
    for i, (metric, curve) in enumerate(curves.items()):
        columns.append(Column(metric, [number(curve.get(step)) for step in shown], is_number=True, rank=i))
    table = Fitted(columns, advice=ADVICE)
    note = f"{len(shown)} of {len(steps)} steps; {ADVICE}"
    return [table, plain(note, "dim")] if len(shown) < len(steps) else [table]


def spread(steps: Sequence[int], most: int) -> list[int]:
    """Return the first step, the last, and some evenly between.

    >>> spread(range(1, 51), 3), spread([1, 2], 12)
    ([1, 25, 50], [1, 2])
    """
    n = min(len(steps), most)
    return [steps[round(i * (len(steps) - 1) / max(n - 1, 1))] for i in range(n)]


def weights_parts(course: Course) -> list[RenderableType]:
    """Show which candidate of each site weighed the most, at as many epochs as fit.

    Where sites are too many, those stay whose leading candidate changed.
    """
    from rich.console import Console

    from archloom.cli._columns import Fitted, fit
    from archloom.cli._tables import plain

    sites = _shown(course)
    n_epochs = course.n_epochs
    for most in range(SHOWN_EPOCHS, 1, -1):
        epochs = spread(range(1, n_epochs + 1), most)
        columns = _leaders(course, sites, epochs)
        if not fit(columns, Console().width)[1]:
            break
    parts: list[RenderableType] = [plain("how the choice moved", "bold"), Fitted(columns, advice=ADVICE)]
    notes = [f"{len(epochs)} of {n_epochs} epochs"] if len(epochs) < n_epochs else []
    if len(sites) < len(course.weights):
        notes.append(f"{len(sites)} of {len(course.weights)} sites, changed ones first")
    return [*parts, plain(f"{'; '.join([*notes, ADVICE])}", "dim")] if notes else parts


def _shown(course: Course) -> list[str]:
    """Return sites to show, in the space's order."""

    def is_steady(site: str) -> bool:
        return len({course.leader(site, epoch) for epoch in range(1, course.n_epochs + 1)}) == 1

    chosen = set(sorted(course.weights, key=is_steady)[:SHOWN_SITES])
    return [site for site in course.weights if site in chosen]


def _leaders(course: Course, sites: Iterable[str], epochs: Sequence[int]) -> list[Column]:
    """Return a column of sites below the parts that they belong to, and one of leaders for each epoch."""
    from archloom.cli._columns import Column

    rows = list(_rows(sites))
    columns = [Column("site", [text for text, _ in rows])]
    for epoch in epochs:
        cells = ["" if site is None else _leader(course, site, epoch) for _, site in rows]
        rank = 0 if epoch in (epochs[0], epochs[-1]) else 1
        columns.append(Column(f"epoch {epoch}", cells, rank=rank, is_cut=True))
    return columns


def _leader(course: Course, site: str, epoch: int) -> str:
    label = course.leader(site, epoch)
    return "–" if label is None else f"{course.weights[site][label][epoch - 1]:.3f} {label}"


def _rows(sites: Iterable[str]) -> Iterator[tuple[str, str | None]]:
    """Yield what stands in a line, and its site; a part that is none has a line, too."""
    from archloom.cli._words import part_of

    before = ""
    for site in sites:
        part = part_of(site)
        inside = site[len(part) :].removeprefix(".")
        if inside and part != before:
            yield part, None
        yield (f"  {inside}" if inside else part), site
        before = part
