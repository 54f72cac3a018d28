# SPDX-License-Identifier: Apache-2.0
"""Where the panels of a course stand on the paper, in inches from the upper left corner."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple, TypeAlias

from archloom.report.paper import size_of

__all__ = ["MARGIN", "NORMAL", "CoursePlan", "Place", "course_plan"]

Place: TypeAlias = tuple[float, float, float, float]
"""Left, top, width and height."""

PANEL_WIDTH, PANEL_HEIGHT = 1.95, 1.55
MARGIN, WORDS, LEGEND_LINE, LEGEND_MARK = 0.2, 0.55, 0.19, 0.6
NORMAL = 8.0
"""The size of the legend's letters, in points."""
SHAPE, LEAST_ACROSS = 1.5, 3


class CoursePlan(NamedTuple):
    """A plan.

    Args:
        width: of the paper.
        height: of the paper.
        legend: the top of the legend.
        n_columns: of the legend.
        top: of the sites' panels.
        n_across: how many of them stand side by side.
        n_measures: how many panels stand in the row below.
    """

    width: float
    height: float
    legend: float
    n_columns: int
    top: float
    n_across: int
    n_measures: int

    def site(self, index: int) -> Place:
        """Return the place of a site's panel."""
        width = (self.width - 2 * MARGIN) / self.n_across
        down, across = divmod(index, self.n_across)
        return MARGIN + across * width, self.top + down * PANEL_HEIGHT, width, PANEL_HEIGHT

    def measure(self, index: int) -> Place:
        """Return the place of a measure's panel."""
        width = (self.width - 2 * MARGIN) / self.n_measures
        top = self.height - MARGIN - PANEL_HEIGHT
        return MARGIN + index * width, top, width, PANEL_HEIGHT


def course_plan(n_sites: int, n_measures: int, entries: Sequence[str]) -> CoursePlan:
    """Plan a picture of so many sites and measures.

    Args:
        n_sites: at least one.
        n_measures: any number.
        entries: of the legend.
    """
    n_across = _n_across(n_sites, n_rows_below=min(n_measures, 1))
    inner = max(n_across, LEAST_ACROSS) * PANEL_WIDTH
    widest = max(size_of(entry, NORMAL)[0] for entry in entries) + LEGEND_MARK
    n_columns = min(max(int(inner / widest), 1), len(entries))
    legend = MARGIN + WORDS
    top = legend + LEGEND_LINE * math.ceil(len(entries) / n_columns) + MARGIN / 2
    n_down = math.ceil(n_sites / n_across) + min(n_measures, 1)
    height = top + n_down * PANEL_HEIGHT + MARGIN * (1.5 if n_measures else 1)
    return CoursePlan(inner + 2 * MARGIN, height, legend, n_columns, top, n_across, n_measures)


def _n_across(n: int, *, n_rows_below: int) -> int:
    """Return how many panels stand side by side, for a good shape of the whole and few empty places."""

    def fault(n_across: int) -> float:
        n_down = math.ceil(n / n_across)
        height = 2 * WORDS + (n_down + n_rows_below) * PANEL_HEIGHT
        return abs(math.log(n_across * PANEL_WIDTH / height / SHAPE)) + (n_across * n_down - n) / n

    return min(range(1, n + 1), key=fault)
