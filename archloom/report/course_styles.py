# SPDX-License-Identifier: Apache-2.0
"""How the lines of a course look, what its panels are called, and by which scale they are drawn."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from archloom.report.course import Course

__all__ = ["COLOURS", "INK", "LineStyle", "cut", "legend_entries", "line_styles", "panel_titles", "scales"]

COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000", "#882255")
"""Told apart by the colour-blind too: seven of Okabe and Ito, and one of Paul Tol."""
DASHES = ("-", "--")
INK = "#222222"
THIN, THICK = 1.1, 2.6
MAX_TITLE, MAX_LABEL = 28, 40


class LineStyle(NamedTuple):
    """A line's colour and its dashes."""

    colour: str
    dash: str = "-"

    def drawn(self, *, is_derived: bool = False) -> dict[str, Any]:
        """Return it in matplotlib's words: what is derived is thick, and ends in a larger dot."""
        return {
            "color": self.colour,
            "linestyle": self.dash,
            "linewidth": THICK if is_derived else THIN,
            "marker": "o",  # of a first epoch there is nothing but dots
            "markersize": 5.5 if is_derived else 2,
            "markevery": [-1],
            "zorder": 3 + is_derived - (self == OTHER) / 2,
        }


OTHER = LineStyle("#bbbbbb")
"""The line of a label for which no colour is left."""


def line_styles(course: Course) -> dict[str, LineStyle]:
    """Return a style for each label, those of most sites first; where they are too many, only for winners."""
    n_sites = Counter(label for weights in course.weights.values() for label in weights)
    styles = [LineStyle(colour, dash) for dash in DASHES for colour in COLOURS]
    is_short = len(n_sites) > len(styles)
    ranked = Counter(_winners(course)) if is_short else n_sites
    first = dict(zip((label for label, _ in ranked.most_common()), styles, strict=False))
    return {**first, **{label: OTHER for label in n_sites if label not in first}}


def legend_entries(styles: Mapping[str, LineStyle]) -> list[tuple[str, LineStyle]]:
    """Return what the legend tells: labels, not too long, and those without a colour of their own as one."""
    own = [(cut(label, MAX_LABEL), style) for label, style in styles.items() if style != OTHER]
    n_others = len(styles) - len(own)
    return [*own, (f"{n_others:,} others", OTHER)] if n_others else own


def _winners(course: Course) -> Iterator[str]:
    """Yield of each site the labels that are derived in the end, or have led."""
    for site, derived in course.derived.items():
        leaders = (course.leader(site, epoch) for epoch in range(1, course.n_epochs + 1))
        yield from dict.fromkeys([*derived, *filter(None, leaders)])


def panel_titles(sites: Iterable[str]) -> dict[str, str]:
    """Return what the panel of each site is called: without the last field, where it is always the same.

    >>> list(panel_titles(["nodes[0]", "nodes[0](input_0).op", "nodes[0](input_1).op"]).values())
    ['nodes[0]', 'nodes[0](input_0)', 'nodes[0](input_1)']
    >>> list(panel_titles(["layers[0].width", "layers[0].act", "very_long_part." * 3 + "act"]).values())
    ['layers[0].width', 'layers[0].act', '…ong_part.very_long_part.act']
    """
    names = list(sites)
    fields = {field[0] for name in names if (field := re.search(r"\.\w+$", name))}
    ending = fields.pop() if len(fields) == 1 else ""
    return {name: _tail(name.removesuffix(ending)) for name in names}


def _tail(text: str) -> str:
    return text if len(text) <= MAX_TITLE else "…" + text[1 - MAX_TITLE :]


def cut(text: str, most: int) -> str:
    """Return a text that is no longer than that."""
    return text if len(text) <= most else text[: most - 1] + "…"


def scales(course: Course) -> dict[str, tuple[float, float]]:
    """Return from where to where the weights of each site are drawn: alike where the candidates are."""
    ranges: dict[tuple[str, ...], tuple[float, float]] = {}
    for weights in course.weights.values():
        known = [value for each in weights.values() for value in each if math.isfinite(value)] or [0.0]
        low, high = ranges.get(tuple(weights), (known[0], known[0]))
        ranges[tuple(weights)] = min(low, *known), max(high, *known)
    return {site: _widened(*ranges[tuple(weights)]) for site, weights in course.weights.items()}


def _widened(low: float, high: float) -> tuple[float, float]:
    room = 0.06 * (high - low) or 0.05
    return low - room, high + room
