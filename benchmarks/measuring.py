# SPDX-License-Identifier: Apache-2.0
"""What the benchmarks share: pairs of runs in turn, their ratios, and a table of them."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass

__all__ = ["Row", "in_turn", "table"]


@dataclass(frozen=True)
class Row:
    """One comparison.

    Args:
        what: what was done.
        ours: our figure, with its unit.
        peer: the peer's figure, with its name and unit.
        ratio: ours over the peer's by speed, the median over the pairs.
        spread: the lower and the upper quartile of the pairs' ratios.
        target: the least ratio wanted, ``None`` where it is only shown.
    """

    what: str
    ours: str
    peer: str
    ratio: float
    spread: tuple[float, float]
    target: float | None = None


def in_turn(
    ours: Callable[[], float], peers: Sequence[Callable[[], float]], n_rounds: int
) -> tuple[list[float], list[list[float]]]:
    """Run ours and the peers in turn, round by round; return the seconds a unit of ours and of each peer."""
    mine: list[float] = []
    theirs: list[list[float]] = [[] for _ in peers]
    for _ in range(n_rounds):
        mine.append(ours())
        for times, peer in zip(theirs, peers, strict=True):
            times.append(peer())
    return mine, theirs


def compared(
    what: str, ours: Sequence[float], peer: str, theirs: Sequence[float], target: float | None = None
) -> Row:
    """Compare seconds a unit, pair by pair; both are shown as units a second."""
    ratios = [b / a for a, b in zip(ours, theirs, strict=True)]
    low, _, high = statistics.quantiles(ratios, n=4, method="inclusive")
    return Row(
        what,
        f"{rate(ours)}/s",
        f"{peer} {rate(theirs)}/s",
        statistics.median(ratios),
        (low, high),
        target,
    )


def rate(seconds: Sequence[float]) -> str:
    """Return units a second in words, from the median of seconds a unit."""
    value = 1 / statistics.median(seconds)
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def table(rows: Sequence[Row]) -> list[str]:
    """Return the rows as a Markdown table."""
    lines = ["| what | ours | peer | ratio | quartiles | wanted |", "|---|---|---|---|---|---|"]
    for row in rows:
        spread = f"{row.spread[0]:.3g} to {row.spread[1]:.3g}"
        wanted = (
            "" if row.target is None else f"{row.target:g} {'met' if row.ratio >= row.target else 'MISSED'}"
        )
        lines.append(f"| {row.what} | {row.ours} | {row.peer} | {row.ratio:.3g} | {spread} | {wanted} |")
    return lines
