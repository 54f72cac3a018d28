# SPDX-License-Identifier: Apache-2.0
"""The longest path through slabs."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest

from archloom.strategies.gradient.paths import longest_path

SIZES = {"a": 2, "b": 3, "c": 2, "d": 3}

SHAPES = {
    "a chain": {"one": ["a", "b"], "two": ["b", "c"], "three": ["c", "d"]},
    "apart": {"one": ["a", "b"], "two": ["c", "d"]},
    "a circle": {"one": ["a", "b"], "two": ["b", "c"], "three": ["c", "d"], "four": ["a", "d"]},
    "a site in three slabs": {"one": ["a", "b"], "two": ["a", "c"], "three": ["a", "d"]},
    "one": {"one": ["a", "b", "c", "d"]},
}


@pytest.mark.parametrize("shape", SHAPES)
def test_no_other_way_is_longer(shape: str) -> None:
    slabs = SHAPES[shape]
    for seed in range(20):
        rng = np.random.default_rng(seed)
        tables = {name: rng.normal(size=[SIZES[site] for site in each]) for name, each in slabs.items()}

        every = [dict(zip(SIZES, way, strict=True)) for way in product(*map(range, SIZES.values()))]
        found = longest_path(slabs, SIZES, {name: table.ravel() for name, table in tables.items()})
        assert set(found) == set(SIZES)
        lengths = [length(path, slabs, tables) for path in every]
        assert length(found, slabs, tables) == pytest.approx(max(lengths))


def length(path: dict[str, int], slabs: dict[str, list[str]], tables: dict[str, Any]) -> float:
    return float(sum(tables[name][*(path[site] for site in each)] for name, each in slabs.items()))
