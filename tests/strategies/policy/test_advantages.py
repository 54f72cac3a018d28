"""Advantages: one scale for every metric, failures and broken constraints below, a moving average."""

from __future__ import annotations

import numpy as np
import pyglove as pg
import pytest

from archloom.contracts import FloatArray, Objective, State
from archloom.search_spaces import SearchSpace
from archloom.strategies.policy.advantages import LIMIT, Advantages, standardised
from archloom.testing.strategies import finished

SPACE = SearchSpace(pg.oneof(list("abc")))


def told(values: list[float], *, direction: str = "maximize", **how: object) -> Advantages:
    found = Advantages(Objective("v", direction))  # type: ignore[arg-type]
    rows = SPACE.sample(len(values), np.random.default_rng(0))
    found.add(finished(rows, values, **how))  # type: ignore[arg-type]
    return found


def plain(gains: FloatArray) -> FloatArray:
    return standardised(gains, np.zeros(len(gains)))


@pytest.mark.parametrize(("factor", "shift"), [(1e-6, 0.0), (1e9, 0.0), (100.0, -7.0), (1e-3, 1e3)])
def test_the_unit_of_the_metric_does_not_matter(factor: float, shift: float) -> None:
    gains = np.random.default_rng(0).normal(size=200)
    assert np.allclose(plain(factor * gains + shift), plain(gains), atol=1e-6)
    assert plain(gains).std() == pytest.approx(1.0, abs=0.1)


def test_repeats_of_the_best_do_not_shrink_the_spread() -> None:
    gains = np.arange(9.0)
    repeated = np.concatenate([gains, np.full(1000, 8.0)])
    assert (plain(repeated)[:9] == plain(gains)).all()


def test_one_wild_number_does_not_drown_the_rest() -> None:
    gains = np.concatenate([np.linspace(0.5, 0.9, 40), [-1e30, 1e308]])
    found = plain(gains)
    assert found[39] - found[0] > 2.0
    assert found[40] == -LIMIT
    assert found[41] == LIMIT


def test_what_failed_is_as_bad_as_the_worst_and_what_breaks_a_constraint_is_worse() -> None:
    gains = np.array([1.0, np.nan, 3.0, np.inf, 2.0])
    found = plain(gains)
    assert found[1] == found[3] == found[0]
    found = standardised(np.array([0.0, 99.0, 99.0, 99.0, 1.0]), np.array([0, 1e-6, 2.0, np.inf, 0]))
    assert found[4] > found[0] > found[1] > found[2] > found[3] > found[0] - 1.0 - 1e-9


@pytest.mark.parametrize("violations", [[0.0, 0.0], [1.0, 3.0], [np.nan, 1.0]])
def test_is_a_number_where_nothing_is_feasible(violations: list[float]) -> None:
    found = standardised(np.full(2, np.nan), np.array(violations))
    assert np.isfinite(found).all()
    assert (np.argsort(-found, kind="stable") == np.argsort(violations, kind="stable")).all()


def test_an_advantage_is_the_distance_from_a_moving_average_that_is_unbiased() -> None:
    values = np.random.default_rng(1).normal(size=60)
    given = plain(values)
    total = weight = 0.0
    expected = []
    for reward in given:
        total, weight = 0.9 * total + 0.1 * reward, 0.9 * weight + 0.1
        expected.append(reward - total / weight)
    found = told(list(values)).of(0, 60, 0.9)
    assert np.allclose(found, expected)
    assert found[0] == 0.0
    assert np.allclose(told(list(values)).of(40, 60, 0.9), expected[40:])


def test_what_finishes_later_changes_nothing_of_a_batch() -> None:
    early, late = told([1.0, 2.0, 4.0]), told([1.0, 2.0, 4.0, 1e6, -1e6])
    assert (early.of(1, 3, 0.9) == late.of(1, 3, 0.9)).all()


def test_lower_is_better_where_told() -> None:
    low, high = told([1.0, 2.0, 4.0], direction="minimize"), told([-1.0, -2.0, -4.0])
    assert (low.of(0, 3, 0.9) == high.of(0, 3, 0.9)).all()


def test_a_failed_trial_counts_for_nothing_that_it_says() -> None:
    states = (State.COMPLETE, State.FAIL, State.COMPLETE)
    found = told([1.0, 99.0, 2.0], states=states).of(0, 3, 0.9)
    assert (found == told([1.0, np.nan, 2.0]).of(0, 3, 0.9)).all()
