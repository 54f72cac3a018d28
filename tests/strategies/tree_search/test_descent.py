"""Descents: the moves that make a row, and which rows are new."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyglove as pg
import pytest

from archloom.search_spaces import SearchSpace
from archloom.strategies.tree_search.descent import Bisect, Tracks, is_ordered
from archloom.strategies.tree_search.unseen import Unseen

SPACES = {
    "conditional": pg.Dict(
        op=pg.oneof([pg.Dict(k=pg.oneof([1, 3, 5, 7, 9])), "skip"]), n=pg.oneof(["b", "a", "c"])
    ),
    "groups": pg.Dict(
        a=pg.manyof(2, list("abcd"), distinct=True, sorted=True),
        b=pg.manyof(2, [pg.Dict(x=pg.oneof([1, 2])), "y"], distinct=False, sorted=True),
        p=pg.permutate([1, 2, 3]),
        all=pg.manyof(2, list("ab"), distinct=True, sorted=True),
    ),
}


def tracks(template: Any, bisect: Bisect = "ordered") -> tuple[SearchSpace, Tracks]:
    space = SearchSpace(template)
    return space, Tracks(space.filling, space.points, bisect)


@pytest.mark.parametrize("bisect", ["ordered", "never", "always"])
@pytest.mark.parametrize("template", SPACES.values(), ids=SPACES.keys())
def test_moves_lead_to_the_row_and_tell_rows_apart(template: Any, bisect: Bisect) -> None:
    space, made = tracks(template, bisect)
    rows = space.enumerate().choices
    ways = [tuple(made.moves(row)) for row in rows]
    assert len(set(ways)) == len(rows)
    for row, way in zip(rows, ways, strict=True):
        descent = made.start()
        for move in way:
            assert len(descent.groups) > 1
            descent.take(move)
        assert descent.is_finished
        assert (descent.choices[0] == row).all()


@pytest.mark.parametrize(
    ("bisect", "lengths"), [("ordered", {6 + 1}), ("always", {6 + 2, 6 + 3}), ("never", {2})]
)
def test_halves(bisect: Bisect, lengths: set[int]) -> None:
    """64 values take six moves where they are halved, and five names two or three."""
    space, made = tracks(pg.Dict(n=pg.oneof([2 * i for i in range(64)]), op=pg.oneof(list("dbeac"))), bisect)
    assert {len(list(made.moves(row))) for row in space.enumerate().choices} == lengths


def test_neighbouring_values_share_their_first_moves() -> None:
    space, made = tracks(pg.oneof([8, 16, 32, 64, 128]))
    ways = [list(made.moves(row)) for row in space.enumerate().choices]
    assert ways == [[0, 0, 0], [0, 0, 1], [0, 1], [1, 0], [1, 1]]


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        (["1", "2", "3"], True),
        (["0.5", "0.1", "1e-3"], True),
        (["1", "1.0"], False),
        (["1", "3", "2"], False),
        (["1", "nan", "2"], False),
        (["1", "2", "inf"], False),
        (["true", "false"], False),
        (["4", "none"], False),
    ],
)
def test_ordered(labels: list[str], words: bool) -> None:
    assert is_ordered(labels) == words


@pytest.mark.parametrize("template", SPACES.values(), ids=SPACES.keys())
def test_what_is_new_is_known_exactly(template: Any) -> None:
    """At every moment a candidate is new just where some row below it is."""
    space, made = tracks(template)
    unseen, rng = Unseen(space.filling), np.random.default_rng(0)
    rows = space.enumerate().choices
    order = rng.permutation(len(rows))
    for n, i in enumerate(order):
        assert not unseen.has_seen(rows[i])
        unseen.add(rows[i])
        unseen.add(rows[i])
        assert unseen.has_seen(rows[i])
        if n % 7 == 0 and n + 1 < len(rows):
            left = rows[order[n + 1 :]]
            row = left[rng.integers(len(left))]
            for column in np.flatnonzero(row >= 0):
                alike = left[(left[:, :column] == row[:column]).all(axis=1)]
                every = np.unique(rows[(rows[:, :column] == row[:column]).all(axis=1)][:, column]).tolist()
                assert unseen.after(row[None], int(column), every) == np.unique(alike[:, column]).tolist()
            made_row = unseen.finish(made.start(), rng)
            assert (left == made_row).all(axis=1).any()
    assert unseen.is_exhausted


def test_samples_are_new_and_distinct() -> None:
    space, _ = tracks(pg.List([pg.oneof(list("abc")) for _ in range(3)]))
    unseen, rng = Unseen(space.filling), np.random.default_rng(0)
    rows = space.enumerate()
    for row in rows.choices[:20]:
        unseen.add(row)
    found = unseen.sample(space, 200, rng)
    assert set(found.keys()) == set(rows[20:].keys())
    assert len(found) == 7


def test_the_rare_new_one_is_drawn() -> None:
    space, made = tracks(pg.oneof([*range(40), pg.List([pg.oneof([0, 1]) for _ in range(14)])]))
    unseen, rng = Unseen(space.filling), np.random.default_rng(0)
    rows = space.enumerate()
    for row in rows.choices[rows.choices[:, 0] == 40]:
        unseen.add(row)
    drawn = [unseen.draw(space, made.start(), rng).choices[0, 0] for _ in range(20)]
    assert max(drawn) < 40
    assert len(set(drawn)) > 8
