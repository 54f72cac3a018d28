"""Regularized evolution: population, tournament, aging, crossover."""

from __future__ import annotations

import numpy as np
import pyglove as pg
import pytest

from archloom.contracts import Objective, State
from archloom.errors import ConfigError
from archloom.search_spaces import SearchSpace
from archloom.strategies import RegularizedEvolution
from archloom.strategies.selection import fittest, undominated
from archloom.testing.strategies import finished


def space() -> SearchSpace:
    return SearchSpace(pg.List([pg.oneof(list("abcde")) for _ in range(6)]))


def started(**options: float) -> RegularizedEvolution:
    strategy = RegularizedEvolution(**options)  # type: ignore[arg-type]
    strategy.setup(space(), [Objective("score", "maximize")], 0)
    return strategy


def test_a_child_is_one_choice_away_from_the_winner() -> None:
    strategy = started(population_size=5, sample_size=200)
    rows = strategy.ask(5)
    strategy.tell(finished(rows, [1, 5, 2, 3, 4]))
    children = strategy.ask(20)
    assert ((children.choices != rows.choices[1]).sum(axis=1) == 1).all()


def test_the_oldest_leaves_however_good() -> None:
    strategy = started(population_size=3, sample_size=200)
    rows = strategy.ask(3)
    strategy.tell(finished(rows, [9, 1, 2]))
    newer = strategy.ask(1)
    strategy.tell(finished(newer, [3], first=3))
    child = strategy.ask(1)
    assert (child.choices != newer.choices).sum() == 1


def test_minimizes_where_told() -> None:
    strategy = RegularizedEvolution(population_size=3, sample_size=200)
    strategy.setup(space(), [Objective("loss", "minimize")], 0)
    rows = strategy.ask(3)
    strategy.tell(finished(rows, [9, 1, 2]))
    assert (strategy.ask(1).choices != rows.choices[1]).sum() == 1


def test_failed_trials_never_become_parents() -> None:
    strategy = started(population_size=2, sample_size=200)
    rows = strategy.ask(2)
    strategy.tell(finished(rows, [np.nan, 1.0], states=(State.FAIL, State.COMPLETE)))
    assert ((strategy.ask(10).choices != rows.choices[1]).sum(axis=1) == 1).all()


def test_feasible_parents_come_first() -> None:
    strategy = started(population_size=3, sample_size=200)
    rows = strategy.ask(3)
    states = (State.PRUNED, State.COMPLETE, State.COMPLETE)
    strategy.tell(finished(rows, [np.nan, 1.0, 0.5], states=states, violations=[3, 1, 0]))
    assert ((strategy.ask(10).choices != rows.choices[2]).sum(axis=1) == 1).all()


def test_crossover_mixes_two_parents() -> None:
    strategy = started(population_size=2, sample_size=1, crossover=1.0)
    rows = strategy.ask(2)
    strategy.tell(finished(rows, [1, 1]))
    children = strategy.ask(40).choices
    from_either = ((children == rows.choices[0]) | (children == rows.choices[1])).sum(axis=1)
    distance = np.minimum(
        (children != rows.choices[0]).sum(axis=1), (children != rows.choices[1]).sum(axis=1)
    )
    assert (from_either >= 5).all()
    assert (distance > 1).any()


@pytest.mark.parametrize("options", [{"population_size": 0}, {"sample_size": 0}, {"crossover": 1.5}])
def test_refuses_impossible_options(options: dict[str, float]) -> None:
    with pytest.raises(ConfigError, match=r"got 0|got 100 and 0|got 1\.5"):
        started(**options)


def test_fittest_prefers_undominated() -> None:
    costs = np.array([[1.0, 4.0], [2.0, 2.0], [3.0, 3.0], [4.0, 1.0]])
    assert undominated(costs).tolist() == [True, True, False, True]
    drawn = {fittest(costs, np.zeros(4), np.random.default_rng(seed)) for seed in range(50)}
    assert drawn == {0, 1, 3}
    assert fittest(costs, np.array([1.0, 1.0, 0.0, 1.0]), np.random.default_rng(0)) == 2


def test_ties_are_broken_by_chance() -> None:
    drawn = {fittest(np.ones((3, 1)), np.zeros(3), np.random.default_rng(seed)) for seed in range(50)}
    assert drawn == {0, 1, 2}
