"""Random search never repeats and ends when the space is used up."""

from __future__ import annotations

import numpy as np
import pyglove as pg
import pytest

from archloom.contracts import Objective
from archloom.search_spaces import SearchSpace
from archloom.strategies import RandomSearch

SCORE = [Objective("score")]


@pytest.mark.parametrize("batch", [1, 7])
def test_visits_each_point_once_then_stops(batch: int) -> None:
    space = SearchSpace(pg.List([pg.oneof(list("abcde")) for _ in range(4)]))
    strategy = RandomSearch()
    strategy.setup(space, SCORE, 0)
    keys: list[bytes] = []
    while len(rows := strategy.ask(batch)):
        keys += rows.keys()
    assert len(keys) == len(set(keys)) == 625


def test_first_proposals_are_uniform() -> None:
    space = SearchSpace(pg.oneof([pg.Dict(a=pg.oneof([1, 2, 3])), "x"]))
    shares = {}
    for over in ("architectures", "decisions"):
        firsts = []
        for seed in range(400):
            strategy = RandomSearch(uniform_over=over)
            strategy.setup(space, SCORE, seed)
            firsts.append(strategy.ask(1).choices[0, 0])
        shares[over] = np.mean(np.array(firsts) == 1)
    assert shares["architectures"] == pytest.approx(0.25, abs=0.08)
    assert shares["decisions"] == pytest.approx(0.5, abs=0.09)


def test_goes_on_where_most_draws_repeat() -> None:
    """All choices but one are used up, and the one is infinite or too large to list."""
    infinite = SearchSpace(pg.oneof([*range(40), pg.Dict(x=pg.floatv(0.0, 1.0))]))
    large = SearchSpace(pg.oneof([*range(40), pg.List([pg.oneof([0, 1]) for _ in range(24)])]))
    for space in (infinite, large):
        strategy = RandomSearch(uniform_over="decisions")
        strategy.setup(space, SCORE, 0)
        assert len(set(strategy.ask(300).keys())) == 300


def test_floats_never_run_out() -> None:
    strategy = RandomSearch()
    strategy.setup(SearchSpace(pg.floatv(0.0, 1.0)), SCORE, 0)
    assert len(set(strategy.ask(50).keys())) == 50
