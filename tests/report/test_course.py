# SPDX-License-Identifier: Apache-2.0
"""What a run's metrics tell of a search by gradients."""

from __future__ import annotations

import math
from itertools import product
from typing import Any

import pyglove as pg
import pytest

from archloom.report import course_of
from archloom.search_spaces import SearchSpace
from archloom.search_spaces.cell import cell
from archloom.search_spaces.nasbench201 import nasbench201
from tests.report.courses import course, reported


def of_ops(*names: str) -> dict[str, Any]:
    return {"decisions": [{"name": name, "candidates": ["b", "a"]} for name in names]}


def test_sites_and_labels_stand_in_the_space_s_order() -> None:
    space = of_ops("z", "n[10]", "n[9]")
    told = {f"{site}={label}": 0.5 for site in ("n[10]", "n[9]", "z") for label in "ab"}
    found = course_of({1: told}, 1, space, {})
    assert found is not None
    assert list(found.weights) == ["z", "n[10]", "n[9]"]
    assert list(found.weights["z"]) == ["b", "a"]


def test_a_course_ends_with_the_epoch_of_its_trial() -> None:
    steps = {epoch: {"op=a": epoch / 10, "op=b": 0.5, "skips": float(epoch)} for epoch in (1, 2, 3)}
    found = course_of(steps, 2, of_ops("op"), {"op": "b"})
    assert found is not None
    assert found.n_epochs == 2
    assert found.weights == {"op": {"b": [0.5, 0.5], "a": [0.1, 0.2]}}
    assert found.measures == {"skips": [1.0, 2.0]}
    failed = course_of(steps, 9, of_ops("op"), {})  # its epoch was never reported
    assert failed is not None
    assert failed.n_epochs == 3


def test_what_is_not_known_leads_nowhere() -> None:
    steps = {1: {"op=a": None, "op=b": 0.1}, 3: {"op=a": 0.7, "op=b": None}}
    found = course_of(steps, 3, of_ops("op"), {})
    assert found is not None
    assert [math.isnan(value) for value in found.weights["op"]["a"]] == [True, True, False]
    assert [found.leader("op", epoch) for epoch in (1, 2, 3)] == ["b", None, "a"]


@pytest.mark.parametrize("told", [{}, {1: {}}, {1: {"entropy": 1.0, "loss": 0.5}}, {1: {"elsewhere=a": 1.0}}])
def test_other_runs_have_no_course(told: dict[int, dict[str, float | None]]) -> None:
    assert course_of(told, 3, of_ops("op"), {"op": "a"}) is None
    assert course_of(told, 3, {}, {}) is None


def test_labels_may_hold_what_separates() -> None:
    space = SearchSpace(pg.Dict(op=pg.oneof(["k=3", "k=5"])))
    found = course_of({1: {"op=k=3": 0.4, "op=k=5": 0.6}}, 1, space.to_json(), {"op": "k=5"})
    assert found is not None
    assert found.weights == {"op": {"k=3": [0.4], "k=5": [0.6]}}
    assert found.derived == {"op": ("k=5",)}


def test_several_candidates_of_a_site_are_derived_and_of_others_none() -> None:
    space = cell(nodes=2, channels=4, n_cells=1)
    found = course(space)
    choices = space.architecture(space.at([0])).choices
    assert found.derived["cell.nodes[1]"] == ("input_0", "input_1")
    assert "cell.nodes[1](node_0).op" not in choices
    assert found.derived["cell.nodes[1](node_0).op"] == ()
    assert found.derived["cell.nodes[0](input_1).op"] == (choices["cell.nodes[0](input_1).op"],)


def test_slabs_are_weighed_and_derived_together() -> None:
    space: dict[str, Any] = of_ops("x", "y") | {"slabs": {"both": ["x", "y"]}}
    told = {f"both={','.join(pair)}": 0.25 for pair in product("ba", repeat=2)}
    found = course_of({1: told}, 1, space, {"x": "a", "y": "b"})
    assert found is not None
    assert list(found.weights["both"]) == ["b,b", "b,a", "a,b", "a,a"]
    assert found.derived == {"both": ("a,b",)}


def test_a_space_s_own_words_are_read() -> None:
    space = nasbench201()
    found = course_of(reported(space, 2), 2, space.to_json(), {})
    assert found is not None
    assert list(found.weights) == [f"edge_{j}_{i}" for j in (1, 2, 3) for i in range(j)]
    assert set(found.measures) == {"entropy", "skips"}
