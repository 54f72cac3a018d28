# SPDX-License-Identifier: Apache-2.0
"""Preferences: their code, their rewards with the right signs, and the sets that are measured."""

from __future__ import annotations

import numpy as np
import pytest

from archloom.errors import ConfigError
from archloom.strategies.gflownet.fronts import diversity, hypervolume, r2
from archloom.strategies.gflownet.preferences import (
    SCALARIZATIONS,
    RankScale,
    Scale,
    checked,
    log_scalar,
    thermometer,
)


def test_a_thermometer_fills_piece_by_piece() -> None:
    code = thermometer(np.array([[0.0, 1.0], [0.3, 0.55]]), 10)
    assert code.shape == (2, 20)
    assert code[0] == pytest.approx([0.0] * 10 + [1.0] * 10)
    assert code[1, :4] == pytest.approx([1.0, 1.0, 1.0, 0.0])
    assert code[1, 15] == pytest.approx(0.5)


@pytest.mark.parametrize("how", SCALARIZATIONS)
def test_more_of_what_is_preferred_is_more_reward(how: str) -> None:
    preference = np.array([[0.8, 0.2]])
    low, more_of_first, more_of_both = (
        log_scalar(np.array([rewards]), preference, how)[0]  # type: ignore[arg-type]
        for rewards in ([0.4, 0.5], [0.6, 0.5], [0.9, 0.9])
    )
    assert low < more_of_first < more_of_both <= 0.0
    first = log_scalar(np.array([[0.9, 0.3]]), preference, how)[0]  # type: ignore[arg-type]
    second = log_scalar(np.array([[0.3, 0.9]]), preference, how)[0]  # type: ignore[arg-type]
    assert first > second
    assert np.isfinite(log_scalar(np.zeros((1, 2)), preference, how)).all()  # type: ignore[arg-type]


@pytest.mark.parametrize("given", [[0.0, 0.0], [-1.0, 2.0], [np.nan, 1.0]])
def test_a_preference_of_nothing_is_refused(given: list[float]) -> None:
    with pytest.raises(ConfigError, match="a preference has numbers of at least 0 that are not all 0"):
        checked(np.array(given))


def test_a_preference_is_brought_to_the_simplex() -> None:
    assert checked(np.array([1.0, 3.0])).tolist() == [[0.25, 0.75]]


def test_a_scale_is_made_of_what_finished_well() -> None:
    costs = np.array([[-5.0, 2.0], [3.0, 2.0], [np.inf, np.inf], [-99.0, 99.0]])
    scale = Scale.over(costs, np.array([0.0, 0.0, np.inf, 1.0]))
    assert scale.rewards(costs).tolist() == [[1.0, 1.0], [0.0, 1.0], [0.0, 0.0], [1.0, 0.0]]
    assert scale.rewards(np.array([[-1.0, np.nan], [-1.0, 1.0]])).tolist() == [[0.5, 0.0], [0.5, 1.0]]
    nothing = Scale.over(costs, np.ones(4))
    assert nothing.rewards(costs).tolist() == [[0.0, 0.0]] * 4


def test_a_scale_by_rank_counts_who_is_no_better() -> None:
    costs = np.array([[-5.0, 2.0], [3.0, 2.0], [np.inf, np.inf], [-99.0, 99.0]])
    scale = RankScale.over(costs, np.array([0.0, 0.0, np.inf, 1.0]))
    assert scale.rewards(costs).tolist() == [[1.0, 1.0], [0.5, 1.0], [0.0, 0.0], [1.0, 0.0]]
    assert scale.rewards(np.array([[4.0, np.nan], [3.0, 1.0]])).tolist() == [[0.0, 0.0], [0.5, 1.0]]
    assert RankScale.over(costs, np.ones(4)).rewards(costs).tolist() == [[0.0, 0.0]] * 4


def test_hypervolume_against_counting() -> None:
    rng = np.random.default_rng(0)
    for m in (2, 3, 4):
        points = rng.random((12, m))
        grid = rng.random((40_000, m))
        counted = np.any(np.all(grid[:, None, :] <= points[None], axis=2), axis=1).mean()
        assert hypervolume(points) == pytest.approx(counted, abs=0.012)
    assert hypervolume(np.array([[0.5, 0.5]]), np.array([0.25, 0.0])) == 0.125
    assert hypervolume(np.empty((0, 2))) == 0.0


def test_r2_and_diversity() -> None:
    weights = np.array([[1.0, 0.0], [0.0, 1.0]])
    assert r2(np.array([[1.0, 0.0], [0.0, 1.0]]), weights) == 0.0
    assert r2(np.array([[0.5, 0.5]]), weights) == 0.5
    assert diversity(np.array([[0, 0], [0, 1], [1, 1]], dtype=np.int16)) == pytest.approx(4 / 3)
    assert diversity(np.array([[0, 0]], dtype=np.int16)) == 0.0
