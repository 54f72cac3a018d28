# SPDX-License-Identifier: Apache-2.0
"""Plans: where everything of a sketch stands on the paper, in inches from the upper left corner."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from archloom.report.layers import Link, layered
from archloom.search_spaces.sketch import Node, Sketch

__all__ = ["Measure", "Panel", "Plan", "Rect", "Way", "graph_plan", "moved"]

Measure: TypeAlias = Callable[[str], tuple[float, float]]
"""From a text, lines and all, to its width and height."""

PAD_X, PAD_Y = 0.13, 0.09
FORK = 0.07
MIN_HEIGHT = 0.34


@dataclass(frozen=True)
class Rect:
    """A rectangle, by its centre."""

    x: float
    y: float
    width: float
    height: float

    def overlaps(self, other: Rect) -> bool:
        """Whether two have a point in common that lies inside both."""
        return (
            abs(self.x - other.x) < (self.width + other.width) / 2 - 1e-9
            and abs(self.y - other.y) < (self.height + other.height) / 2 - 1e-9
        )


@dataclass(frozen=True)
class Way:
    """How an edge is drawn.

    Args:
        points: what it goes through, ends first and last.
        bends: ``x`` where its parts are curves that begin and end along x, ``y`` along y; empty for lines.
        label: what stands on it.
        at: where that stands; ``None`` without a label.
    """

    points: tuple[tuple[float, float], ...]
    bends: str
    label: str = ""
    at: Rect | None = None


@dataclass(frozen=True)
class Panel:
    """What lies behind the boxes of a group.

    Args:
        title: of the group.
        rect: the panel itself.
        name: where the title stands on it.
    """

    title: str
    rect: Rect
    name: Rect


@dataclass(frozen=True)
class Plan:
    """Where everything of a sketch stands.

    Args:
        width: of the paper.
        height: of the paper.
        boxes: of the nodes, in their order.
        ways: of the edges, in their order.
        panels: of the groups.
    """

    width: float
    height: float
    boxes: tuple[Rect, ...]
    ways: tuple[Way, ...]
    panels: tuple[Panel, ...] = field(default=())


def graph_plan(sketch: Sketch, measure: Measure) -> Plan:
    """Lay out a sketch in layers, along its flow."""
    sizes = [_box_size(node, measure) for node in sketch.nodes]
    is_right = sketch.flow == "right"
    labels = [measure(edge.label) if edge.label else None for edge in sketch.edges]
    links = [
        Link(edge.source, edge.target, _turned(size, is_right))
        for edge, size in zip(sketch.edges, labels, strict=True)
    ]
    ends = [index for index, node in enumerate(sketch.nodes) if index and node.kind == "output"]
    found = layered([_turn(size, is_right) for size in sizes], links, ends)
    boxes = [Rect(*_turn(centre, is_right), *size) for centre, size in zip(found.centres, sizes, strict=True)]
    ways = []
    for edge, way, at, size in zip(sketch.edges, found.ways, found.labels, labels, strict=True):
        points = tuple(_turn(point, is_right) for point in way)
        rect = None if at is None or size is None else Rect(*_turn(at, is_right), *size)
        ways.append(Way(points, "x" if is_right else "y", edge.label, rect))
    return Plan(*_turn(found.size, is_right), tuple(boxes), tuple(ways))


def moved(plan: Plan, x: float, y: float) -> Plan:
    """Return a plan with everything on it moved."""

    def there(rect: Rect) -> Rect:
        return replace(rect, x=rect.x + x, y=rect.y + y)

    ways = [
        replace(
            way,
            points=tuple((a + x, b + y) for a, b in way.points),
            at=None if way.at is None else there(way.at),
        )
        for way in plan.ways
    ]
    panels = [replace(panel, rect=there(panel.rect), name=there(panel.name)) for panel in plan.panels]
    return replace(
        plan, boxes=tuple(there(box) for box in plan.boxes), ways=tuple(ways), panels=tuple(panels)
    )


def _box_size(node: Node, measure: Measure) -> tuple[float, float]:
    if node.kind == "fork":
        return FORK, FORK
    width, height = measure(node.label)
    height = max(height + 2 * PAD_Y, MIN_HEIGHT)
    return max(width + 2 * PAD_X, height), height


def _turn(pair: tuple[float, float], is_right: bool) -> tuple[float, float]:
    """Return (along, across) as (x, y), or the other way round."""
    return pair if is_right else (pair[1], pair[0])


def _turned(pair: tuple[float, float] | None, is_right: bool) -> tuple[float, float] | None:
    return None if pair is None else _turn(pair, is_right)
