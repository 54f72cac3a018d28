# SPDX-License-Identifier: Apache-2.0
"""Paths through a grid of widths and operations."""

from __future__ import annotations

from typing import Any

import pyglove as pg
import pytest
import torch

from archloom.errors import ConfigError, SpaceError
from archloom.search_spaces import SearchSpace, build
from archloom.search_spaces.hypercuboid import hypercuboid
from archloom.search_spaces.slabs import Slabs
from archloom.strategies import STRATEGIES


def test_all_paths_are_there_and_each_is_a_network() -> None:
    space = hypercuboid(
        widths=[4, 8], operations=["conv_1x1", "max_pool_3x3"], strides=[1, 2], dropouts=[0.0, 0.5]
    )
    assert space.size == (2 * 2 * 2) ** 2
    rows = space.enumerate()
    texts = {space.architecture(rows[i]).text for i in range(len(rows))}
    assert len(texts) == space.size
    network = build(space.architecture(rows[37]).value, 3, 10)
    assert network(torch.randn(2, 3, 8, 8)).shape == (2, 10)
    dropped = [m.p for m in network.modules() if isinstance(m, torch.nn.Dropout2d)]
    assert dropped == [0.5] * space.architecture(rows[37]).text.count("0.5")


def test_a_layer_is_weighed_with_the_width_before_it() -> None:
    space = hypercuboid(widths=[4, 8], dropouts=[0.0, 0.5], strides=[1, 1])
    assert space.slabs == {
        "layers[0]": ("layers[0].width", "layers[0].operation", "layers[0].dropout"),
        "layers[1]": ("layers[0].width", "layers[1].width", "layers[1].operation", "layers[1].dropout"),
    }
    assert hypercuboid(widths=[4], strides=[1, 2]).slabs == {
        f"layers[{i}]": (f"layers[{i}].operation",) for i in range(2)
    }
    assert space.with_settings({"training": {"lr": pg.oneof([0.1, 0.2])}}).slabs == space.slabs


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"widths": []}, "different widths"),
        ({"widths": [8, 8]}, "different widths"),
        ({"widths": [0, 8]}, "different widths"),
        ({"strides": []}, "strides of 1 or 2"),
        ({"strides": [1, 3]}, "strides of 1 or 2"),
        ({"stem": 0}, "a stem from 1 on"),
        ({"dropouts": [1.0]}, r"dropouts in \[0, 1\)"),
        ({"dropouts": []}, r"dropouts in \[0, 1\)"),
        ({"operations": []}, "at least one operation"),
        ({"widths": [8], "operations": ["conv_1x1"]}, "nothing to choose"),
    ],
)
def test_what_makes_no_grid_is_refused(options: dict[str, Any], reason: str) -> None:
    with pytest.raises(ConfigError, match=reason):
        hypercuboid(**options)


TEMPLATE = pg.Dict(a=pg.oneof([1, 2]), b=pg.manyof(2, [1, 2, 3]), c=pg.oneof([pg.oneof([1, 2]), 3]))


@pytest.mark.parametrize(
    ("slabs", "reason"),
    [
        ({"s": ["x"]}, "'x' is none"),
        ({"s": ["a", "b"]}, "'b' is none"),
        ({"s": ["c[0]"]}, r"'c\[0\]' is none"),
        ({"a": ["a"]}, "a name of its own"),
        ({"s": []}, "and sites"),
    ],
)
def test_slabs_are_of_roots_that_choose_one(slabs: Slabs, reason: str) -> None:
    with pytest.raises(SpaceError, match=reason):
        SearchSpace(TEMPLATE, slabs=slabs)


def test_what_is_weighed_together_is_part_of_what_a_space_is() -> None:
    assert SearchSpace(TEMPLATE, slabs={"s": ["a"]}).fingerprint != SearchSpace(TEMPLATE).fingerprint


@pytest.mark.parametrize("name", ["gdas", "proxyless"])
def test_strategies_that_draw_one_candidate_a_site_are_refused(name: str) -> None:
    options = {"costs": {"params": 1.0}} if name == "proxyless" else {}
    with pytest.raises(ConfigError, match=r"layers\[0\] is weighed together.*take darts, sharpdarts or snas"):
        STRATEGIES.get(name)(**options).setup(hypercuboid(widths=[4, 8]), 0)
