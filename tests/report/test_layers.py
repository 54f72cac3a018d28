# SPDX-License-Identifier: Apache-2.0
"""Layouts of random graphs: forward, without overlaps, with no box or label in the way of an edge."""

from __future__ import annotations

from itertools import combinations, pairwise

import numpy as np
import pytest

from archloom.report.columns import planned
from archloom.report.layers import Link, layered
from archloom.report.ordering import crossings, ordered, spread
from archloom.report.plan import Plan, Rect
from archloom.search_spaces.sketch import Edge, Node, Sketch, around, box, chain, framed, joined, loose


def measure(text: str) -> tuple[float, float]:
    lines = text.split("\n")
    return 0.09 * max(map(len, lines)), 0.18 * len(lines)


def random_sketch(seed: int) -> Sketch:
    rng = np.random.default_rng(seed)
    n = int(rng.integers(2, 12))
    nodes = [Node("x" * int(rng.integers(1, 12)), "node") for _ in range(n)]
    edges = []
    for target in range(1, n):
        for source in rng.choice(target, size=min(target, int(rng.integers(0, 4))), replace=True):
            edges.append(Edge(int(source), target, "op" * int(rng.integers(0, 6))))
    return Sketch(tuple(nodes), tuple(edges), flow="right" if seed % 2 else "down")


def overlaps(rects: list[Rect]) -> list[tuple[Rect, Rect]]:
    return [(a, b) for a, b in combinations(rects, 2) if a.overlaps(b)]


def all_rects(plan: Plan) -> list[Rect]:
    return [*plan.boxes, *(way.at for way in plan.ways if way.at), *(panel.name for panel in plan.panels)]


@pytest.mark.parametrize("seed", range(40))
def test_boxes_and_labels_never_overlap_and_edges_lead_forward(seed: int) -> None:
    sketch = random_sketch(seed)
    plan = planned(Sketch(sketch.nodes, sketch.edges, flow="right"), measure)
    assert not overlaps(all_rects(plan))
    for edge, way in zip(sketch.edges, plan.ways, strict=True):
        source, target = plan.boxes[edge.source], plan.boxes[edge.target]
        assert source.x + source.width / 2 < target.x - target.width / 2
        places = [x for x, _ in way.points]
        assert places == sorted(places)
    for rect in all_rects(plan):
        assert rect.x - rect.width / 2 + 1e-6 >= 0
        assert rect.x + rect.width / 2 <= plan.width + 1e-6
        assert rect.y - rect.height / 2 + 1e-6 >= 0
        assert rect.y + rect.height / 2 <= plan.height + 1e-6


@pytest.mark.parametrize("seed", range(40))
def test_no_edge_crosses_a_box_or_a_label_of_another(seed: int) -> None:
    sketch = random_sketch(seed)
    plan = planned(Sketch(sketch.nodes, sketch.edges, flow="right"), measure)
    for number, (edge, way) in enumerate(zip(sketch.edges, plan.ways, strict=True)):
        others = [box for i, box in enumerate(plan.boxes) if i not in (edge.source, edge.target)]
        others += [one.at for i, one in enumerate(plan.ways) if i != number and one.at]
        for (x0, y0), (x1, y1) in pairwise(way.points):  # a curve stays in the box of its ends
            low, high = min(y0, y1), max(y0, y1)
            part = Rect((x0 + x1) / 2, (low + high) / 2, x1 - x0, high - low)
            assert not any(part.overlaps(box) for box in others)


@pytest.mark.parametrize("seed", range(20))
def test_columns_hold_everything_once(seed: int) -> None:
    rng = np.random.default_rng(seed)
    parts: list[Sketch] = []
    for index in range(int(rng.integers(1, 25))):
        part = box("block " + "x" * int(rng.integers(1, 9)))
        kind = int(rng.integers(0, 4))
        part = around(part) if kind == 0 else joined([part, box("b"), None], "concat") if kind == 1 else part
        parts.append(part.grouped(f"stage {index // 4}") if seed % 2 else part)
    sketch = framed(chain(*parts))
    plan = planned(sketch, measure)
    assert len(plan.ways) == len(sketch.edges)
    assert not overlaps(all_rects(plan))
    for edge in sketch.edges:  # downwards, or into a column further right
        source, target = plan.boxes[edge.source], plan.boxes[edge.target]
        assert target.y > source.y or target.x - target.width / 2 > source.x + source.width / 2
    assert planned(sketch, measure) == plan


def test_long_chains_are_wrapped_to_a_sensible_shape() -> None:
    plan = planned(framed(chain(*[box("conv 3x3")] * 30)), measure)
    assert 0.5 < plan.width / plan.height < 4
    stages = [chain(*[box("k3 e6")] * 5).grouped(f"stage {i}") for i in range(6)]
    plan = planned(chain(*stages), measure)
    assert 0.5 < plan.width / plan.height < 4
    assert [panel.title for panel in plan.panels] == [f"stage {i}" for i in range(6)]
    few = planned(loose([box("a = 1"), box("b = 2")]), measure)
    assert few.boxes[0].x == pytest.approx(few.boxes[1].x)


def test_an_output_that_nothing_reaches_stands_last() -> None:
    found = layered([(1, 1)] * 4, [Link(0, 1), Link(1, 2)], ends=[3])
    assert found.centres[3][0] == max(along for along, _ in found.centres)


def test_of_two_orders_the_one_with_fewer_crossings() -> None:
    before: list[list[int]] = [[], [], [], [1, 2], [0, 1], [0]]
    after: list[list[int]] = [[4, 5], [3, 4], [3], [], [], []]
    rows = [[0, 1, 2], [3, 4, 5]]
    assert crossings(rows, after) == 6
    assert crossings(ordered(rows, before, after), after) == 0
    assert spread([5, 0], [3, 1], [1, 1], 0) == pytest.approx([3.5, 4.5])
