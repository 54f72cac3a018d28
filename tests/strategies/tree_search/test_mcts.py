"""Monte Carlo tree search: what a rollout does, whom a reward reaches, and what halving lists brings."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pyglove as pg
import pytest

from archloom.contracts import Genotypes, Objective, State
from archloom.errors import ConfigError
from archloom.search_spaces import SearchSpace
from archloom.strategies.tree_search.mcts import MonteCarloTreeSearch
from archloom.testing.strategies import finished

SCORE = [Objective("score", "maximize")]


def letters(n: int = 4) -> SearchSpace:
    return SearchSpace(pg.List([pg.oneof(list("abcde")) for _ in range(n)]))


def started(space: SearchSpace, seed: int = 0, **options: Any) -> MonteCarloTreeSearch:
    strategy = MonteCarloTreeSearch(**options)
    strategy.setup(space, SCORE, seed)
    return strategy


def n_until_top(strategy: MonteCarloTreeSearch, space: SearchSpace, peak: int) -> int:
    """Count the evaluations until one of the three best of 64 values of a smooth hill is met."""
    for i in range(64):
        row = strategy.ask(1)
        distance = abs(int(row.choices[0, 0]) - peak)
        if distance <= 1:
            return i + 1
        strategy.tell(finished(row, [np.exp(-((distance / 16) ** 2))], first=i))
    raise AssertionError("64 values have been proposed, and none was the best")


def test_halving_an_ordered_list_finds_the_top_in_fewer_evaluations() -> None:
    """The flat search tries values in random order: 65 / 4 of them until one of three is met."""
    space = SearchSpace(pg.oneof(list(range(64))))
    peaks = np.random.default_rng(99).integers(1, 63, size=60)
    mean = {}
    for bisect in ("never", "ordered"):
        needed = [
            n_until_top(started(space, seed, bisect=bisect), space, int(peak))
            for seed, peak in enumerate(peaks)
        ]
        mean[bisect] = np.mean(needed)
    assert mean["ordered"] < 9
    assert mean["never"] > 12


def test_every_candidate_is_tried_before_one_is_tried_again() -> None:
    strategy = started(letters())
    first = strategy.ask(5)
    assert sorted(first.choices[:, 0].tolist()) == [0, 1, 2, 3, 4]
    strategy.tell(finished(first, (first.choices[:, 0] == 2).astype(float)))
    second = strategy.ask(5)
    assert (second.choices[:, 0] == 2).sum() >= 2


def test_rewards_draw_proposals_to_the_better_branch() -> None:
    strategy = started(letters(), c=0.1)
    rows = [strategy.ask(1)]
    for i in range(80):
        strategy.tell(finished(rows[-1], [float(rows[-1].choices[0, 0] == 3)], first=i))
        rows.append(strategy.ask(1))
    chosen = Genotypes.concatenate(rows).choices[20:, 0]
    assert (chosen == 3).mean() > 0.8


def test_an_unfinished_batch_spreads() -> None:
    """With nothing known the visits alone decide: all branches are visited evenly."""
    rows = started(letters()).ask(50)
    assert (np.bincount(rows.choices[:, 0]) == 10).all()


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e9])
@pytest.mark.parametrize("reward", ["rank", "range"])
def test_the_scale_of_the_metric_does_not_matter(reward: str, scale: float) -> None:
    def proposals(factor: float) -> list[bytes]:
        strategy, keys = started(letters(), reward=reward), []
        for i in range(30):
            row = strategy.ask(1)
            keys += row.keys()
            strategy.tell(finished(row, [factor * float(row.choices.sum())], first=i))
        return keys

    assert proposals(scale) == proposals(1.0 if reward == "rank" else scale * 2.0)


def test_what_was_enqueued_is_learned_from_and_never_proposed() -> None:
    space = letters(2)
    strategy = started(space, c=0.05)
    enqueued = Genotypes(np.array([[3, 0], [3, 1], [1, 0], [2, 0]], dtype=np.int16), np.empty((4, 0)))
    strategy.tell(finished(enqueued, [9.0, 9.0, 0.0, 0.0]))
    rows = strategy.ask(12)
    assert not set(rows.keys()) & set(enqueued.keys())
    assert (rows.choices[5:, 0] == 3).sum() == 2  # and then it is used up
    assert (rows.choices[5:7, 0] == 3).all()


def test_failures_and_broken_constraints_are_the_worst() -> None:
    strategy = started(letters(), c=0.1)
    rows = strategy.ask(5)
    states = (State.FAIL, State.COMPLETE, State.COMPLETE, State.FAIL, State.PRUNED)
    values = [99.0, 5.0, 0.1, np.nan, np.nan]
    strategy.tell(finished(rows, values, states=states, violations=[0, 2, 0, 0, 1]))
    assert strategy.ask(1).choices[0, 0] == rows.choices[2, 0]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"c": -1.0}, "at least 0, got -1.0"),
        ({"c": float("nan")}, "got nan"),
        ({"c": float("inf")}, "got inf"),
        ({"reward": "z"}, "rank, range or value, got 'z'"),
        ({"bisect": "yes"}, "ordered, never or always, got 'yes'"),
    ],
)
def test_refuses_impossible_options(options: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(words)):
        MonteCarloTreeSearch(**options)
