# SPDX-License-Identifier: Apache-2.0
"""How the store's benchmarks put figures into words and tables."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from typing import Any

__all__ = ["duration", "spread", "table", "times", "verdict"]


def table(head: Sequence[str], rows: Sequence[Sequence[Any]]) -> list[str]:
    """Return rows as a Markdown table.

    >>> table(["who", "n"], [["we", 3]])
    ['| who | n |', '|---|---|', '| we | 3 |']
    """
    return [f"| {' | '.join(map(str, cells))} |" for cells in [head]] + [
        "|" + "---|" * len(head),
        *[f"| {' | '.join(map(str, cells))} |" for cells in rows],
    ]


def duration(seconds: float) -> str:
    """Return seconds in words.

    >>> duration(0.00123), duration(2.5)
    ('1.2 ms', '2.5 s')
    """
    return f"{1000 * seconds:.2g} ms" if seconds < 0.0995 else f"{seconds:.2g} s"


def spread(values: Sequence[float]) -> str:
    """Return mean and standard deviation.

    >>> spread([1.0, 2.0, 3.0])
    '2.000 ± 1.000'
    """
    return f"{statistics.fmean(values):.3f} ± {statistics.stdev(values):.3f}"


def verdict(is_met: bool, wanted: str) -> str:
    """Return what was wanted, and whether it came."""
    return f"{wanted} {'met' if is_met else 'MISSED'}"


def times(ours: Sequence[float], theirs: Sequence[float]) -> str:
    """Return by how much we are quicker, the median over the pairs with its quartiles.

    >>> times([1.0, 1.0, 1.0], [2.0, 4.0, 6.0])
    '4 (3 to 5)'
    """
    ratios = [b / a for a, b in zip(ours, theirs, strict=True)]
    low, middle, high = statistics.quantiles(ratios, n=4, method="inclusive")
    return f"{middle:.3g} ({low:.3g} to {high:.3g})"
