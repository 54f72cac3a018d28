"""MOGFN-AL: the laws, exact resume, any surrogate, and the fronts it finds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pyglove as pg
import pytest

from archloom.contracts import FloatArray, Genotypes, Objective, Predictor, State, Strategy
from archloom.errors import ConfigError, UnknownNameError
from archloom.search_spaces import SearchSpace
from archloom.strategies.gflownet.active_learning import ActiveLearningGFlowNet
from archloom.strategies.gflownet.fronts import hypervolume
from archloom.testing.strategies import StrategyContract, finished

SHORT: dict[str, Any] = {
    "n_bins": 4,
    "n_initial": 8,
    "n_round": 4,
    "n_candidates": 32,
    "n_steps": 3,
    "batch_size": 8,
    "width": 16,
}
GOALS = [Objective("a", "maximize"), Objective("b", "minimize")]
SPACE = SearchSpace(pg.List([pg.oneof(list(range(4))) for _ in range(5)]))


class TestContract(StrategyContract):
    @pytest.fixture
    def make(self) -> Callable[[], Strategy]:
        return lambda: ActiveLearningGFlowNet(**SHORT)


def values(rows: Genotypes) -> FloatArray:
    """Return two goals that pull apart: a sum, and a price of the same choices that rises faster."""
    choices = rows.choices.astype(float)
    return np.stack([choices.sum(axis=1), choices**2 @ np.arange(1.0, choices.shape[1] + 1)], axis=1)


def started(seed: int = 0, **options: Any) -> ActiveLearningGFlowNet:
    strategy = ActiveLearningGFlowNet(**{**SHORT, **options})
    strategy.setup(SPACE, GOALS, seed)
    return strategy


def run(strategy: Strategy, n: int, of: Callable[[Genotypes], FloatArray] = values, **told: Any) -> Genotypes:
    rows = []
    for i in range(n):
        rows.append(strategy.ask(1))
        strategy.tell(finished(rows[-1], of(rows[-1]), first=i, **told))
    return Genotypes.concatenate(rows)


# ---------------------------------------------------------------- the loop


@pytest.mark.parametrize("seed", range(2))
def test_resumes_exactly_with_trials_on_their_way(seed: int) -> None:
    """Several workers: proposals in batches, results out of order, some not in yet, an enqueued one."""
    chance, whole = np.random.default_rng(seed), started(seed)
    enqueued = SPACE.sample(1, chance)
    asked: list[Genotypes] = []
    told, running = [enqueued], list[Genotypes]()
    whole.tell(finished(enqueued, values(enqueued)))
    for _ in range(14):
        rows = whole.ask(int(chance.integers(1, 6)))
        asked += [rows[i] for i in range(len(rows))]
        running += [rows[i] for i in range(len(rows))]
        for _ in range(int(chance.integers(0, len(running)))):
            row = running.pop(int(chance.integers(len(running))))
            whole.tell(finished(row, values(row), first=len(told)))
            told.append(row)
    assert running
    resumed, history = started(seed), Genotypes.concatenate(told)
    resumed.recover(Genotypes.concatenate(asked), finished(history, values(history)))
    assert resumed.ask(7).keys() == whole.ask(7).keys()


def test_nothing_is_proposed_twice_until_a_space_is_used_up() -> None:
    space = SearchSpace(pg.List([pg.oneof(["a", "b", "c"]) for _ in range(3)]))
    strategy = ActiveLearningGFlowNet(**SHORT)
    strategy.setup(space, GOALS, 0)
    keys = run(strategy, 27).keys()
    assert len(set(keys)) == 27
    assert len(strategy.ask(5)) == 0


def test_more_may_be_asked_for_than_was_planned() -> None:
    strategy = started(n_candidates=4)
    run(strategy, 8)
    assert len(set(strategy.ask(40).keys())) == 40


def test_a_choice_of_one_is_proposed_once() -> None:
    strategy = ActiveLearningGFlowNet(**SHORT)
    strategy.setup(SearchSpace(pg.List([pg.oneof(["a"])])), GOALS, 0)
    assert len(strategy.ask(3)) == 1


@pytest.mark.parametrize("state", [State.FAIL, State.PRUNED])
def test_goes_on_when_nothing_has_values(state: State) -> None:
    strategy = started()
    rows = strategy.ask(12)
    strategy.tell(finished(rows, np.full((12, 2), np.nan), states=(state,) * 12))
    assert SPACE.is_legal(strategy.ask(6)).all()


@pytest.mark.slow
def test_finds_more_of_a_front_than_chance() -> None:
    def share(rows: Genotypes) -> float:
        return hypervolume(scaled(values(rows))) / hypervolume(scaled(values(SPACE.enumerate())))

    def scaled(found: FloatArray) -> FloatArray:
        return np.stack([found[:, 0] / 15.0, 1.0 - found[:, 1] / 135.0], axis=1)

    options = {"n_bins": 20, "n_initial": 12, "n_round": 9, "n_steps": 30, "n_candidates": 64, "beta": 16.0}
    found = [share(run(started(seed, **options), 48)) for seed in range(2)]
    chance = [share(SPACE.sample(48, np.random.default_rng(seed))) for seed in range(20)]
    assert np.mean(found) > np.mean(chance) + 0.03


def test_a_single_objective_has_its_best_value_for_a_front() -> None:
    strategy = ActiveLearningGFlowNet(**SHORT)
    strategy.setup(SPACE, [Objective("loss", "minimize")], 0)
    rows = run(strategy, 60, lambda rows: np.abs(rows.choices - 2.0).sum(axis=1))
    assert np.abs(rows.choices - 2).sum(axis=1).min() == 0


def test_what_breaks_a_constraint_is_avoided() -> None:
    def share_kept(is_told: bool) -> float:
        strategy, rows = started(n_steps=10, n_initial=24, n_round=8), []
        for i in range(48):
            rows.append(strategy.ask(1))
            violation = float(rows[-1].choices[0, 0] > 1)
            told = violation if is_told else 0.0
            strategy.tell(finished(rows[-1], values(rows[-1]), first=i, violations=[told]))
        return float((Genotypes.concatenate(rows).choices[-24:, 0] < 2).mean())

    assert share_kept(is_told=True) > 0.2 + share_kept(is_told=False)


class Silent(Predictor):
    """Says that nothing is known, and not in numbers."""

    def __init__(self, space: Any):
        del space

    def fit(self, x: Genotypes, y: FloatArray) -> None:
        pass

    def predict(self, x: Genotypes) -> tuple[FloatArray, FloatArray]:
        return np.full(len(x), np.nan), np.full(len(x), np.inf)


def test_a_surrogate_may_be_given_and_may_know_nothing() -> None:
    strategy = started(surrogate=Silent)
    assert len(set(run(strategy, 20).keys())) == 20
    by_path = started(surrogate="archloom.predictors.ngrams:NgramRidge")
    assert run(by_path, 20).keys() == run(started(), 20).keys()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"beta": 0.0}, "beta is above 0"),
        ({"n_candidates": 0}, "n_candidates are at least 1"),
        ({"epsilon": 1.5}, "epsilon is a probability"),
        ({"optimism": -1.0}, "optimism at least 0, got 0.05 and -1.0"),
        ({"lr": 0.0}, "lr and lr_log_z are above zero"),
        ({"n_round": 0}, "n_round is a whole number of at least 1, got 0"),
        ({"scalarization": "convx"}, "did you mean 'convex'"),
    ],
)
def test_options_out_of_range_are_refused(options: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        ActiveLearningGFlowNet(**options)


def test_an_unknown_surrogate_is_refused() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'ngram_ridge'"):
        ActiveLearningGFlowNet(surrogate="ngram_rigde")
