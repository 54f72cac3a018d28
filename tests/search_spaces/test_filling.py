# SPDX-License-Identifier: Apache-2.0
"""Rows filled choice by choice: every architecture is reached, nothing else, each step with its way back."""

from __future__ import annotations

import math

import numpy as np
import pyglove as pg
import pytest

from archloom.search_spaces import SearchSpace

SPACES = {
    "flat": pg.List([pg.oneof([1, 2, 3]) for _ in range(3)]),
    "conditional": pg.Dict(
        kind=pg.oneof([pg.Dict(n=pg.oneof([1, 2]), deep=pg.oneof([pg.oneof([7, 8]), 9])), 0]),
        other=pg.oneof(["a", "b"]),
    ),
    "distinct": pg.manyof(2, ["a", "b", "c"], distinct=True, sorted=False),
    "permuted": pg.permutate([1, 2, 3]),
    "sorted": pg.manyof(2, ["a", "b", "c", "d"], distinct=True, sorted=True),
    "sorted with repeats": pg.manyof(2, ["a", "b", "c"], distinct=False, sorted=True),
    "sub-decisions of a group": pg.manyof(
        2, [pg.Dict(a=pg.oneof([1, 2])), pg.Dict(b=pg.oneof([3, 4])), 5], distinct=True
    ),
    "sub-decisions of each slot": pg.manyof(2, [pg.oneof([1, 2]), 5], distinct=False, sorted=True),
    "one point": pg.Dict(x=pg.oneof([1])),
    "nothing to decide": pg.Dict(x=1),
}


@pytest.fixture(params=SPACES, ids=str)
def space(request: pytest.FixtureRequest) -> SearchSpace:
    return SearchSpace(SPACES[request.param])


def everything(space: SearchSpace) -> tuple[dict[bytes, int], int]:
    """Return in how many orders each finished row is reached, and how many states there are on the way."""
    filling = space.filling
    level, finished, n_states = {filling.empty(1).tobytes(): 1}, {}, 0
    while level:
        n_states += len(level)
        after: dict[bytes, int] = {}
        for data, n_ways in level.items():
            row = np.frombuffer(data, dtype=np.int16).reshape(1, -1)
            legal = np.flatnonzero(filling.forward(row)[0])
            if not len(legal):
                finished[data] = n_ways
            for action in legal:
                new = row.copy()
                new[0, filling.columns[action]] = filling.candidates[action]
                assert filling.backward(new)[0, filling.columns[action]], "no way back"
                after[new.tobytes()] = after.get(new.tobytes(), 0) + n_ways
        level = after
    return finished, n_states


def test_exactly_the_points_of_the_space_are_reached(space: SearchSpace) -> None:
    finished, _ = everything(space)
    assert set(finished) == {row.tobytes() for row in space.enumerate().choices}


def test_the_ways_back_are_the_ways_there(space: SearchSpace) -> None:
    """Counted backward from each point, by what may have been set last, the ways are as many."""
    filling = space.filling
    known: dict[bytes, int] = {}

    def n_ways(row: np.ndarray) -> int:
        key = row.tobytes()
        if key not in known:
            columns = np.flatnonzero(filling.backward(row)[0])
            total = 0 if len(columns) else 1
            for column in columns:
                before = row.copy()
                before[0, column] = -1
                action = filling.offsets[column] + row[0, column]
                assert filling.forward(before)[0, action], "it cannot be set again"
                total += n_ways(before)
            known[key] = total
        return known[key]

    finished, _ = everything(space)
    for data, ways in finished.items():
        assert n_ways(np.frombuffer(data, dtype=np.int16).reshape(1, -1)) == ways


def test_free_choices_are_made_in_every_order() -> None:
    finished, n_states = everything(SearchSpace(SPACES["flat"]))
    assert set(finished.values()) == {math.factorial(3)}
    assert n_states == 4**3
    assert set(everything(SearchSpace(SPACES["sorted"]))[0].values()) == {1}


def test_columns_in_order_reach_every_point(space: SearchSpace) -> None:
    filling = space.filling
    rows = filling.empty(1)
    for column in range(filling.n_columns):
        legal = filling.next(rows, column)
        made = []
        for row, mask in zip(rows, legal, strict=True):
            new = np.repeat(row[None], max(1, mask.sum()), axis=0)
            if mask.any():
                new[:, column] = np.flatnonzero(mask)
            made.append(new)
        rows = np.concatenate(made)
    assert sorted(row.tobytes() for row in rows) == sorted(row.tobytes() for row in space.enumerate().choices)


def test_actions_are_the_columns_of_one_hot(space: SearchSpace) -> None:
    rows = space.enumerate()
    assert (space.filling.one_hot(rows.choices) == space.one_hot(rows)).all()
