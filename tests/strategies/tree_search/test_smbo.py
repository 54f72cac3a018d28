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


class Friend(Oracle):
    """Likes what is close to the first architecture of all."""

    def predict(self, x: Genotypes) -> tuple[FloatArray, FloatArray]:
        return (x.choices == 0).sum(axis=1).astype(float), np.zeros(len(x))


class Doubter(Oracle):
    """Has no opinion, and knows so little of the last candidate that it may be worth anything."""

    def predict(self, x: Genotypes) -> tuple[FloatArray, FloatArray]:
        return np.zeros(len(x)), (x.choices == 4).sum(axis=1).astype(float)


def test_near_candidates_differ_from_the_best_in_up_to_three_choices() -> None:
    space = letters(20)  # of which a random row has 16 others
    strategy = started(space, surrogate=Friend, n_initial=1, n_parents=1)
    first = space.at([0])
    strategy.recover(first, finished(first, [1.0]))
    n_changed = (strategy.ask(40).choices != 0).sum(axis=1)
    assert n_changed.min() >= 1
    assert n_changed.max() <= 3


def test_parents_are_the_best_by_what_was_measured() -> None:
    space = letters(20)
    rows = space.at([0, 5**20 - 1])
    for values, best in (([1.0, 2.0], 4), ([2.0, 1.0], 0)):
        strategy = started(space, surrogate=Oracle, n_initial=1)
        strategy.tell(finished(rows, values))
        near = strategy._changed(50, np.random.default_rng(0))
        assert ((near.choices == best).sum(axis=1) >= 17).all()


def test_doubt_is_worth_a_try_by_thompson_sampling_alone() -> None:
    doubted = {}
    for acquisition in ("thompson", "mean"):
        strategy = started(
            letters(), surrogate=Doubter, n_initial=4, candidates="random", acquisition=acquisition
        )
        strategy.tell(finished(strategy.ask(4), [1.0, 2.0, 3.0, 4.0]))
        doubted[acquisition] = (strategy.ask(30).choices == 4).sum(axis=1).mean()
    assert doubted["thompson"] > doubted["mean"] + 0.8


def test_searches_floats_beside_choices() -> None:
    space = SearchSpace(
        pg.Dict(
            rate=pg.floatv(1e-4, 1.0, scale="log"),
            op=pg.oneof([pg.Dict(share=pg.floatv(0.0, 1.0)), "skip", "pool"]),
        )
    )

    def score(rows: Genotypes) -> list[float]:
        share = np.nan_to_num(rows.floats[:, 1], nan=0.0)
        return list(2.0 - abs(np.log10(rows.floats[:, 0]) + 2.0) + share)

    errors = []
    for strategy in (ModelBasedSearch(), RandomSearch()):
        best = []
        for seed in range(5):
            strategy.setup(space, SCORE, seed)
            known: list[float] = []
            for i in range(60):
                rows = strategy.ask(1)
                known += score(rows)
                strategy.tell(finished(rows, known[-1:], first=i))
            best.append(3.0 - max(known))
        errors.append(np.mean(best))
    assert errors[0] < 0.6 * errors[1]


def test_a_tree_has_no_branches_for_floats() -> None:
    assert "floats" not in ModelBasedSearch(candidates="tree").supports
    assert "floats" in ModelBasedSearch().supports


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


@pytest.mark.parametrize("candidates", ["near", "random", "tree"])
def test_finds_more_than_chance(candidates: Literal["near", "random", "tree"]) -> None:
    space = letters()
    seeds = range(3)
    found = [
        best_found(ModelBasedSearch(n_candidates=32, candidates=candidates), space, seed) for seed in seeds
    ]
    assert np.mean(found) > np.mean([best_found(RandomSearch(), space, seed) for seed in seeds]) + 0.9


def test_a_surrogate_by_import_path() -> None:
    name = "archloom.predictors.ngrams:NgramRidge"
    strategy = started(letters(), surrogate=name, n_initial=2)
    strategy.tell(finished(strategy.ask(2), [0.0, 1.0]))
    assert len(strategy.ask(2)) == 2
    with pytest.raises(UnknownNameError, match="nobody"):
        ModelBasedSearch(surrogate="nobody")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"n_initial": 0}, "at least 1, got 0, 200 and 1"),
        ({"n_candidates": 0}, "got 10, 0 and 1"),
        ({"refit_every": 0}, "got 10, 200 and 0"),
        ({"epsilon": 1.5}, "a probability and c at least 0, got 1.5"),
        ({"c": -0.1}, "and -0.1"),
        ({"candidates": "all"}, "near, random or tree, got 'all'"),
        ({"reward": "z"}, "got 'z'"),
        ({"acquisition": "luck"}, "acquisition is thompson or mean, got 'luck'"),
        ({"n_parents": 0}, "n_parents is at least 1, got 0"),
    ],
)
def test_refuses_impossible_options(options: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(words)):
        ModelBasedSearch(**options)
