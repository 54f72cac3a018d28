"""Which networks of a supernet are trained in a step."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pyglove as pg
import pytest

from archloom.contracts import SharedRun
from archloom.errors import ArchloomError, ConfigError
from archloom.evaluators.networks import NetworkShape
from archloom.evaluators.supernet import SAMPLERS, PathSampler
from archloom.search_spaces import SearchSpace
from archloom.search_spaces import blueprints as b
from archloom.search_spaces.mixpath import mixpath
from archloom.search_spaces.mlp import mlp
from archloom.strategies import Grid, RandomSearch, RegularizedEvolution

WIDTHS = [4, 16, 8]
SHAPE = NetworkShape((1, 8, 8), 10)


def space() -> SearchSpace:
    layers = [b.Linear(width=pg.oneof(WIDTHS), activation=pg.oneof(["relu", "tanh"])) for _ in range(3)]
    return SearchSpace(b.Sequence([b.Flatten(), *layers]))


def drawn(name: str, n: int = 200, on: SearchSpace | None = None, **options: Any) -> tuple[SearchSpace, Any]:
    on = on or space()
    sampler: PathSampler = SAMPLERS.get(name)(**options)
    sampler.setup(on, SHAPE)
    sampler.start(SharedRun("supernet", strategy=RandomSearch()))
    return on, [sampler.draw(np.random.default_rng((0, step))) for step in range(n)]


def widths(on: SearchSpace, rows: Any) -> list[list[int]]:
    """Return the widths of each row."""
    choices = [on.choices(rows[i]) for i in range(len(rows))]
    return [[int(v) for name, v in row.items() if name.endswith("width")] for row in choices]


@pytest.mark.parametrize("name", SAMPLERS.names())
def test_draws_are_legal_and_follow_their_generator(name: str) -> None:
    for on in (space(), mlp(widths=[8, 16, 32])) if name != "path_count" else (mixpath(),):
        _, rows = drawn(name, on=on)
        assert all(on.is_legal(each).all() for each in rows)
        assert [each.choices.tolist() for each in drawn(name, on=on)[1]] == [r.choices.tolist() for r in rows]


def test_uniform_gives_each_candidate_its_turn() -> None:
    _, rows = drawn("uniform", n=600)
    found = np.concatenate([each.choices for each in rows])
    assert found.shape == (600, 6)
    for column in range(6):
        shares = np.bincount(found[:, column]) / 600
        assert np.abs(shares - 1 / len(shares)).max() < 0.1


def test_a_sandwich_has_the_largest_and_the_smallest() -> None:
    on, rows = drawn("sandwich", n_paths=4)
    for each in rows:
        largest, smallest, *between = widths(on, each)
        assert (largest, smallest, len(between)) == ([16] * 3, [4] * 3, 2)
    assert len({tuple(each.choices[0]) for each in rows}) > 1  # other choices are drawn


def test_ordered_networks_lie_in_one_another() -> None:
    on, rows = drawn("ordered", n_paths=3)
    seen = set()
    for each in rows:
        first, *others = widths(on, each)
        assert first == [16] * 3
        assert all(len(set(row)) == 1 for row in others)
        seen |= {row[0] for row in others}
        choices = [on.choices(each[i]) for i in range(3)]
        assert len({tuple(v for n, v in row.items() if n.endswith("activation")) for row in choices}) == 1
    assert seen == {4, 8, 16}


def test_sums_have_as_many_paths_one_time_as_another() -> None:
    on = mixpath(channels=[8], strides=[1], depth=2, kernels=[3, 5, 7], most=3, expansions=[2])
    _, rows = drawn("path_count", n=600, on=on)
    found = np.concatenate([each.choices for each in rows])
    sizes = np.array([1, 1, 1, 2, 2, 2, 3])[found]
    assert (
        np.abs(np.stack([np.bincount(column, minlength=4)[1:] for column in sizes.T]) / 600 - 1 / 3).max()
        < 0.08
    )
    assert set(found[:, 0]) == set(range(7))


def macs(on: SearchSpace, rows: Any) -> Any:
    """Return what each network multiplies: 64 pixels by the first width, and so on, to 10 classes."""
    chains = [[64, *widths(on, each)[0], 10] for each in rows]
    return np.array([sum(a * b for a, b in pairwise(chain)) for chain in chains])


def test_cheap_networks_are_trained_as_often_as_dear_ones() -> None:
    on, rows = drawn("cost_bins", n=800, n_bins=4)
    found, plain = macs(on, rows), macs(on, drawn("uniform", n=800)[1])
    edges = np.linspace(plain.min(), plain.max(), 5)[1:-1]
    shares, before = (np.bincount(np.searchsorted(edges, c, side="right")) / 800 for c in (found, plain))
    assert np.abs(shares - 0.25).max() < 0.06
    assert before.max() > 0.3


def test_cost_bins_keep_their_limits() -> None:
    on, rows = drawn("cost_bins", n=50, low=700, high=1200)
    assert ((macs(on, rows) >= 700) & (macs(on, rows) <= 1200)).all()
    with pytest.raises(ConfigError, match=r"none takes 1 to 2 multiply-accumulates: they take \d+ to \d+"):
        drawn("cost_bins", low=1, high=2)
    with pytest.raises(ConfigError, match="low must be at most high"):
        SAMPLERS.get("cost_bins")(low=2, high=1)


def strategy_paths(on: SearchSpace, **options: Any) -> Any:
    made: Any = SAMPLERS.get("strategy")(**options)
    made.setup(on, SHAPE)
    made.start(SharedRun("supernet", seed=4, strategy=RegularizedEvolution(population_size=5, sample_size=3)))
    return made


def test_what_a_strategy_proposes_is_trained_and_told() -> None:
    on, rng = space(), np.random.default_rng(0)
    made = strategy_paths(on, n_told=4)

    def score(rows: Any) -> list[dict[str, float]]:
        told.append(len(rows))
        return [{"validation/accuracy": float(sum(widths(on, rows[i])[0]))} for i in range(len(rows))]

    told: list[int] = []
    sums: list[float] = []
    for _ in range(25):
        rows = [made.draw(rng) for _ in range(6)]
        sums.append(float(np.mean([sum(widths(on, each)[0]) for each in rows])))
        made.learn(score)
    assert told == [4] * 25
    assert np.mean(sums[-5:]) > np.mean(sums[:5]) + 5
    other = strategy_paths(on, n_told=4)
    other.restore(made.state())
    for _ in range(3):
        assert other.draw(rng).keys() == made.draw(rng).keys()


def test_a_strategy_without_proposals_leaves_it_to_chance() -> None:
    on = SearchSpace(b.Sequence([b.Flatten(), b.Linear(width=pg.oneof([4, 8]))]))
    made: Any = SAMPLERS.get("strategy")()
    made.setup(on, SHAPE)
    made.start(SharedRun("supernet", strategy=Grid()))
    assert all(len(made.draw(np.random.default_rng(i))) == 1 for i in range(6))
    with pytest.raises(ConfigError, match="the task gives no validation/accuracy: it gives validation/loss"):
        made.learn(lambda rows: [{"validation/loss": 1.0}] * len(rows))
    with pytest.raises(ArchloomError, match="run a study"):
        made.start(SharedRun("supernet"))
    with pytest.raises(ConfigError, match="n_told is 1 or more"):
        SAMPLERS.get("strategy")(n_told=0)


def test_what_is_no_sampler_of_a_space_is_refused() -> None:
    no_numbers = SearchSpace(b.Sequence([b.Flatten(), b.Linear(4, activation=pg.oneof(["relu", "tanh"]))]))
    for name, what in (("sandwich", "numbers"), ("ordered", "numbers"), ("path_count", "lists")):
        with pytest.raises(ConfigError, match=f"{name}.*no choice among {what}: use 'uniform'"):
            drawn(name, on=no_numbers)
    for name, n in (("uniform", 0), ("sandwich", 1), ("ordered", 0)):
        with pytest.raises(ConfigError, match="n_paths must be at least"):
            SAMPLERS.get(name)(n_paths=n)
    with pytest.raises(ConfigError, match="uniform_over is decisions or architectures"):
        SAMPLERS.get("uniform")(uniform_over="paths")
