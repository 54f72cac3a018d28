# SPDX-License-Identifier: Apache-2.0
"""Sketches drawn to a file, SVG or PNG, by matplotlib; equal sketches give equal SVG files."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from archloom.errors import ConfigError, require
from archloom.report.columns import planned
from archloom.report.paper import LINE, check_path, sheet, size_of
from archloom.report.plan import Plan, Rect, Way, moved
from archloom.search_spaces.sketch import Edge, Kind, Node, Sketch

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["draw"]

FONT_SIZE, TITLE_SIZE = 10.0, 12.0
MAX_LETTERS, MAX_LINES, MAX_TITLE = 30, 8, 90
MARGIN, GAP, TITLE_ROOM, SHAPE = 0.25, 0.5, 0.42, 1.5
LABEL_PAD = 0.05

FACES: dict[Kind, str] = {
    "input": "#d9ead3",
    "output": "#fff2cc",
    "operation": "#e8f0fa",
    "node": "#cfe2f3",
    "join": "#f3e3f1",
    "fork": "#444444",
}
LINES, INK, PANEL = "#444444", "#111111", "#f4f4f4"


def draw(sketches: Sequence[Sketch], path: str | Path, title: str = "") -> Path:
    """Draw sketches into one picture; a file that is there is replaced.

    Args:
        sketches: what to draw, one at least.
        path: where to; its suffix, ``.svg`` or ``.png``, says what.
        title: what stands above it all.

    Raises:
        ConfigError: another suffix, a folder that is not there, or nothing to draw.
        MissingExtraError: without matplotlib.
    """
    to = check_path(path)
    if not sketches:
        raise ConfigError("a picture shows at least one sketch, got none")
    require("matplotlib", "bench", "a picture of an architecture")
    title = textwrap.shorten(title, MAX_TITLE, placeholder=" ...")
    shown = [_wrapped(sketch) for sketch in sketches]
    plans, width, height = _arranged(shown, title)
    with sheet(to, width, height) as figure:
        axes = figure.add_axes((0, 0, 1, 1))
        axes.set_axis_off()
        axes.set_xlim(0, width)
        axes.set_ylim(height, 0)
        if title:
            _text(axes, width / 2, MARGIN + TITLE_ROOM / 4, title, TITLE_SIZE, weight="bold")
        for sketch, plan in zip(shown, plans, strict=True):
            _draw_plan(axes, sketch, plan)
    return to


def _arranged(sketches: Sequence[Sketch], title: str) -> tuple[list[Plan], float, float]:
    """Return the plans in their places, side by side or one below the other, and the size of the paper."""
    plans = [planned(sketch, measured) for sketch in sketches]
    rooms = [TITLE_ROOM if sketch.title else 0.0 for sketch in sketches]
    widths = [
        max(plan.width, size_of(sketch.title, TITLE_SIZE)[0])
        for plan, sketch in zip(plans, sketches, strict=True)
    ]
    heights = [plan.height + room for plan, room in zip(plans, rooms, strict=True)]
    top = MARGIN + (TITLE_ROOM if title else 0.0)
    between = GAP * (len(plans) - 1)
    beside = sum(widths) + between, max(heights)
    below = max(widths), sum(heights) + between
    is_beside = _fault(*beside) < _fault(*below)
    inner = beside if is_beside else below
    paper = max(inner[0], _title_width(title)) + 2 * MARGIN
    x, y, found = (paper - inner[0]) / 2, top, []
    for plan, width, height, room in zip(plans, widths, heights, rooms, strict=True):
        left = x + (width - plan.width) / 2 if is_beside else (paper - plan.width) / 2
        found.append(moved(plan, left, y + room))
        x, y = (x + width + GAP, y) if is_beside else (x, y + height + GAP)
    return found, paper, inner[1] + top + MARGIN


def _fault(width: float, height: float) -> float:
    return abs(math.log(width / height / SHAPE))


def _draw_plan(axes: Axes, sketch: Sketch, plan: Plan) -> None:
    from matplotlib.patches import Circle

    left = min(rect.x - rect.width / 2 for rect in [*plan.boxes, *(panel.rect for panel in plan.panels)])
    top = min(rect.y - rect.height / 2 for rect in [*plan.boxes, *(panel.rect for panel in plan.panels)])
    tops = [y for way in plan.ways for _, y in way.points]
    tops += [way.at.y - way.at.height / 2 for way in plan.ways if way.at is not None]
    if sketch.title:
        _text(axes, left, min([top, *tops]) - TITLE_ROOM / 2, sketch.title, TITLE_SIZE, ha="left")
    for panel in plan.panels:
        _round(axes, panel.rect, PANEL, "#cccccc", 0.06)
    for way in plan.ways:
        _draw_way(axes, way)
    for panel in plan.panels:
        _draw_label(axes, panel.title, panel.name, PANEL, "#555555")
    for way in plan.ways:
        if way.at is not None:
            _draw_label(axes, way.label, way.at)
    for node, rect in zip(sketch.nodes, plan.boxes, strict=True):
        if node.kind == "fork":
            axes.add_patch(Circle((rect.x, rect.y), rect.width / 2, color=FACES["fork"], zorder=4))
            continue
        _round(axes, rect, FACES[node.kind], LINES, min(0.12, rect.height / 3), zorder=4)
        _text(axes, rect.x, rect.y, node.label, FONT_SIZE)


def _round(axes: Axes, rect: Rect, face: str, edge: str, radius: float, zorder: float = 1) -> None:
    from matplotlib.patches import FancyBboxPatch

    corner = rect.x - rect.width / 2, rect.y - rect.height / 2
    style = f"round,pad=0,rounding_size={radius}"
    axes.add_patch(
        FancyBboxPatch(
            corner,
            rect.width,
            rect.height,
            style,
            facecolor=face,
            edgecolor=edge,
            linewidth=0.9,
            zorder=zorder,
        )
    )


def _draw_way(axes: Axes, way: Way) -> None:
    from matplotlib.patches import FancyArrowPatch
    from matplotlib.path import Path as Curve

    points, codes = [way.points[0]], [Curve.MOVETO]
    for (x0, y0), (x1, y1) in pairwise(way.points):
        if not way.bends or (x0 == x1 or y0 == y1):
            points.append((x1, y1))
            codes.append(Curve.LINETO)
            continue
        middle_x, middle_y = (x0 + x1) / 2, (y0 + y1) / 2
        if way.bends == "x":
            points += [(middle_x, y0), (middle_x, y1), (x1, y1)]
        else:
            points += [(x0, middle_y), (x1, middle_y), (x1, y1)]
        codes += [Curve.CURVE4] * 3
    axes.add_patch(
        FancyArrowPatch(
            path=Curve(points, codes),
            arrowstyle="-|>,head_length=4.5,head_width=2.2",
            shrinkA=0,
            shrinkB=0,
            color=LINES,
            linewidth=1.1,
            zorder=2,
        )
    )


def _draw_label(axes: Axes, label: str, at: Rect, face: str = "white", ink: str = INK) -> None:
    from matplotlib.patches import Rectangle

    width = at.width - LABEL_PAD
    corner = at.x - width / 2, at.y - at.height / 2
    axes.add_patch(Rectangle(corner, width, at.height, facecolor=face, edgecolor="none", zorder=3))
    _text(axes, at.x, at.y, label, FONT_SIZE, color=ink)


def _text(
    axes: Axes,
    x: float,
    y: float,
    text: str,
    size: float,
    *,
    color: str = INK,
    ha: str = "center",
    weight: str = "normal",
) -> None:
    axes.text(
        x,
        y,
        text,
        fontsize=size,
        color=color,
        ha=ha,
        va="center",
        weight=weight,
        linespacing=LINE / 1.2,
        parse_math=False,
        zorder=5,
    )


def measured(text: str) -> tuple[float, float]:
    """Return how wide and high a text is in a picture, in inches."""
    width, height = size_of(text, FONT_SIZE)
    return width + 2 * LABEL_PAD, height


def _wrapped(sketch: Sketch) -> Sketch:
    """Return a sketch whose texts are not too wide."""
    nodes = tuple(Node(_lines(node.label), node.kind, node.group) for node in sketch.nodes)
    edges = tuple(Edge(edge.source, edge.target, _lines(edge.label)) for edge in sketch.edges)
    return Sketch(nodes, edges, textwrap.shorten(sketch.title, MAX_TITLE, placeholder=" ..."), sketch.flow)


def _lines(text: str) -> str:
    lines = [
        line
        for part in text.split("\n")
        for line in textwrap.wrap(part, MAX_LETTERS, break_on_hyphens=False) or [""]
    ]
    return "\n".join(lines if len(lines) <= MAX_LINES else [*lines[: MAX_LINES - 1], "..."])


def _title_width(title: str) -> float:
    return 1.2 * size_of(title, TITLE_SIZE)[0] if title else 0.0  # bold letters are wider
