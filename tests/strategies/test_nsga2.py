"""NSGA-II: generations, survival, constraints, failures, exact resume, and fronts that are known."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pyglove as pg
import pytest

from archloom.contracts import FloatArray, Genotypes, Objective, State, Strategy
from archloom.errors import ConfigError
from archloom.search_spaces import SearchSpace
from archloom.strategies.nsga2 import NSGA2
from archloom.strategies.sorting import front_ranks
from archloom.testing.strategies import StrategyContract, finished

BOTH = [Objective("a", "minimize"), Objective("b", "minimize")]


class TestContract(StrategyContract):
    @pytest.fixture(params=["default", "small", "one_point", "two_point", "mutation", "clones"])
    def make(self, request: pytest.FixtureRequest) -> Callable[[], Strategy]:
        options: dict[str, dict[str, Any]] = {
            "default": {},
            "small": {"population_size": 5},
            "one_point": {"population_size": 4, "recombination": "one_point"},
            "two_point": {"population_size": 4, "recombination": "two_point"},
            "mutation": {"population_size": 6, "crossover": 0.0, "mutation": 0.5},
            "clones": {"population_size": 6, "crossover": 0.0, "mutation": 0.0},
        }
        return lambda: NSGA2(**options[request.param])


def flat(d: int = 6) -> SearchSpace:
    return SearchSpace(pg.List([pg.oneof(list("abcde")) for _ in range(d)]))


def started(space: SearchSpace | None = None, seed: int = 0, **options: Any) -> NSGA2:
    strategy = NSGA2(**options)
    strategy.setup(space or flat(), BOTH, seed)
    return strategy


def costs_of(rows: Genotypes) -> FloatArray:
    """Two goals that pull apart: 25 values are best, where all choices are near each other."""
    choices = rows.choices.astype(float)
    return np.stack([choices.sum(axis=1), ((4.0 - choices) ** 2).sum(axis=1)], axis=1)


def proposals(strategy: NSGA2, n: int, **told: Any) -> Genotypes:
    """Let a strategy run for ``n`` trials, one after the other."""
    made = []
    for i in range(n):
        row = strategy.ask(1)
        strategy.tell(finished(row, costs_of(row), first=i, **told))
        made.append(row)
    return Genotypes.concatenate(made)


def distance_to(rows: Genotypes, parents: Genotypes) -> Any:
    """Return the number of decisions in which each row differs from the nearest parent."""
    return (rows.choices[:, None, :] != parents.choices[None, :, :]).sum(axis=2).min(axis=1)


def test_parents_are_the_best_of_the_last_full_generation() -> None:
    strategy = started(population_size=4, crossover=0.0, mutation=0.0)
    rows = strategy.ask(4)
    strategy.tell(finished(rows, [[0, 3], [3, 0], [1, 1], [9, 9]]))
    # Nothing is mixed or mutated: children are copies of parents, until a repeat is mutated once or more.
    children = strategy.ask(12)
    assert (distance_to(children, rows[:3]) == 1).sum() > 6
    better = strategy.ask(4)
    strategy.tell(finished(better, [[-1, -1], [-2, 0], [0, -2], [8, 8]], first=4))
    later = strategy.ask(12)
    assert (distance_to(later, better[:3]) <= distance_to(later, rows)).mean() > 0.7


def test_children_mix_two_parents() -> None:
    strategy = started(population_size=2, crossover=1.0, mutation=0.0)
    rows = strategy.space.at([0, 15_624])
    strategy.tell(finished(rows, [[0, 1], [1, 0]]))
    children = strategy.ask(20).choices
    assert set(np.unique(children)) == {0, 4}
    assert ((children == 0).any(axis=1) & (children == 4).any(axis=1)).all()


def test_a_generation_is_full_when_its_last_trial_has_finished() -> None:
    early, late = started(population_size=4), started(population_size=4)
    rows = early.ask(4)
    early.tell(finished(rows[:3], costs_of(rows[:3])))
    late.ask(4)
    assert early.ask(1).keys() == late.ask(1).keys()  # both random: three are not four
    early.tell(finished(rows[3], costs_of(rows[3]), first=3))
    assert early.ask(1).keys() != late.ask(1).keys()


def test_the_past_counts_not_how_it_was_told() -> None:
    one, two = started(population_size=5), started(population_size=5)
    rows = one.ask(17)
    assert two.ask(17).keys() == rows.keys()
    one.tell(finished(rows, costs_of(rows)))
    for i in range(17):
        two.tell(finished(rows[i], costs_of(rows[i]), first=i))
    assert one.ask(9).keys() == two.ask(9).keys()


@pytest.mark.parametrize("seed", range(3))
def test_resumes_exactly_with_trials_on_their_way(seed: int) -> None:
    """Several workers: proposals in batches, results out of order, some not in yet, an enqueued one."""
    chance, whole = np.random.default_rng(seed), started(population_size=6, seed=seed)
    enqueued = whole.space.sample(1, chance)
    asked: list[Genotypes] = []
    told: list[Genotypes] = [enqueued]
    whole.tell(finished(enqueued, costs_of(enqueued)))
    running: list[Genotypes] = []
    for _ in range(12):
        rows = whole.ask(int(chance.integers(1, 6)))
        asked += [rows[i] for i in range(len(rows))]
        running += [rows[i] for i in range(len(rows))]
        for _ in range(int(chance.integers(0, len(running)))):
            row = running.pop(int(chance.integers(len(running))))
            whole.tell(finished(row, costs_of(row), first=len(told)))
            told.append(row)
    assert running
    resumed = started(population_size=6, seed=seed)
    history = Genotypes.concatenate(told)
    resumed.recover(Genotypes.concatenate(asked), finished(history, costs_of(history)))
    assert resumed.ask(10).keys() == whole.ask(10).keys()


def test_does_not_repeat_itself_while_there_is_something_new() -> None:
    keys = proposals(started(population_size=10), 400).keys()
    assert len(set(keys)) == 400


def test_does_not_propose_what_others_enqueued_or_what_was_asked_before_it_resumed() -> None:
    strategy = started(flat(2), population_size=30)
    everything = strategy.space.enumerate()
    strategy.recover(everything[:6], finished(everything[6:12], np.zeros((6, 2))))
    new = set(strategy.ask(8).keys())
    assert len(new) == 8
    assert not new & set(everything[:12].keys())


def test_goes_on_when_a_space_is_used_up() -> None:
    strategy = started(flat(2), population_size=4)
    keys = [key for _ in range(60) for key in strategy.ask(1).keys()]  # noqa: SIM118
    strategy.tell(finished(strategy.space.at([0, 1, 2, 3]), np.zeros((4, 2))))
    keys += strategy.ask(20).keys()
    assert len(keys) == 80
    assert len(set(keys)) == 25


def test_failed_trials_fill_a_generation_but_are_no_parents() -> None:
    strategy = started(population_size=4, crossover=0.0, mutation=0.0)
    rows = strategy.ask(4)
    states = (State.FAIL, State.COMPLETE, State.FAIL, State.FAIL)
    values = [[np.nan, np.nan], [5, 5], [0, 0], [np.nan, 1]]
    strategy.tell(finished(rows, values, states=states))
    children = strategy.ask(8)
    assert (distance_to(children, rows[1]) <= 2).all()


def test_a_generation_of_failures_alone_is_followed_by_random_points() -> None:
    strategy, fresh = started(population_size=4), started(population_size=4)
    rows = strategy.ask(4)
    fresh.ask(4)
    strategy.tell(finished(rows, np.full((4, 2), np.nan), states=(State.FAIL,) * 4))
    assert strategy.ask(4).keys() == fresh.ask(4).keys()


@pytest.mark.parametrize("unknown", [[-9.0, np.nan], [np.inf, -9.0], [-np.inf, 0.0]])
def test_a_value_that_is_no_number_makes_a_trial_the_last(unknown: list[float]) -> None:
    strategy = started(population_size=3, crossover=0.0, mutation=0.0)
    rows = strategy.ask(3)
    strategy.tell(finished(rows, [[5, 5], unknown, [6, 4]]))
    strategy.tell(finished(strategy.ask(3), [[5, 4.5], [9, 9], [9, 9]], first=3))
    children = strategy.ask(6)
    assert (distance_to(children, rows[1]) >= 2).any()
    assert rows[1].keys()[0] not in strategy._members


def test_the_feasible_survive() -> None:
    strategy = started(population_size=2, crossover=0.0, mutation=0.0)
    rows = strategy.ask(4)
    states = (State.PRUNED, State.COMPLETE, State.PRUNED, State.COMPLETE)
    values = [[np.nan, np.nan], [9, 9], [np.nan, np.nan], [0, 0]]
    strategy.tell(finished(rows, values, states=states, violations=[3, 0, 1, 2]))
    assert set(strategy._members) == {rows[1].keys()[0], rows[2].keys()[0]}


def test_of_a_front_that_does_not_fit_the_least_crowded_survive() -> None:
    strategy = started(population_size=3)
    rows = strategy.ask(6)
    strategy.tell(finished(rows, [[0, 10], [1, 9], [2, 8], [5, 5], [9, 1], [10, 0]]))
    assert set(strategy._members) == {rows[i].keys()[0] for i in (0, 3, 5)}


def test_the_last_value_of_an_architecture_counts() -> None:
    strategy = started(population_size=2)
    rows = strategy.ask(3)
    strategy.tell(finished(rows[:2], [[0, 0], [1, 1]]))
    strategy.tell(finished(Genotypes.concatenate([rows[0], rows[2]]), [[7, 7], [2, 2]], first=2))
    assert set(strategy._members) == {rows[1].keys()[0], rows[2].keys()[0]}


def test_maximizes_where_told() -> None:
    strategy = NSGA2(population_size=2)
    strategy.setup(flat(), [Objective("gain", "maximize"), Objective("price", "minimize")], 0)
    rows = strategy.ask(4)
    strategy.tell(finished(rows, [[1, 5], [9, 5], [9, 9], [5, 1]]))
    assert set(strategy._members) == {rows[1].keys()[0], rows[3].keys()[0]}


def test_finds_a_known_front() -> None:
    """Of 15,625 points 500 are tried."""
    space = flat()
    front = best_of(costs_of(space.enumerate()))
    assert len(front) == 25
    found = best_of(costs_of(proposals(started(space, population_size=30), 500)))
    at_random = best_of(costs_of(space.sample(500, np.random.default_rng(0))))
    assert len(at_random & front) <= 8
    assert len(found & front) >= 14


def best_of(costs: FloatArray) -> set[tuple[float, ...]]:
    """Return the distinct costs that none dominates."""
    distinct = np.unique(costs, axis=0)
    return {tuple(row) for row in distinct[front_ranks(distinct) == 0].tolist()}


@pytest.mark.slow
def test_solves_zdt1() -> None:
    """A front of real numbers: f2 = 1 - sqrt(f1) where the other decisions are 0 (Zitzler et al. 2000)."""
    space = SearchSpace(pg.List([pg.floatv(0.0, 1.0) for _ in range(8)]))
    strategy = started(space, population_size=40)
    everything = np.empty((0, 2))
    for i in range(100):
        rows = strategy.ask(40)
        x = rows.floats
        g = 1 + 9 * x[:, 1:].mean(axis=1)
        values = np.stack([x[:, 0], g * (1 - np.sqrt(x[:, 0] / g))], axis=1)
        strategy.tell(finished(rows, values, first=40 * i))
        everything = np.concatenate([everything, values])
    best = everything[front_ranks(everything) == 0]
    excess = best[:, 1] - (1 - np.sqrt(best[:, 0]))
    assert np.median(excess) < 0.02
    assert np.ptp(best[:, 0]) > 0.9


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"population_size": 1}, "at least 2, got 1"),
        ({"crossover": 1.5}, "crossover is a probability from 0 to 1, got 1.5"),
        ({"mutation": -0.1}, "mutation is a probability from 0 to 1, got -0.1"),
        ({"recombination": "one-point"}, "got 'one-point'.*one_point"),
    ],
)
def test_refuses_impossible_options(options: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        NSGA2(**options)
