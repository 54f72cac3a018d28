"""Local search: it climbs, restarts, never repeats, and can be rebuilt at any moment."""

from __future__ import annotations

import copy
import re
import zlib
from collections.abc import Callable
from typing import Any

import numpy as np
import pyglove as pg
import pytest

from archloom.contracts import Genotypes, Objective, State, Strategy
from archloom.errors import ConfigError
from archloom.search_spaces import SearchSpace
from archloom.store import Store
from archloom.strategies import Grid, LocalSearch, RandomSearch
from archloom.strategies.neighbourhood import neighbourhood
from archloom.study import Study
from archloom.testing.strategies import StrategyContract, finished

SCORE = [Objective("score", "maximize")]


class TestClimbing(StrategyContract):
    """With the default start the suite's short histories would be mostly random."""

    @pytest.fixture(params=["first", "best"])
    def make(self, request: pytest.FixtureRequest) -> Callable[[], Strategy]:
        return lambda: LocalSearch(n_initial=1, accept=request.param)


def letters(n: int = 6) -> SearchSpace:
    return SearchSpace(pg.List([pg.oneof(list("abcde")) for _ in range(n)]))


def mixed() -> SearchSpace:
    """Conditional, grouped and real decisions together."""
    return SearchSpace(
        pg.Dict(
            op=pg.oneof([pg.Dict(k=pg.oneof([1, 3, 5]), s=pg.floatv(0.0, 1.0)), "skip", "pool"]),
            pair=pg.manyof(2, list("abcd"), distinct=True, sorted=True),
            lr=pg.floatv(1e-4, 1.0, scale="log"),
        )
    )


def started(space: SearchSpace, seed: int = 0, **options: Any) -> LocalSearch:
    strategy = LocalSearch(**options)
    strategy.setup(space, SCORE, seed)
    return strategy


def distance(a: Genotypes, b: Genotypes) -> Any:
    return (a.choices != b.choices).sum(axis=1)


def test_climbs_by_the_first_that_is_better() -> None:
    strategy = started(letters(), n_initial=1)
    start = strategy.ask(1)
    strategy.tell(finished(start, [0.0]))
    strategy.tell(finished(strategy.ask(1), [-1.0], first=1))
    better = strategy.ask(1)
    assert distance(better, start) == 1
    strategy.tell(finished(better, [1.0], first=2))
    assert (distance(strategy.ask(10), better) == 1).all()


def test_climbs_by_the_best_of_all() -> None:
    strategy = started(letters(2), n_initial=1, accept="best")
    start = strategy.ask(1)
    strategy.tell(finished(start, [0.0]))
    rows = strategy.ask(8)
    assert (distance(rows, start) == 1).all()
    strategy.tell(finished(rows[:7], [1.0, 5.0, 2.0, 3.0, -1.0, 0.0, 0.0], first=1))
    strategy.tell(finished(rows[7], [4.0], first=8))
    following = strategy.ask(4)
    assert (distance(following, rows[1]) == 1).all()


@pytest.mark.parametrize("accept", ["first", "best"])
def test_restarts_at_a_local_optimum(accept: str) -> None:
    strategy = started(letters(), n_initial=1, accept=accept)
    start = strategy.ask(1)
    strategy.tell(finished(start, [9.0]))
    for i in range(24):
        row = strategy.ask(1)
        assert distance(row, start) == 1
        strategy.tell(finished(row, [float(-i)], first=i + 1))
    fresh = strategy.ask(1)
    assert distance(fresh, start) > 1
    strategy.tell(finished(fresh, [-99.0], first=25))  # far worse than the optimum, and yet climbed from
    assert distance(strategy.ask(1), fresh) == 1


def test_the_first_climb_starts_from_the_best_of_several() -> None:
    for accept in ("first", "best"):
        strategy = started(letters(), n_initial=5, accept=accept)
        rows = strategy.ask(5)
        strategy.tell(finished(rows, [1, 2, 5, 3, 4]))
        assert (distance(strategy.ask(10), rows[2]) == 1).all()


def test_minimizes_where_told() -> None:
    strategy = LocalSearch(n_initial=3)
    strategy.setup(letters(), [Objective("loss", "minimize")], 0)
    rows = strategy.ask(3)
    strategy.tell(finished(rows, [9, 1, 2]))
    assert distance(strategy.ask(1), rows[1]) == 1


def test_failures_are_no_ground_to_climb_from_and_feasible_comes_first() -> None:
    strategy = started(letters(), n_initial=3)
    rows = strategy.ask(3)
    states = (State.FAIL, State.PRUNED, State.COMPLETE)
    strategy.tell(finished(rows, [np.nan, np.nan, 0.1], states=states, violations=[0, 3, 1]))
    assert distance(strategy.ask(1), rows[2]) == 1
    only = started(letters(), n_initial=1)
    row = only.ask(1)
    only.tell(finished(row, [np.nan], states=(State.FAIL,)))
    assert distance(only.ask(1), row) > 1


@pytest.mark.parametrize("accept", ["first", "best"])
def test_a_top_that_is_known_is_not_climbed_twice(accept: str) -> None:
    """From a start two steps away the known neighbours lead over to it, and it has been searched already."""
    space, rng = letters(), np.random.default_rng(0)
    top = space.at([0])
    start = space.at([5**6 - 1])
    start.choices[0, 2:] = 0
    around = space.neighbours(top, rng)
    between = space.neighbours(start, rng)
    new = [i for i, key in enumerate(between.keys()) if key not in set(around.keys())]
    parts = [top, around, start] + ([between[new]] if accept == "best" else [])
    history = Genotypes.concatenate(parts)
    values = np.concatenate(
        [[9.0], np.zeros(len(around)), [-1.0], np.full(len(history) - len(around) - 2, -2.0)]
    )
    strategy = started(space, n_initial=1, accept=accept)
    strategy.recover(history, finished(history, values))
    assert (distance(strategy.ask(12), start) > 1).sum() > 6


@pytest.mark.parametrize("accept", ["first", "best"])
@pytest.mark.parametrize("batch", [1, 7])
def test_never_repeats_and_ends(accept: str, batch: int) -> None:
    space = SearchSpace(
        pg.Dict(a=pg.List([pg.oneof(list("abc")) for _ in range(4)]), p=pg.permutate([1, 2, 3]))
    )
    strategy = started(space, n_initial=4, accept=accept)
    keys: list[bytes] = []
    while len(rows := strategy.ask(batch)):
        strategy.tell(finished(rows, np.random.default_rng(len(keys)).random(len(rows)), first=len(keys)))
        keys += rows.keys()
    assert len(keys) == len(set(keys)) == space.size


def test_goes_on_where_most_draws_repeat() -> None:
    space = SearchSpace(pg.oneof([*range(40), pg.List([pg.oneof([0, 1]) for _ in range(24)])]))
    used = [space.at([rank]) for rank in range(40)]
    strategy = started(space)
    history = Genotypes.concatenate(used)
    strategy.recover(history, finished(history, np.zeros(40)))
    assert not set(strategy.ask(50).keys()) & set(history.keys())


class Drive:
    """Asks and tells at random moments, and keeps what a store would."""

    def __init__(self, make: Callable[[], LocalSearch], space: SearchSpace, seed: int):
        self.make, self.space = make, space
        self.rng = np.random.default_rng(seed)
        self.proposed = self.told = space.sample(0, self.rng)
        self.waiting: list[int] = []

    def results(self, rows: Genotypes) -> Any:
        x = self.space.ordinal(rows)
        values = np.sin(7 * x + np.arange(x.shape[1])).sum(axis=1)
        failed = (zlib.crc32(rows[i].keys()[0]) % 11 == 0 for i in range(len(rows)))
        states = tuple(State.FAIL if is_failed else State.COMPLETE for is_failed in failed)
        return finished(rows, values, states=states)

    def step(self, strategy: LocalSearch) -> None:
        """Propose some, or finish some in any order, or finish one that somebody enqueued."""
        lot = self.rng.random()
        if lot < 0.05:
            self.tell(strategy, self.space.sample(1, self.rng))
        elif lot < 0.6 and self.waiting:
            n = int(self.rng.integers(1, len(self.waiting) + 1))
            done = [int(i) for i in self.rng.permutation(self.waiting)[:n]]
            self.waiting = [i for i in self.waiting if i not in done]
            self.tell(strategy, self.proposed[[i for i in done if i % 13]])  # some are never heard of
        else:
            rows = strategy.ask(int(self.rng.integers(1, 6)))
            self.waiting += range(len(self.proposed), len(self.proposed) + len(rows))
            self.proposed = Genotypes.concatenate([self.proposed, rows])

    def tell(self, strategy: LocalSearch, rows: Genotypes) -> None:
        self.told = Genotypes.concatenate([self.told, rows])
        strategy.tell(self.results(rows))

    def resumed(self) -> LocalSearch:
        strategy = self.make()
        strategy.setup(self.space, SCORE, 0)
        strategy.recover(self.proposed, self.results(self.told))
        return strategy


@pytest.mark.parametrize("make_space", [lambda: letters(3), mixed], ids=["flat", "mixed"])
@pytest.mark.parametrize("accept", ["first", "best"])
@pytest.mark.parametrize("seed", range(3))
def test_resumes_exactly_at_any_moment(make_space: Callable[[], SearchSpace], accept: Any, seed: int) -> None:
    """Batches partly told, in any order, trials on their way, trials never heard of."""
    drive = Drive(lambda: LocalSearch(n_initial=3, accept=accept), make_space(), seed)
    strategy = drive.resumed()
    for _ in range(60):
        drive.step(strategy)
        live = copy.deepcopy(strategy, {id(drive.space): drive.space})
        assert drive.resumed().ask(3).keys() == live.ask(3).keys()
    assert len(drive.told) > 40
    assert len(set(drive.proposed.keys())) == len(drive.proposed)


def test_what_was_enqueued_is_climbed_from_and_not_proposed_again() -> None:
    strategy = started(letters(2), n_initial=1)
    strategy.ask(1)
    top = strategy.space.at([7])
    around = strategy.space.neighbours(top, np.random.default_rng(0))
    strategy.tell(finished(Genotypes.concatenate([top, around[:3]]), [9.0, 1.0, 1.0, 1.0]))
    rows = strategy.ask(4)
    assert (distance(rows, top) == 1).all()
    assert not set(rows.keys()) & set(around[:3].keys())


def test_neighbours_of_mixed_spaces() -> None:
    space = mixed()
    a, b = (decision.name for decision in space.decisions if decision.group)
    row = space.from_choices({"op": "skip", "lr": 0.01, a: "a", b: "b"}).genotype
    rows = neighbourhood(space, row, np.random.default_rng(0), 0.1)
    assert space.is_legal(rows).all()
    assert row.keys()[0] not in set(rows.keys())
    column = next(i for i, d in enumerate(d for d in space.decisions if not d.candidates) if d.name == "lr")
    moved = rows.floats[:, column]
    assert (moved != 0.01).sum() == 2
    assert moved.min() < 0.01 < moved.max()
    opened = rows.choices[:, 0] == 0
    assert opened.sum() == 1
    assert len(rows) == 2 + 4 + 2


def test_climbs_floats() -> None:
    space = SearchSpace(pg.Dict(x=pg.floatv(0.0, 1.0), y=pg.floatv(1e-4, 1.0, scale="log")))

    def score(architecture: Any) -> float:
        return float(-((architecture.value.x - 0.3) ** 2) - (np.log10(architecture.value.y) + 2) ** 2)

    def reached(strategy: Strategy) -> float:
        study = Study(space, strategy, score, {"score": "maximize"}).run(trials=150)
        (value,) = study.best.values
        assert value is not None
        return value

    climbed = reached(LocalSearch())
    assert climbed > -1e-3
    assert climbed > reached(RandomSearch())


def test_several_objectives_are_refused_before_the_first_trial() -> None:
    with pytest.raises(ConfigError, match="LocalSearch cannot do several objectives"):
        Study(letters(), LocalSearch(), lambda a: {"a": 1.0, "b": 1.0}, {"a": "maximize", "b": "minimize"})


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"n_initial": 0}, "at least 1, got 0"),
        ({"accept": "worst"}, "first or best, got 'worst'"),
        ({"float_step": 0.0}, "above 0 and up to 1, got 0.0"),
        ({"float_step": float("nan")}, "got nan"),
    ],
)
def test_refuses_impossible_options(options: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(words)):
        LocalSearch(**options)


@pytest.mark.parametrize("make", [LocalSearch, lambda: LocalSearch(n_initial=2, accept="best"), Grid])
def test_a_study_goes_on_as_if_it_had_never_stopped(make: Callable[[], Strategy]) -> None:
    def score(architecture: Any) -> float:
        return float(
            sum(np.sin(3 * i + ord(letter)) for i, letter in enumerate(architecture.choices.values()))
        )

    def study(store: Store) -> Study:
        return Study(letters(4), make(), score, {"score": "maximize"}, store=store, resume=True)

    with Store("sqlite://") as one, Store("sqlite://") as other:
        whole = study(one).run(trials=90, batch_size=4)
        for trials in (7, 33, 34, 90):
            parts = study(other).run(trials=trials, batch_size=4)
        assert [t.choices for t in parts.trials][:90] == [t.choices for t in whole.trials][:90]
        assert parts.n_evaluations == parts.n_proposals == 90
