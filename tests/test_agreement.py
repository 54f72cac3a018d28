"""How rankings are compared."""

from __future__ import annotations

import math

import numpy as np
import pytest

from archloom.agreement import Agreement, agreement, kendall_tau, spread_out


def test_tau_is_that_of_scipy_with_ties() -> None:
    stats = pytest.importorskip("scipy.stats")
    rng = np.random.default_rng(0)
    for n in (2, 5, 30):
        a, b = rng.integers(6, size=n), rng.integers(6, size=n)
        expected = stats.kendalltau(a, b).statistic
        assert kendall_tau(a, b) == pytest.approx(expected, nan_ok=True)


def test_p_counts_the_orders_that_agree_as_well() -> None:
    found = agreement([1, 2, 3, 4], [1, 2, 3, 4])
    assert found.kendall_tau == 1.0
    assert found.p == pytest.approx(1 / 24)
    rng = np.random.default_rng(1)
    ps = [agreement(rng.normal(size=12), rng.normal(size=12)).p for _ in range(40)]
    assert 0.3 < np.mean(ps) < 0.7


def test_the_best_of_both_are_counted() -> None:
    found = agreement([9, 8, 7, 1, 2, 3], [9, 1, 2, 3, 4, 8])
    assert (found.n_top, found.n_shared, found.n) == (2, 1, 6)


def test_scores_that_do_not_differ_rank_nothing() -> None:
    found = agreement([1, 1, 1], [1, 2, 3])
    assert math.isnan(found.kendall_tau)
    assert math.isnan(found.p)
    assert found.metrics()["kendall_tau"] is None
    assert math.isnan(Agreement.of(found.metrics()).kendall_tau)


def test_fewer_than_two_are_refused() -> None:
    with pytest.raises(ValueError, match="two or more pairs"):
        agreement([1], [1])


def test_the_spread_has_both_ends() -> None:
    scores = list(range(10))
    assert spread_out(scores, 4) == [9, 6, 3, 0]
    assert spread_out(scores, 1) == [9]
    assert sorted(spread_out(scores, 99)) == scores
