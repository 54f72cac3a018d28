"""The tree: one node a rollout, rewards for those on the way, UCT."""

from __future__ import annotations

import math

import numpy as np

from archloom.strategies.tree_search.tree import ROOT, Tree


def chosen(tree: Tree, moves: list[int], c: float, n: int = 40) -> set[int]:
    return {tree.choose(ROOT, moves, c, np.random.default_rng(seed)) for seed in range(n)}


def test_each_rollout_adds_one_node() -> None:
    tree = Tree()
    ends = [tree.add([0, 1, 1]), tree.add([0, 1, 0]), tree.add([0, 1, 0]), tree.add([1, 1, 1])]
    assert len(set(ends)) == 4
    assert len(tree) == 5
    assert tree.end([0, 1, 0, 7]) == ends[2]
    assert tree.end([0, 0]) == ends[0]
    assert tree.child(ends[0], 1) == ends[1]
    assert tree.child(ROOT, 2) is None


def test_a_way_that_ends_in_the_tree_adds_nothing() -> None:
    tree = Tree()
    first = tree.add([0])
    assert tree.add([0]) == first
    assert len(tree) == 2


def test_what_was_never_tried_comes_first() -> None:
    tree = Tree()
    tree.learn([tree.add([0])], np.array([1.0]))
    assert chosen(tree, [0, 1, 2], c=0.0) == {1, 2}


def test_uct() -> None:
    """Means 0.6 and 0.5 after three visits and one: the bonus of the second is greater by the formula."""
    tree = Tree()
    ends = [tree.add([0, i]) for i in range(3)] + [tree.add([1])]
    tree.learn(ends, np.array([0.5, 0.6, 0.7, 0.5]))
    turn = 0.1 / (math.sqrt(2 * math.log(4)) * (1 - math.sqrt(1 / 3)))
    assert chosen(tree, [0, 1], c=0.99 * turn) == {0}
    assert chosen(tree, [0, 1], c=1.01 * turn) == {1}


def test_equals_are_drawn() -> None:
    tree = Tree()
    tree.learn([tree.add([move]) for move in range(3)], np.array([0.5, 0.5, 0.1]))
    assert chosen(tree, [0, 1, 2], c=0.3) == {0, 1}


def test_a_visit_without_a_result_keeps_the_mean_and_lessens_the_bonus() -> None:
    tree = Tree()
    ends = [tree.add([0]), tree.add([1])]
    tree.learn(ends, np.array([0.5, 0.5]))
    tree.add([0, 0])
    assert chosen(tree, [0, 1], c=0.0) == {0, 1}
    assert chosen(tree, [0, 1], c=0.3) == {1}


def test_a_node_without_results_has_its_parents_mean() -> None:
    tree = Tree()
    first, second = tree.add([0]), tree.add([1])
    tree.learn([first], np.array([0.8]))
    assert chosen(tree, [0, 1], c=0.0) == {0, 1}
    tree.learn([first, second], np.array([0.8, 0.7]))
    assert chosen(tree, [0, 1], c=0.0) == {0}


def test_guests_are_visits() -> None:
    tree = Tree()
    ends = [tree.add([0]), tree.add([1])]
    tree.learn([*ends, ends[0]], np.array([0.5, 0.5, 0.5]), guests=[ends[0]])
    assert chosen(tree, [0, 1], c=0.3) == {1}


def test_learning_anew_forgets_what_rewards_were() -> None:
    tree = Tree()
    ends = [tree.add([0]), tree.add([1])]
    tree.learn(ends, np.array([1.0, 0.0]))
    tree.learn(ends, np.array([0.0, 1.0]))
    assert chosen(tree, [0, 1], c=0.0) == {1}
