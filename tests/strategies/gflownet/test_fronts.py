"""Sets of points: what is free above a front, what one more is worth, the best for each preference."""

from __future__ import annotations

import numpy as np
import pytest

from archloom.strategies.gflownet.fronts import free_boxes, hypervolume, improvements, top_k


@pytest.mark.parametrize("m", [1, 2, 3, 4])
def test_an_improvement_is_the_difference_of_two_hypervolumes(m: int) -> None:
    rng = np.random.default_rng(m)
    front = rng.random((9, m)).round(1)  # with ties
    points = np.concatenate([rng.random((20, m)), front])
    gains = improvements(points, free_boxes(front))
    before = hypervolume(front)
    after = [hypervolume(np.concatenate([front, point[None]])) for point in points]
    assert gains == pytest.approx(np.array(after) - before, abs=1e-12)
    assert gains[20:] == pytest.approx(np.zeros(9), abs=1e-12)


@pytest.mark.parametrize("m", [1, 2, 3])
def test_without_a_front_everything_is_free(m: int) -> None:
    points = np.random.default_rng(0).random((5, m))
    for nothing in (np.empty((0, m)), np.zeros((3, m)), np.full((2, m), np.nan), np.full((2, m), -1.0)):
        gains = improvements(points, free_boxes(nothing))
        assert gains == pytest.approx(points.prod(axis=1))
    assert not improvements(-points, free_boxes(np.empty((0, m)))).any()


def test_boxes_share_nothing() -> None:
    rng = np.random.default_rng(0)
    front = rng.random((7, 3))
    lower, upper = free_boxes(front)
    points = rng.random((2000, 3))
    is_inside = np.all((points[:, None] > lower) & (points[:, None] < upper), axis=2)
    n_inside = is_inside.sum(axis=1)
    is_dominated = np.any(np.all(points[:, None] < front, axis=2), axis=1)
    assert (n_inside == ~is_dominated).all()


def test_the_best_of_each_preference_count() -> None:
    rewards = np.array([[0.1, 0.9, 0.7], [0.4, 0.2, 0.2]])
    assert top_k(np.log(rewards), 1) == pytest.approx(0.65)
    assert top_k(np.log(rewards), 99) == pytest.approx(rewards.mean())
