"""Surrogates: what they believe of architectures, and the batch that should raise the front most."""

from __future__ import annotations

import numpy as np
import pyglove as pg
import pytest

from archloom.contracts import FloatArray, Genotypes
from archloom.predictors import NgramRidge
from archloom.search_spaces import SearchSpace
from archloom.strategies.gflownet.acquisition import Belief, best_batch
from archloom.strategies.gflownet.search import Known

SPACE = SearchSpace(pg.List([pg.oneof(list(range(4))) for _ in range(5)]))


def costs_of(rows: Genotypes) -> FloatArray:
    """Return two costs that pull apart."""
    choices = rows.choices.astype(float)
    return np.stack([-choices.sum(axis=1), choices**2 @ np.arange(1.0, 6.0)], axis=1)


def known_of(rows: Genotypes, costs: FloatArray, violations: FloatArray | None = None) -> Known:
    return Known(rows.choices, costs, np.zeros(len(rows)) if violations is None else violations)


def test_a_belief_scales_and_says_what_may_be() -> None:
    rows = SPACE.sample(200, np.random.default_rng(0))
    costs = costs_of(rows)
    belief = Belief(SPACE, NgramRidge, known_of(rows, costs))
    assert belief.front.min(axis=0).tolist() == [0.0, 0.0]
    assert belief.front.max(axis=0).tolist() == [1.0, 1.0]
    mean, deviation = belief.predict(rows.choices)
    assert np.abs(mean - belief.front).mean() < 0.02
    assert (belief.hopeful(rows.choices, 2.0) >= np.clip(mean, 0.0, 1.0) - 1e-12).all()
    assert belief.feasible(rows.choices).tolist() == [1.0] * 200
    draws = belief.drawn(rows.choices, 400, np.random.default_rng(1))
    assert draws.mean(axis=0) == pytest.approx(mean, abs=0.2 * deviation.max() + 1e-9)


def test_a_belief_learns_what_fails_and_keeps_it_off_the_front() -> None:
    rows = SPACE.sample(300, np.random.default_rng(0))
    costs, has_failed = costs_of(rows), rows.choices[:, 0] == 3
    costs[has_failed] = np.inf
    breaks = rows.choices[:, 1] == 3
    violations = np.where(has_failed, np.inf, breaks.astype(float))
    belief = Belief(SPACE, NgramRidge, known_of(rows, costs, violations))
    assert len(belief.front) == (~has_failed & ~breaks).sum()
    chance = belief.feasible(rows.choices)
    assert chance[has_failed | breaks].max() < chance[~has_failed & ~breaks].min()
    assert np.isfinite(belief.hopeful(rows.choices, 1.0)).all()


def test_a_batch_is_spread_along_the_front() -> None:
    draws = np.array([[0.50, 0.50], [0.49, 0.50], [0.9, 0.1], [0.1, 0.8]])[None]
    assert best_batch(draws, np.empty((0, 2)), 3).tolist() == [0, 2, 3, 1]
    assert best_batch(draws, np.array([[0.6, 0.6]]), 4).tolist() == [2, 3, 0, 1]
    assert best_batch(draws, np.array([[1.0, 1.0]]), 4).tolist() == [0, 1, 2, 3]


def test_what_is_uncertain_may_be_worth_more() -> None:
    sure, unsure = np.full((4, 1, 1), 0.55), np.array([0.0, 0.9, 0.2, 0.8])[:, None, None]
    draws = np.concatenate([sure, unsure], axis=1)
    assert best_batch(draws, np.array([[0.5]]), 1).tolist() == [1, 0]
