# SPDX-License-Identifier: Apache-2.0
"""Which architecture is derived from weights."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import numpy.typing as npt
import pyglove as pg
import pytest

from archloom.search_spaces import SearchSpace
from archloom.search_spaces.cell import cell
from archloom.search_spaces.darts import darts
from archloom.search_spaces.hypercuboid import hypercuboid
from archloom.search_spaces.nasbench201 import nasbench201
from archloom.search_spaces.points import ChoicePoint, walk
from archloom.strategies.gradient import derived

SPACES = {
    "darts": darts(),
    "cell": cell(),
    "nasbench201": nasbench201(),
    "permutation": SearchSpace(
        pg.Dict(order=pg.permutate([1, 2, 3]), many=pg.manyof(2, ["a", "b"], distinct=False))
    ),
    "nested": SearchSpace(pg.Dict(x=pg.oneof([pg.Dict(y=pg.oneof([1, 2]), z=pg.oneof([3, 4])), "w"]))),
}


def random_weights(space: SearchSpace, seed: int) -> dict[str, npt.NDArray[np.float64]]:
    rng = np.random.default_rng(seed)
    points = [point for point in walk(space.points) if isinstance(point, ChoicePoint)]
    return {point.path: rng.dirichlet(np.ones(point.m)) for point in points}


@pytest.mark.parametrize("name", sorted(SPACES))
def test_points_of_the_space_are_derived(name: str) -> None:
    space = SPACES[name]
    for seed in range(20):
        row = derived(space, random_weights(space, seed), excluding=["none"])
        assert bool(space.is_legal(row).all())
        assert "none" not in space.architecture(row).choices.values()


@pytest.mark.parametrize("by_edges", [False, True], ids=["darts", "pc-darts"])
def test_a_node_keeps_its_two_best_edges(by_edges: bool) -> None:
    """DARTS: those whose best operation other than none weighs most; PC-DARTS: times the edge's weight."""
    space = SPACES["darts"]
    points = {point.path: point for point in walk(space.points) if isinstance(point, ChoicePoint)}
    for seed in range(20):
        weights = random_weights(space, seed)
        nodes = [path for path, point in points.items() if point.k > 1]
        if not by_edges:
            weights = {path: each for path, each in weights.items() if path not in nodes}
        choices = space.architecture(derived(space, weights, excluding=["none"])).choices
        for node in nodes:
            point = points[node]
            strengths, best = {}, {}
            for edge, label in enumerate(point.labels):
                site = f"{node}({label}).op"
                operations = dict(zip(points[site].labels, weights[site], strict=True))
                operations.pop("none")
                best[label] = max(operations, key=operations.__getitem__)
                strengths[label] = operations[best[label]] * (weights[node][edge] if by_edges else 1)
            kept = max(combinations(point.labels, 2), key=lambda pair: sum(strengths[each] for each in pair))
            assert [choices[f"{node}[0]"], choices[f"{node}[1]"]] == list(kept)
            for label in kept:
                assert choices[f"{node}({label}).op"] == best[label]


def test_where_all_is_excluded_one_is_taken() -> None:
    space = SearchSpace(pg.Dict(x=pg.oneof(["none", "none too"])))
    row = derived(space, {"x": np.array([0.1, 0.9])}, excluding=["none", "none too"])
    assert space.architecture(row).choices == {"x": "none too"}


def test_slabs_derive_their_longest_path_without_what_is_excluded() -> None:
    space = hypercuboid(widths=[8, 16], operations=["none", "conv_1x1"], strides=[1, 1])
    slabs = {name: np.zeros([2] * len(members)) for name, members in space.slabs.items()}
    slabs["layers[0]"][1, 1] = 0.4
    slabs["layers[0]"][0, 1] = 0.5
    slabs["layers[1]"][1, 0, 1] = 0.6
    slabs["layers[1]"][0, 1, 0] = 0.9
    weights = {name: each.ravel() for name, each in slabs.items()}
    best = [space.architecture(derived(space, weights, excluding=out)).text for out in (["none"], [])]
    assert best == ["16 conv_1x1, 8 conv_1x1", "8 conv_1x1, 16 none"]
