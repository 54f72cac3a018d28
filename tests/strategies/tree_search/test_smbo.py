"""Model-based search: the surrogate is heard, can be anyone's, and is never needed."""

from __future__ import annotations

import re
from typing import Any, Literal

import numpy as np
import pyglove as pg
import pytest

from archloom.contracts import FloatArray, Genotypes, Objective, Predictor, Strategy
from archloom.errors import ConfigError, UnknownNameError
from archloom.search_spaces import SearchSpace
from archloom.strategies import RandomSearch
from archloom.strategies.tree_search.smbo import ModelBasedSearch
from archloom.testing.strategies import finished

SCORE = [Objective("score", "maximize")]


def letters(n: int = 6) -> SearchSpace:
    return SearchSpace(pg.List([pg.oneof(list("abcde")) for _ in range(n)]))


def started(space: SearchSpace, **options: Any) -> ModelBasedSearch:
    strategy = ModelBasedSearch(**options)
    strategy.setup(space, SCORE, 0)
    return strategy


class Oracle(Predictor):
    """Likes the first candidate everywhere, whatever was measured; notes what it was fitted on."""

    fits: list[list[float]]

    def __init__(self, space: SearchSpace):
        self.space = space

    def fit(self, x: Genotypes, y: FloatArray) -> None:
        type(self).fits.append(y.tolist())
        assert len(x) == len(y)

    def predict(self, x: Genotypes) -> tuple[FloatArray, FloatArray]:
        mean = (x.choices == 0).sum(axis=1).astype(float)
        return np.where(mean == 0, np.nan, mean), np.zeros(len(x))


@pytest.fixture(autouse=True)
def fits() -> list[list[float]]:
    Oracle.fits = []
    return Oracle.fits


@pytest.mark.parametrize(("candidates", "least"), [("random", 2.5), ("tree", 3.5)])
def test_proposes_what_the_surrogate_likes(candidates: str, least: float) -> None:
    """Random rows have 1.2 first candidates, the best of 64 random ones 3.2, and a search finds more."""
    strategy = started(letters(), surrogate=Oracle, n_initial=4, epsilon=0.0, candidates=candidates)
    strategy.tell(finished(strategy.ask(4), [1.0, 2.0, 3.0, 4.0]))
    liked = (strategy.ask(12).choices == 0).sum(axis=1)
    assert liked.mean() > least


def test_some_proposals_are_random() -> None:
    means = []
    for epsilon in (0.0, 0.5, 1.0):
        strategy = started(letters(), surrogate=Oracle, n_initial=4, epsilon=epsilon)
        strategy.tell(finished(strategy.ask(4), [1.0, 2.0, 3.0, 4.0]))
        means.append((strategy.ask(60).choices == 0).sum(axis=1).mean())
    assert means[0] > means[1] + 0.5 > means[2] + 1.0


def test_refits_on_all_that_is_known_as_often_as_told(fits: list[list[float]]) -> None:
    strategy = started(letters(), surrogate=Oracle, n_initial=2, refit_every=4, reward="value")
    for i in range(13):
        strategy.tell(finished(strategy.ask(1), [float(i)], first=i))
    assert fits == [[0.0, 1.0, 2.0, 3.0], [float(i) for i in range(8)], [float(i) for i in range(12)]]


def test_waits_for_results_at_random(fits: list[list[float]]) -> None:
    rows = started(letters(), surrogate=Oracle, n_initial=2).ask(20)
    assert len(set(rows.keys())) == 20
    assert fits == []


def best_found(strategy: Strategy, space: SearchSpace, seed: int) -> float:
    """Return the most of one letter that 60 trials find."""
    strategy.setup(space, SCORE, seed)
    values: list[float] = []
    for i in range(60):
        row = strategy.ask(1)
        values.append(float((row.choices == 2).sum()))
        strategy.tell(finished(row, values[-1:], first=i))
    return max(values)


@pytest.mark.parametrize("candidates", ["random", "tree"])
def test_finds_more_than_chance(candidates: Literal["random", "tree"]) -> None:
    space = letters()
    seeds = range(3)
    found = [
        best_found(ModelBasedSearch(n_candidates=32, candidates=candidates), space, seed) for seed in seeds
    ]
    assert np.mean(found) > np.mean([best_found(RandomSearch(), space, seed) for seed in seeds]) + 0.9


def test_a_surrogate_by_import_path() -> None:
    name = "archloom.strategies.tree_search.ngrams:NgramRidge"
    strategy = started(letters(), surrogate=name, n_initial=2)
    strategy.tell(finished(strategy.ask(2), [0.0, 1.0]))
    assert len(strategy.ask(2)) == 2
    with pytest.raises(UnknownNameError, match="nobody"):
        ModelBasedSearch(surrogate="nobody")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"n_initial": 0}, "at least 1, got 0, 64 and 1"),
        ({"n_candidates": 0}, "got 16, 0 and 1"),
        ({"refit_every": 0}, "got 16, 64 and 0"),
        ({"epsilon": 1.5}, "a probability and c at least 0, got 1.5"),
        ({"c": -0.1}, "and -0.1"),
        ({"candidates": "all"}, "random or tree, got 'all'"),
        ({"reward": "z"}, "got 'z'"),
    ],
)
def test_refuses_impossible_options(options: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(words)):
        ModelBasedSearch(**options)
