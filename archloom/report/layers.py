# SPDX-License-Identifier: Apache-2.0
"""Layers: where the boxes of a directed graph stand, and by which way its edges go around them.

Sugiyama's method (Sugiyama, Tagawa and Toda, IEEE Trans. SMC 1981): boxes go into layers by the longest path
that leads to them; an edge has a place of its own in each layer that it passes, and so does a label, which
makes it impossible that edges cross boxes or that labels lie upon each other; the orders inside layers are
chosen for few crossings, by barycentres; then each box is moved to where its neighbours are.

Notation: ``along`` is the direction of the edges, ``across`` that of the layers. Lengths are in any unit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TypeAlias

from archloom.report.ordering import ordered, placed

__all__ = ["Layered", "Link", "Size", "layered"]

Size: TypeAlias = tuple[float, float]
"""An extent along and across."""

Place: TypeAlias = tuple[float, float]
"""A position along and across."""

GAP_ACROSS = 0.16
GAP_ALONG = 0.34
STEEPEST = 0.28
"""Room along for each unit that an edge moves across, so that none is too steep to be followed."""
THIN = 0.02
"""The extent across of an edge that passes a layer."""
TINY = 1e-6
PORT = 0.13
"""The distance of the ends of edges on one side of a box, where there is room."""


@dataclass(frozen=True)
class Link:
    """An edge to be laid out.

    Args:
        source: the position of its box.
        target: that of a later one.
        label: the size of its label; ``None`` for none.
    """

    source: int
    target: int
    label: Size | None = None


@dataclass(frozen=True)
class Layered:
    """Where everything is; the corner of it all is ``(0, 0)``.

    Args:
        size: of it all.
        centres: of the boxes.
        ways: of each edge, the places that it goes through, its ends first and last; between two of the same
            place across it goes straight, else in an S whose ends point along.
        labels: of each edge, the centre of its label, which the edge passes straight; ``None`` for none.
    """

    size: Size
    centres: list[Place]
    ways: list[list[Place]]
    labels: list[Place | None]


@dataclass
class _Item:
    """A box, a label, or a place where an edge passes a layer."""

    layer: int
    size: Size
    is_box: bool
    before: list[int] = field(default_factory=list)
    after: list[int] = field(default_factory=list)


def layered(sizes: Sequence[Size], links: Sequence[Link], ends: Sequence[int] = ()) -> Layered:
    """Lay out a graph.

    Args:
        sizes: of its boxes, in an order that every edge follows.
        links: its edges.
        ends: boxes that stand behind all others even if nothing leads to them.

    >>> found = layered([(1, 1), (1, 1), (1, 1)], [Link(0, 1), Link(1, 2), Link(0, 2)])
    >>> [round(along) for along, across in found.centres], found.centres[0][1] == found.centres[2][1]
    ([0, 2, 3], True)
    """
    layers = _layers(len(sizes), links, ends)
    chosen = _label_layers(layers, links)
    used = sorted({*layers, *(layer for layer in chosen if layer is not None)})
    index = {layer: position for position, layer in enumerate(used)}
    items = [_Item(index[layer], size, is_box=True) for layer, size in zip(layers, sizes, strict=True)]
    trails = [
        _trail(items, link, None if at is None else index[at]) for link, at in zip(links, chosen, strict=True)
    ]
    rows: list[list[int]] = [[] for _ in used]
    for number, item in enumerate(items):
        rows[item.layer].append(number)
    rows = ordered(rows, [item.before for item in items], [item.after for item in items])
    across = placed(
        rows,
        [item.size[1] for item in items],
        [item.before for item in items],
        [item.after for item in items],
        [item.is_box for item in items],
        GAP_ACROSS,
    )
    along, length = _along(rows, items, across)
    centres = [(along[item.layer][2], across[i]) for i, item in enumerate(items)]
    width = max((across[i] + item.size[1] / 2 for i, item in enumerate(items)), default=0.0)
    ways = _ways(items, trails, centres, along)
    labels = [
        None if at is None else centres[trail[index[at] - items[trail[0]].layer]]
        for at, trail in zip(chosen, trails, strict=True)
    ]
    return Layered((length, width), centres[: len(sizes)], ways, labels)


def _layers(n: int, links: Sequence[Link], ends: Sequence[int]) -> list[int]:
    """Return the layer of each box, an even number; labels may stand in the odd ones between."""
    layers, has_source = [0] * n, [False] * n
    for link in sorted(links, key=lambda link: link.target):
        layers[link.target] = max(layers[link.target], layers[link.source] + 2)
        has_source[link.target] = True
    for box in reversed(range(n)):  # what nothing leads to stands just before what it leads to
        nearest = min((layers[link.target] for link in links if link.source == box), default=2)
        if not has_source[box] and box and nearest > 2:
            layers[box] = nearest - 2
    last = max((layers[link.target] for link in links), default=0)
    for box in ends:
        layers[box] = max(last, layers[box]) if has_source[box] else last + 2
    return layers


def _label_layers(layers: Sequence[int], links: Sequence[Link]) -> list[int | None]:
    """Return in which layer each label stands: of those that its edge passes, where there are fewest yet."""
    crowd: dict[int, int] = {}
    found: list[int | None] = [None] * len(links)
    spans = [layers[link.target] - layers[link.source] for link in links]
    for number in sorted(range(len(links)), key=lambda number: spans[number]):
        link = links[number]
        if link.label is not None:
            free = range(layers[link.target] - 1, layers[link.source], -2)
            found[number] = best = min(free, key=lambda layer: crowd.get(layer, 0))
            crowd[best] = crowd.get(best, 0) + 1
    return found


def _trail(items: list[_Item], link: Link, label_at: int | None) -> list[int]:
    """Add what an edge needs in the layers that it passes; return the items that it goes through."""
    trail = [link.source]
    for layer in range(items[link.source].layer + 1, items[link.target].layer):
        size = link.label if link.label is not None and layer == label_at else (0.0, THIN)
        trail.append(len(items))
        items.append(_Item(layer, size, is_box=False))
    trail.append(link.target)
    for before, after in pairwise(trail):
        items[before].after.append(after)
        items[after].before.append(before)
    return trail


def _along(
    rows: Sequence[Sequence[int]], items: Sequence[_Item], across: Sequence[float]
) -> tuple[list[tuple[float, float, float]], float]:
    """Return where each layer begins, ends and has its middle, and the length of them all."""
    found, at = [], 0.0
    for position, row in enumerate(rows):
        if position:
            steps = (abs(across[i] - across[j]) for i in row for j in items[i].before)
            at += GAP_ALONG + min(STEEPEST * max(steps, default=0.0), 3 * GAP_ALONG)
        length = max((items[i].size[0] for i in row), default=0.0)
        found.append((at, at + length, at + length / 2))
        at += length
    return found, at


def _ways(
    items: Sequence[_Item],
    trails: Sequence[Sequence[int]],
    centres: Sequence[Place],
    along: Sequence[tuple[float, float, float]],
) -> list[list[Place]]:
    leaving = _ports(items, trails, centres, is_leaving=True)
    reaching = _ports(items, trails, centres, is_leaving=False)
    ways = []
    for number, trail in enumerate(trails):
        first, last = items[trail[0]], items[trail[-1]]
        way = [(centres[trail[0]][0] + first.size[0] / 2, leaving[number])]
        if along[first.layer][1] > way[0][0] + TINY:  # a box shorter than its layer is left straight
            way.append((along[first.layer][1], leaving[number]))
        for i in trail[1:-1]:
            begin, end, _ = along[items[i].layer]
            way += [(begin, centres[i][1]), (end, centres[i][1])]
        tip = (centres[trail[-1]][0] - last.size[0] / 2, reaching[number])
        if along[last.layer][0] < tip[0] - TINY:
            way.append((along[last.layer][0], reaching[number]))
        ways.append([*way, tip])
    return ways


def _ports(
    items: Sequence[_Item], trails: Sequence[Sequence[int]], centres: Sequence[Place], *, is_leaving: bool
) -> list[float]:
    """Return where across each edge leaves or reaches its box: in the order of where they go."""
    found = [0.0] * len(trails)
    ends: dict[int, list[int]] = {}
    for number, trail in enumerate(trails):
        ends.setdefault(trail[0 if is_leaving else -1], []).append(number)
    for box, edges in ends.items():
        edges.sort(key=lambda number: centres[trails[number][1 if is_leaving else -2]][1])
        step = min(PORT, 0.7 * items[box].size[1] / len(edges))
        for position, number in enumerate(edges):
            found[number] = centres[box][1] + (position - (len(edges) - 1) / 2) * step
    return found
