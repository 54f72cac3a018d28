# SPDX-License-Identifier: Apache-2.0
"""The course of a search by gradients as a picture: a panel a site, a line a candidate, over the epochs."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from archloom.errors import require
from archloom.report.course import Course
from archloom.report.course_plan import MARGIN, NORMAL, CoursePlan, course_plan
from archloom.report.course_styles import (
    INK,
    LineStyle,
    cut,
    legend_entries,
    line_styles,
    panel_titles,
    scales,
)
from archloom.report.paper import check_path, sheet

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["draw_course"]

LEFT, RIGHT, TOP, BOTTOM = 0.4, 0.08, 0.4, 0.24
"""What words take of a panel around its axes, in inches."""
TITLE, SMALL = 12.0, 7.0
BOLD_LETTER = 0.7 * TITLE / 72
MAX_DERIVED = 30
FAINT = "#777777"

MEASURES = {
    "entropy": "mean entropy",
    "skips": "skip connections derived",
    "eigenvalue": "dominant eigenvalue",
}
NOTE = "what candidates weigh after each epoch; sites of the same candidates have the same scale"


def draw_course(course: Course, path: str | Path, title: str = "") -> Path:
    """Draw what each candidate weighed, epoch by epoch; a file that is there is replaced.

    A label has the same colour everywhere; what is derived at the last epoch is a thick line that ends in a
    dot. Below stand the measures of the search.

    Args:
        course: up to the epoch that matters.
        path: where to; its suffix, ``.svg`` or ``.png``, says what.
        title: what stands above it all.

    Raises:
        ConfigError: another suffix, or a folder that is not there.
        MissingExtraError: without matplotlib.
    """
    to = check_path(path)
    require("matplotlib", "bench", "a picture of a search by gradients")
    styles = line_styles(course)
    mark = f"derived at epoch {course.n_epochs}", LineStyle(INK)
    entries = [*legend_entries(styles), mark]
    plan = course_plan(len(course.weights), len(course.measures), [entry for entry, _ in entries])
    with sheet(to, plan.width, plan.height) as figure:
        _draw_words(figure, title)
        _draw_legend(figure, entries, plan)
        _draw_sites(figure, course, styles, plan)
        _draw_measures(figure, course, plan)
    return to


def _draw_words(figure: Figure, title: str) -> None:
    width, height = figure.get_size_inches()
    title = cut(title, int((width - 2 * MARGIN) / BOLD_LETTER))
    for text, y, size, weight in ((title, 0.1, TITLE, "bold"), (NOTE, 0.34, NORMAL, "normal")):
        place = MARGIN / width, 1 - (MARGIN + y) / height
        figure.text(*place, text, size=size, weight=weight, color=INK, va="center", parse_math=False)


def _draw_legend(figure: Figure, entries: Sequence[tuple[str, LineStyle]], plan: CoursePlan) -> None:
    """Draw the legend, whose last entry is the mark of what is derived."""
    from matplotlib.lines import Line2D

    drawn = [style.drawn(is_derived=i == len(entries) - 1) for i, (_, style) in enumerate(entries)]
    legend = figure.legend(
        [Line2D([0], [0], **line) for line in drawn],
        [f" {entry}" if entry.startswith("_") else entry for entry, _ in entries],  # else it is left out
        loc="upper left",
        bbox_to_anchor=(MARGIN / plan.width, 1 - plan.legend / plan.height),
        ncols=plan.n_columns,
        fontsize=NORMAL,
        frameon=False,
        borderaxespad=0,
        borderpad=0,
    )
    for text in legend.get_texts():
        text.set_parse_math(False)


def _draw_sites(figure: Figure, course: Course, styles: Mapping[str, LineStyle], plan: CoursePlan) -> None:
    titles, ranges, n = panel_titles(course.weights), scales(course), len(course.weights)
    for index, (site, weights) in enumerate(course.weights.items()):
        axes = _panel(figure, plan.site(index), course.n_epochs)
        axes.set_ylim(*ranges[site])
        axes.tick_params(labelbottom=index + plan.n_across >= n)
        derived = course.derived[site]
        for label, values in weights.items():
            line = styles[label].drawn(is_derived=label in derived)
            axes.plot(range(1, len(values) + 1), values, gid=f"{site}={label}", clip_on=False, **line)
        told = cut(", ".join(derived), MAX_DERIVED)
        _write(axes, titles[site], 0.25, SMALL + 0.5, INK if derived else FAINT)
        _write(axes, told or "not derived", 0.1, SMALL, FAINT)


def _draw_measures(figure: Figure, course: Course, plan: CoursePlan) -> None:
    from matplotlib.ticker import MaxNLocator

    for index, (name, values) in enumerate(course.measures.items()):
        axes = _panel(figure, plan.measure(index), course.n_epochs)
        axes.plot(range(1, len(values) + 1), values, color=INK, linewidth=1.6, marker=".", clip_on=False)
        _write(axes, MEASURES[name], 0.1, NORMAL, INK)
        axes.set_xlabel("epoch", size=SMALL, color=INK, labelpad=1)
        if name == "entropy":  # from all alike to all decided: a flat line is flat
            axes.set_ylim(0, 1.05)
        if name == "skips":
            axes.set_ylim(0, 1.1 * max([1.0, *filter(math.isfinite, values)]))
            axes.yaxis.set_major_locator(MaxNLocator(3, integer=True))


def _panel(figure: Figure, place: tuple[float, float, float, float], n_epochs: int) -> Axes:
    """Put axes over the epochs into a place on the paper: left, top, width and height in inches."""
    from matplotlib.ticker import MaxNLocator

    (left, top, width, height), (across, down) = place, figure.get_size_inches()
    corner = (left + LEFT) / across, 1 - (top + height - BOTTOM) / down
    size = (width - LEFT - RIGHT) / across, (height - TOP - BOTTOM) / down
    axes = figure.add_axes((*corner, *size))
    room = 0.03 * (n_epochs - 1) or 0.5
    axes.set_xlim(1 - room, n_epochs + room)
    ticks = MaxNLocator(4, integer=True).tick_values(1, n_epochs)
    axes.set_xticks([1, *(tick for tick in ticks if 1 < tick <= n_epochs)])
    axes.yaxis.set_major_locator(MaxNLocator(3))
    axes.tick_params(labelsize=SMALL, length=2, pad=2, color=FAINT, labelcolor=INK)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(FAINT)
    axes.grid(alpha=0.2)
    return axes


def _write(axes: Axes, text: str, above: float, size: float, colour: str) -> None:
    """Write a line so many inches above the axes, from where they begin."""
    axes.annotate(
        text,
        (0, 1),
        (0, 72 * above),
        xycoords="axes fraction",
        textcoords="offset points",
        size=size,
        color=colour,
        va="center",
        parse_math=False,
    )
