# SPDX-License-Identifier: Apache-2.0
"""Columns: a long sketch cut where one edge alone holds it together, and put side by side.

A sketch that is read downwards falls into *pieces*, the graphs between such edges (of a chain, each box).
Pieces of one group that follow each other stand on a *panel* with the group's name. Panels, and pieces where
there are none, fill columns from left to right, in the number that gives the picture the best shape.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from archloom.report.plan import Measure, Panel, Plan, Rect, Way, graph_plan, moved
from archloom.search_spaces.sketch import Edge, Sketch

__all__ = ["planned"]

GAP = 0.3
LOOSE_GAP = 0.12
COLUMN_GAP = 0.5
MARGIN = 0.14
TITLE_GAP = 0.22
SHAPE = 1.5
"""Width for height that a picture should have."""
MAX_SINGLE = 5.5
"""A column up to this height is not broken."""


@dataclass(frozen=True)
class _Piece:
    """Nodes that are laid out together, the first of them the entry and the last the exit."""

    nodes: tuple[int, ...]
    plan: Plan
    group: str


@dataclass(frozen=True)
class _Panel:
    """Pieces one below the other, with where each stands; the title's size, where there is one."""

    pieces: tuple[_Piece, ...]
    places: tuple[tuple[float, float], ...]
    width: float
    height: float
    title_size: tuple[float, float]

    @property
    def entry(self) -> float:
        """Where across what comes from above enters."""
        return self.places[0][0] + self.pieces[0].plan.boxes[0].x

    @property
    def exit(self) -> float:
        """Where across it leaves."""
        return self.places[-1][0] + self.pieces[-1].plan.boxes[-1].x

    @property
    def title(self) -> str:
        return self.pieces[0].group


def planned(sketch: Sketch, measure: Measure) -> Plan:
    """Lay out a sketch: in layers along its flow, in columns where it is long."""
    if sketch.flow == "right":
        return graph_plan(sketch, measure)
    pieces = _pieces(sketch, measure)
    gap = GAP if sketch.edges else LOOSE_GAP
    is_broken = len({piece.group for piece in pieces}) == 1
    runs = [[piece] for piece in pieces] if is_broken and not pieces[0].group else _runs(pieces)
    panels = [_panel(run, gap, measure) for run in runs]
    return _assembled(sketch, _columns(panels, gap), gap)


def _pieces(sketch: Sketch, measure: Measure) -> list[_Piece]:
    """Cut a sketch wherever at most one edge leads from the nodes before to the nodes behind."""
    starts = [0]
    for cut in range(1, len(sketch.nodes)):
        across = [edge for edge in sketch.edges if edge.source < cut <= edge.target]
        is_link = all(edge.source == cut - 1 and edge.target == cut and not edge.label for edge in across)
        if len(across) <= 1 and is_link:
            starts.append(cut)
    pieces = []
    for start, stop in zip(starts, [*starts[1:], len(sketch.nodes)], strict=True):
        own = [
            Edge(edge.source - start, edge.target - start, edge.label)
            for edge in sketch.edges
            if start <= edge.source and edge.target < stop
        ]
        part = Sketch(sketch.nodes[start:stop], tuple(own))
        group = sketch.nodes[start].group
        pieces.append(_Piece(tuple(range(start, stop)), graph_plan(part, measure), group))
    return pieces


def _runs(pieces: Sequence[_Piece]) -> list[list[_Piece]]:
    """Put pieces of one group that follow each other together."""
    runs: list[list[_Piece]] = []
    for piece in pieces:
        if runs and piece.group and runs[-1][0].group == piece.group:
            runs[-1].append(piece)
        else:
            runs.append([piece])
    return runs


def _panel(run: Sequence[_Piece], gap: float, measure: Measure) -> _Panel:
    """Put pieces one below the other so that each one's entry is below the exit before."""
    title = run[0].group
    title_size = measure(title) if title else (0.0, 0.0)
    margin = MARGIN if title else 0.0
    top = margin + (title_size[1] + TITLE_GAP if title else 0.0)
    lefts, tops, x = [], [], 0.0
    for piece in run:
        left = x - piece.plan.boxes[0].x
        lefts.append(left)
        tops.append(top)
        top += piece.plan.height + gap
        x = left + piece.plan.boxes[-1].x
    lowest = min(lefts)
    inner = max(left + piece.plan.width for left, piece in zip(lefts, run, strict=True)) - lowest
    width = max(inner, title_size[0]) + 2 * margin
    shift = (width - inner) / 2 - lowest
    places = tuple((left + shift, top) for left, top in zip(lefts, tops, strict=True))
    return _Panel(tuple(run), places, width, top - gap + margin, title_size)


def _columns(panels: Sequence[_Panel], gap: float) -> list[list[_Panel]]:
    """Fill columns, as many as give the best shape."""
    if _height(panels, gap) <= MAX_SINGLE and not any(panel.title for panel in panels):
        return [list(panels)]
    best, best_fault, n_before = [list(panels)], math.inf, 0
    limits = {_height(panels[i:j], gap) for i in range(len(panels)) for j in range(i + 1, len(panels) + 1)}
    for limit in sorted(limits):  # of each number of columns, the first is the most even
        columns = _filled(panels, limit, gap)
        height = max(_height(column, gap) for column in columns)
        if height > limit or len(columns) == n_before:
            continue
        n_before = len(columns)
        width = sum(_spans(column)[1] for column in columns) + COLUMN_GAP * (len(columns) - 1)
        fault = abs(math.log(width / height / SHAPE))
        if fault < best_fault - 1e-9:
            best, best_fault = columns, fault
    return best


def _filled(panels: Sequence[_Panel], limit: float, gap: float) -> list[list[_Panel]]:
    columns: list[list[_Panel]] = [[]]
    for panel in panels:
        if columns[-1] and _height([*columns[-1], panel], gap) > limit:
            columns.append([])
        columns[-1].append(panel)
    return columns


def _spans(column: Sequence[_Panel]) -> tuple[list[float], float]:
    """Return where the panels of a column begin across, each entry below the exit before, and its width."""
    lefts, at = [], column[0].entry
    for panel in column:
        lefts.append(at - panel.entry)
        at = lefts[-1] + panel.exit
    lowest = min(lefts)
    width = max(left + panel.width for left, panel in zip(lefts, column, strict=True)) - lowest
    return [left - lowest for left in lefts], width


def _height(column: Sequence[_Panel], gap: float) -> float:
    return sum(panel.height for panel in column) + gap * (len(column) - 1)


def _assembled(sketch: Sketch, columns: Sequence[Sequence[_Panel]], gap: float) -> Plan:
    """Put columns side by side, and join their pieces by arrows."""
    boxes: dict[int, Rect] = {}
    ways: dict[int, Way] = {}
    shown, column_of, lefts = list[Panel](), dict[int, int](), list[float]()
    left, height = 0.0, max(_height(column, gap) for column in columns)
    for number, column in enumerate(columns):
        lefts.append(left)
        (starts, width), top = _spans(column), 0.0
        for panel, start in zip(column, starts, strict=True):
            x0 = left + start
            if panel.title:
                rect = Rect(left + width / 2, top + panel.height / 2, width, panel.height)
                name = Rect(rect.x, top + MARGIN + panel.title_size[1] / 2, *panel.title_size)
                shown.append(Panel(panel.title, rect, name))
            for piece, (x, y) in zip(panel.pieces, panel.places, strict=True):
                plan = moved(piece.plan, x0 + x, top + y)
                boxes |= dict(zip(piece.nodes, plan.boxes, strict=True))
                column_of |= dict.fromkeys(piece.nodes, number)
                _keep(ways, sketch, piece, plan)
            top += panel.height + gap
        left += width + COLUMN_GAP
    for index, edge in enumerate(sketch.edges):
        if index not in ways:
            gutter = lefts[column_of[edge.target]] - COLUMN_GAP / 2
            is_same = column_of[edge.source] == column_of[edge.target]
            ways[index] = _link(boxes[edge.source], boxes[edge.target], None if is_same else gutter)
    in_order = [ways[index] for index in range(len(sketch.edges))]
    rects = tuple(boxes[index] for index in range(len(sketch.nodes)))
    return Plan(left - COLUMN_GAP, height, rects, tuple(in_order), tuple(shown))


def _keep(ways: dict[int, Way], sketch: Sketch, piece: _Piece, plan: Plan) -> None:
    """Keep the ways of the edges inside a piece."""
    inside = [
        index
        for index, edge in enumerate(sketch.edges)
        if edge.source >= piece.nodes[0] and edge.target <= piece.nodes[-1]
    ]
    ways |= dict(zip(inside, plan.ways, strict=True))


def _link(source: Rect, target: Rect, gutter: float | None) -> Way:
    """Join two pieces: downwards, or by the gutter to the top of the next column."""
    if gutter is None:
        start, end = (source.x, source.y + source.height / 2), (target.x, target.y - target.height / 2)
        return Way((start, end), "y")
    start, end = (source.x + source.width / 2, source.y), (target.x - target.width / 2, target.y)
    return Way((start, (gutter, source.y), (gutter, target.y), end), "")
