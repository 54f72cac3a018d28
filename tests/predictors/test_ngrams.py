"""The n-gram regression: its features, its optimum, its deviation."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pyglove as pg
import pytest
from numpy.testing import assert_allclose

from archloom.contracts import Genotypes
from archloom.errors import ConfigError
from archloom.predictors.ngrams import NgramRidge
from archloom.search_spaces import SearchSpace


def letters(n: int = 5) -> SearchSpace:
    return SearchSpace(pg.List([pg.oneof(list("abc")) for _ in range(n)]))


def split(space: SearchSpace, n: int, seed: int = 0) -> tuple[Genotypes, Genotypes]:
    rows = space.enumerate()
    order = np.random.default_rng(seed).permutation(len(rows))
    return rows[order[:n]], rows[order[n:]]


def pairs(rows: Genotypes) -> Any:
    """Count where an ``a`` stands before a ``b``."""
    return ((rows.choices[:, :-1] == 0) & (rows.choices[:, 1:] == 1)).sum(axis=1).astype(float)


def test_learns_what_pairs_do_and_single_choices_cannot_say() -> None:
    space = letters()
    seen, new = split(space, 120)

    def error(**options: Any) -> float:
        model = NgramRidge(space, penalty=0.01, **options)
        model.fit(seen, pairs(seen))
        return float(np.abs(model.predict(new)[0] - pairs(new)).max())

    assert error(length=2) < 0.05
    assert error(length=1) > 0.5


def test_words_without_a_place_need_fewer_rows() -> None:
    space = letters()
    seen, new = split(space, 25)
    model = NgramRidge(space, penalty=0.01, anchored=False)
    model.fit(seen, pairs(seen))
    assert np.abs(model.predict(new)[0] - pairs(new)).max() < 0.05


def test_longer_runs() -> None:
    space = letters()
    seen, new = split(space, 150)

    def goal(rows: Genotypes) -> Any:
        return (rows.choices[:, 1:5] == [0, 1, 1, 0]).all(axis=1).astype(float)

    model = NgramRidge(space, length=4, min_count=1, penalty=0.01)
    model.fit(seen, goal(seen))
    assert np.abs(model.predict(new)[0] - goal(new)).max() < 0.1


def test_rare_runs_are_left_out() -> None:
    """A single choice that was met twice says nothing where three times are asked for."""
    space = letters(2)
    rows = Genotypes(np.array([[0, 0], [0, 0], [1, 0], [1, 0], [1, 0]], dtype=np.int16), np.empty((5, 0)))
    new = Genotypes(np.array([[0, 2], [2, 2]], dtype=np.int16), np.empty((2, 0)))
    spread = {}
    for min_count in (2, 3):
        model = NgramRidge(space, min_count=min_count, penalty=0.1)
        model.fit(rows, np.array([1.0, 1.0, 0.0, 0.0, 0.0]))
        spread[min_count] = np.ptp(model.predict(new)[0])
    assert spread[2] > 0.2
    assert spread[3] < 1e-9


@pytest.mark.parametrize("n", [20, 200])
def test_is_the_ridge_optimum_over_few_rows_and_over_many(n: int) -> None:
    """Against the normal equations on one-hot rows; 20 rows are fewer than the features, 200 are more."""
    space, rng = letters(8), np.random.default_rng(0)
    seen, new = space.sample(n, rng), space.sample(30, rng)
    y = rng.normal(size=n)
    model = NgramRidge(space, length=1, min_count=1, penalty=2.0)
    model.fit(seen, y)
    mean, std = model.predict(new)
    one_hot = space.one_hot(seen)
    center = one_hot.mean(axis=0)
    x, z = one_hot - center, space.one_hot(new) - center
    inverse = np.linalg.inv(x.T @ x + 2.0 * np.eye(x.shape[1]))
    weights = inverse @ x.T @ (y - y.mean())
    assert_allclose(mean, y.mean() + z @ weights, atol=1e-9)
    variance = (y - y.mean()) @ (y - y.mean() - x @ weights) / n
    assert_allclose(std**2, variance * np.einsum("ij,jk,ik->i", z, inverse, z), atol=1e-9)


def test_is_less_sure_far_from_what_it_knows() -> None:
    space, rng = letters(8), np.random.default_rng(0)
    seen = space.sample(30, rng)
    model = NgramRidge(space)
    model.fit(seen, rng.normal(size=30))
    near, far = model.predict(seen)[1], model.predict(space.sample(200, rng))[1]
    assert near.mean() < far.mean()


@pytest.mark.parametrize("anchored", [True, False])
def test_inactive_decisions_are_no_words(anchored: bool) -> None:
    """What stands around an inactive decision is neighbours."""
    space = SearchSpace(pg.Dict(a=pg.oneof([pg.oneof(["x", "y"]), "skip"]), b=pg.oneof(["p", "q"])))
    rows = space.enumerate()
    goal = ((rows.choices[:, 1] < 0) & (rows.choices[:, 2] == 1)).astype(float)
    model = NgramRidge(space, min_count=1, penalty=1e-6, anchored=anchored)
    model.fit(rows, goal)
    assert_allclose(model.predict(rows)[0], goal, atol=1e-3)


def test_before_a_fit_and_without_decisions() -> None:
    space = letters()
    mean, std = NgramRidge(space).predict(space.at([0, 1]))
    assert mean.tolist() == std.tolist() == [0.0, 0.0]
    nothing = SearchSpace(pg.Dict(a=1))
    model = NgramRidge(nothing)
    model.fit(nothing.enumerate(), np.array([3.0]))
    assert model.predict(nothing.enumerate())[0].tolist() == [3.0]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"length": 0}, "at least 1, got 0 and 1"),
        ({"min_count": 0}, "got 2 and 0"),
        ({"penalty": 0.0}, "above 0, got 0.0"),
        ({"penalty": float("nan")}, "got nan"),
    ],
)
def test_refuses_impossible_options(options: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(words)):
        NgramRidge(letters(), **options)


@pytest.mark.parametrize("anchored", [True, False])
def test_reads_a_float_in_eight_bins_of_its_scale(anchored: bool) -> None:
    space = SearchSpace(pg.Dict(rate=pg.floatv(1e-4, 1.0, scale="log"), op=pg.oneof(["a", "b"])))
    rates = np.array([1e-4, 2e-4, 1e-2, 1.2e-2, 0.9, 1.0])
    rows = Genotypes(np.zeros((6, 1), dtype=np.int16), rates[:, None])
    model = NgramRidge(space, length=1, penalty=1e-6, anchored=anchored)
    model.fit(rows, np.array([1.0, 1.0, 3.0, 3.0, 2.0, 2.0]))
    near = Genotypes(np.zeros((3, 1), dtype=np.int16), np.array([[1.1e-4], [1.1e-2], [0.95]]))
    assert np.allclose(model.predict(near)[0], [1.0, 3.0, 2.0], atol=1e-3)


def test_an_inactive_float_has_no_word() -> None:
    space = SearchSpace(pg.oneof([pg.Dict(share=pg.floatv(0.0, 1.0)), "skip"]))
    rows = Genotypes(np.array([[0], [1]], dtype=np.int16), np.array([[0.5], [np.nan]]))
    model = NgramRidge(space, penalty=1e-6)
    model.fit(rows, np.array([1.0, 0.0]))
    assert np.allclose(model.predict(rows)[0], [1.0, 0.0], atol=1e-3)
