"""Sorting by several objectives: fronts, constraints, crowding; equal, missing and infinite values."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from archloom.contracts import FloatArray
from archloom.strategies.selection import by_fronts, undominated
from archloom.strategies.sorting import crowded_places, crowding_distances, dominance, front_ranks

NUMBERS = st.sampled_from([-np.inf, -1e308, -1.0, -0.0, 0.0, 0.5, 1.0, 2.0, 1e308, np.inf, np.nan])
COSTS = st.integers(1, 3).flatmap(
    lambda m: st.integers(0, 12).flatmap(lambda n: arrays(float, (n, m), elements=NUMBERS))
)


def by_definition(costs: FloatArray, violations: FloatArray) -> list[list[bool]]:
    """Say who dominates whom, pair by pair and in plain words."""
    known = [[float("inf") if c != c else c for c in row] for row in costs.tolist()]
    broken = [float("inf") if v != v else max(v, 0.0) for v in violations.tolist()]

    def dominates(i: int, j: int) -> bool:
        if broken[i] != broken[j]:
            return broken[i] < broken[j]
        pairs = list(zip(known[i], known[j], strict=True))
        return all(a <= b for a, b in pairs) and any(a < b for a, b in pairs)

    return [[dominates(i, j) for j in range(len(known))] for i in range(len(known))]


def peeled(dominates: list[list[bool]]) -> list[int]:
    """Take away front after front."""
    left, ranks, rank = set(range(len(dominates))), [-1] * len(dominates), 0
    while left:
        front = {j for j in left if not any(dominates[i][j] for i in left)}
        for j in front:
            ranks[j] = rank
        left -= front
        rank += 1
    return ranks


@settings(max_examples=150, deadline=None)
@given(costs=COSTS, data=st.data())
def test_fronts_are_those_of_the_definition(costs: FloatArray, data: st.DataObject) -> None:
    violations = data.draw(arrays(float, len(costs), elements=NUMBERS))
    expected = by_definition(costs, violations)
    assert dominance(costs, violations).tolist() == expected
    assert front_ranks(costs, violations).tolist() == peeled(expected)


@settings(max_examples=150, deadline=None)
@given(costs=COSTS, seed=st.integers(0, 99))
def test_distances_are_numbers_and_do_not_depend_on_the_order(costs: FloatArray, seed: int) -> None:
    ranks = front_ranks(costs)
    distances = crowding_distances(costs, ranks)
    assert (distances >= 0).all()
    shuffled = np.random.default_rng(seed).permutation(len(costs))
    again = crowding_distances(costs[shuffled], ranks[shuffled])
    assert sorted(zip(ranks[shuffled], again, strict=True)) == sorted(zip(ranks, distances, strict=True))


def test_without_violations_all_are_feasible() -> None:
    costs = np.random.default_rng(0).random((40, 2))
    assert (front_ranks(costs) == front_ranks(costs, np.zeros(40))).all()


def test_one_objective_ranks_by_value() -> None:
    assert front_ranks(np.array([[3.0], [1.0], [2.0], [1.0]])).tolist() == [2, 0, 1, 0]


def test_the_feasible_come_first_then_the_lesser_violation() -> None:
    costs = np.array([[0.0, 0.0], [9.0, 9.0], [1.0, 1.0]])
    assert front_ranks(costs, np.array([2.0, 0.0, 1.0])).tolist() == [2, 0, 1]


def test_an_unknown_violation_is_the_worst() -> None:
    assert front_ranks(np.zeros((2, 1)), np.array([np.nan, 5.0])).tolist() == [1, 0]


def test_a_chain_of_many_fronts() -> None:
    costs = np.random.default_rng(0).permutation(300)[:, None] * np.ones(2)
    assert (front_ranks(costs) == costs[:, 0]).all()


def test_distances_of_a_front_by_hand() -> None:
    costs = np.array([[0.0, 10.0], [2.0, 6.0], [3.0, 5.0], [10.0, 0.0]])
    expected = [np.inf, 3 / 10 + 5 / 10, 8 / 10 + 6 / 10, np.inf]
    assert crowding_distances(costs, np.zeros(4, dtype=np.intp)) == pytest.approx(expected)


def test_each_front_has_edges_of_its_own() -> None:
    costs = np.array([[0.0, 2.0], [1.0, 1.0], [2.0, 0.0], [1.0, 4.0], [2.0, 3.0], [5.0, 2.0]])
    distances = crowding_distances(costs, front_ranks(costs))
    assert np.isinf(distances).tolist() == [True, False, True, True, False, True]


def test_copies_of_a_member_are_crowded() -> None:
    costs = np.array([[0.0, 2.0], [1.0, 1.0], [1.0, 1.0], [2.0, 0.0], [0.0, 2.0]])
    assert crowding_distances(costs, np.zeros(5, dtype=np.intp)).tolist() == [np.inf, 2.0, 0.0, np.inf, 0.0]


def test_an_objective_that_is_the_same_for_all_does_not_matter() -> None:
    costs = np.array([[0.0, 2.0, 7.0], [1.0, 1.0, 7.0], [2.0, 0.0, 7.0]])
    assert crowding_distances(costs, np.zeros(3, dtype=np.intp)).tolist() == [np.inf, 2.0, np.inf]


def test_an_infinite_cost_leaves_the_others_their_distances() -> None:
    costs = np.array([[0.0, 9.0], [1.0, 6.0], [2.0, 3.0], [4.0, 0.0], [-1.0, np.inf]])
    distances = crowding_distances(costs, np.zeros(5, dtype=np.intp))
    assert np.isinf(distances).tolist() == [True, False, False, True, True]
    assert distances[1] == pytest.approx(2 / 5 + 6 / 9)


def test_places_put_fronts_before_distances_and_equals_together() -> None:
    costs = np.array([[5.0, 5.0], [0.0, 4.0], [1.0, 3.0], [3.0, 2.0], [4.0, 0.0]])
    assert crowded_places(costs).tolist() == [3, 0, 2, 1, 0]
    assert crowded_places(np.ones((3, 2))).tolist() == [0, 1, 1]
    assert crowded_places(np.empty((0, 2))).tolist() == []


def test_many_are_compared_one_after_the_other_with_the_same_result() -> None:
    rng = np.random.default_rng(0)
    costs = rng.integers(0, 30, (700, 3)).astype(float)
    costs[rng.random(700) < 0.1, 0] = np.nan
    few = costs[:200]
    assert (undominated(few) == ~dominance(few).any(axis=0)).all()
    assert (undominated(costs) == ~dominance(costs).any(axis=0)).all()


@given(COSTS, st.data())
@settings(max_examples=300, deadline=None)
def test_the_fittest_come_front_by_front(costs: FloatArray, data: st.DataObject) -> None:
    violations = data.draw(arrays(float, len(costs), elements=NUMBERS))
    n = data.draw(st.integers(1, 13))
    order = np.argsort(front_ranks(costs, violations), kind="stable")
    assert by_fronts(costs, violations, n).tolist() == order[:n].tolist()
