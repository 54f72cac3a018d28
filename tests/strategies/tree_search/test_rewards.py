"""Rewards: of equals, of failures, of broken constraints, on any scale."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose

from archloom.contracts import Genotypes, Objective, State
from archloom.strategies.tree_search.rewards import Outcomes, Reward, in_range, ranks
from archloom.testing.strategies import finished


def outcomes(reward: Reward, values: Any, direction: Any = "maximize", **options: Any) -> Outcomes:
    made = Outcomes(Objective("score", direction), reward)
    rows = Genotypes(np.zeros((len(values), 1), dtype=np.int16), np.empty((len(values), 0)))
    made.add(finished(rows, values, **options))
    return made


@pytest.mark.parametrize(
    ("reward", "expected"),
    [("rank", [0.25, 1, 0.625, 0.625, 0]), ("range", [0.25, 1, 0.5, 0.5, 0]), ("value", [2, 5, 3, 3, 1])],
)
def test_of_sound_trials(reward: Reward, expected: list[float]) -> None:
    values = np.array([2.0, 5.0, 3.0, 3.0, 1.0])
    assert_allclose(outcomes(reward, values).rewards(), expected)
    turned = outcomes(reward, -values, "minimize")
    assert_allclose(turned.rewards(), expected)
    assert_allclose(turned.rewards(2), outcomes(reward, values[:2]).rewards())
    assert len(turned) == 5


BROKEN: dict[str, Any] = {
    "values": [7.0, np.nan, np.inf, 9.0, 99.0, 1.0, np.nan],
    "states": (
        State.COMPLETE,
        State.FAIL,
        State.COMPLETE,
        State.COMPLETE,
        State.COMPLETE,
        State.COMPLETE,
        State.PRUNED,
    ),
    "violations": [0, 0, 0, 0, 0.5, 0, 2],
}


def test_the_unsound_rank_below_all_others_and_by_how_much_they_break() -> None:
    found = outcomes("rank", **BROKEN).rewards()
    assert (np.argsort(-found, kind="stable") == [3, 0, 5, 4, 6, 1, 2]).all()
    assert found[1] == found[2]
    assert len(set(found.tolist())) == 6


@pytest.mark.parametrize(("reward", "worst"), [("range", 0.0), ("value", 1.0)])
def test_the_unsound_count_as_the_worst_seen(reward: Reward, worst: float) -> None:
    found = outcomes(reward, **BROKEN).rewards()
    assert (found[[1, 2, 4, 5, 6]] == worst).all()
    assert (found[[0, 3]] > worst).all()


@pytest.mark.parametrize("reward", ["rank", "range", "value"])
def test_nothing_but_failures(reward: Reward) -> None:
    found = outcomes(reward, [np.nan] * 3, states=(State.FAIL,) * 3).rewards()
    assert np.isfinite(found).all()
    assert len(set(found.tolist())) == 1


def test_ranks_and_ranges_of_few() -> None:
    assert ranks(np.zeros(0), np.zeros(0)).tolist() == []
    assert ranks(np.zeros(1), np.array([3.0])).tolist() == [0.5]
    assert in_range(np.zeros(0)).tolist() == []
    assert in_range(np.full(3, 2.0)).tolist() == [0.5] * 3


def test_ranks_are_spread_evenly() -> None:
    rng = np.random.default_rng(0)
    found = ranks(np.zeros(101), np.exp(10 * rng.random(101)))
    assert_allclose(np.sort(found), np.linspace(0, 1, 101))
