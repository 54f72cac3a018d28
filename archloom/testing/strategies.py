# SPDX-License-Identifier: Apache-2.0
"""The laws of a strategy, as a test suite to inherit.

The laws hold on every kind of space: each test that takes a ``space`` runs on all of ``SPACES``.

Example::

    class TestMyStrategy(StrategyContract):
        @pytest.fixture
        def make(self):
            return lambda: MyStrategy(depth=3)
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np
import pyglove as pg
import pytest

from archloom.contracts import Finished, Genotypes, Objective, State, Strategy
from archloom.errors import ConfigError
from archloom.search_spaces import SearchSpace
from archloom.study import Study

__all__ = ["SPACES", "StrategyContract", "finished"]

SCORE = [Objective("score", "maximize")]

SPACES: dict[str, Callable[[], Any]] = {
    "flat": lambda: pg.List([pg.oneof(list("abcde")) for _ in range(6)]),
    "conditional": lambda: pg.Dict(
        op=pg.oneof([pg.Dict(k=pg.oneof([1, 3, 5])), "skip"]), n=pg.oneof(list(range(9)))
    ),
    "nested": lambda: pg.Dict(
        op=pg.oneof(
            [
                pg.Dict(k=pg.oneof([1, 3, 5]), act=pg.oneof(["relu", pg.Dict(slope=pg.oneof([1, 2, 3]))])),
                "skip",
            ]
        ),
        n=pg.oneof(list(range(5))),
    ),
    "groups": lambda: pg.Dict(
        a=pg.manyof(2, list("abcd"), distinct=True, sorted=True),
        b=pg.manyof(3, [pg.Dict(x=pg.oneof([1, 2])), "y"], distinct=False, sorted=True),
        p=pg.permutate([1, 2, 3]),
    ),
    "permutate": lambda: pg.Dict(order=pg.permutate(list("abcd"))),
    "one_point": lambda: pg.Dict(op=pg.oneof(["only"])),
    "floats": lambda: pg.Dict(
        lr=pg.floatv(1e-4, 1.0, scale="log"),
        op=pg.oneof([pg.Dict(rate=pg.floatv(0.0, 0.5)), "none"]),
    ),
}
"""Templates by what is special about them."""
FINITE = [name for name in SPACES if name != "floats"]
N_STALL = 40
"""Proposals that bring nothing new before a study of the suite ends."""


def finished(
    genotypes: Genotypes,
    values: Any,
    *,
    first: int = 0,
    states: tuple[State, ...] | None = None,
    violations: Any = None,
) -> Finished:
    """Make what a strategy is told from rows and their values (``n`` or ``n x m``)."""
    n = len(genotypes)
    return Finished(
        numbers=np.arange(first, first + n),
        genotypes=genotypes,
        states=states or (State.COMPLETE,) * n,
        values=np.asarray(values, dtype=float).reshape(n, -1) if n else np.empty((0, 1)),
        violations=np.zeros(n) if violations is None else np.asarray(violations, dtype=float),
        fidelity=(None,) * n,
    )


def _score(space: SearchSpace, genotypes: Genotypes) -> Any:
    """Count the choices of the first candidate: a smooth problem with a known optimum."""
    return (space.ordinal(genotypes) == 0).sum(axis=1) - np.nan_to_num(genotypes.floats).sum(axis=1)


def _search(strategy: Strategy, space: SearchSpace, n: int, *, start: int = 0) -> list[bytes]:
    keys = []
    for i in range(start, start + n):
        row = strategy.ask(1)
        if not len(row):
            break
        keys += row.keys()
        strategy.tell(finished(row, _score(space, row), first=i))
    return keys


class StrategyContract:
    """Inherit and give a fixture ``make`` that returns a function making fresh strategies.

    Class attributes:
        resumes_ahead: whether it promises to resume exactly also where proposals were on their way; without
            it, where each was told before the next was asked for.
    """

    resumes_ahead: ClassVar[bool] = True

    @pytest.fixture
    def make(self) -> Callable[[], Strategy]:
        """Return a function that makes the strategy under test."""
        raise AssertionError("a strategy's test overrides the fixture `make`")

    @pytest.fixture(params=FINITE)
    def space(self, request: pytest.FixtureRequest) -> SearchSpace:
        """One of ``SPACES``; each that is finite, where a test does not say which."""
        return SearchSpace(SPACES[request.param]())

    def start(self, make: Callable[[], Strategy], space: SearchSpace, seed: int = 0) -> Strategy:
        """Make a strategy and let it meet a problem of one objective."""
        strategy = make()
        strategy.setup(space, SCORE, seed)
        return strategy

    def test_proposes_legal_points(self, make: Callable[[], Strategy], space: SearchSpace) -> None:
        """Law: proposals are points of the space, also after learning, also in batches."""
        strategy = self.start(make, space)
        for i in range(8):
            rows = strategy.ask(5)
            assert space.is_legal(rows).all()
            strategy.tell(finished(rows, _score(space, rows), first=5 * i))

    def test_same_seed_same_proposals(self, make: Callable[[], Strategy], space: SearchSpace) -> None:
        """Law: proposals are a function of seed and history."""
        first = _search(self.start(make, space, seed=3), space, 25)
        again = _search(self.start(make, space, seed=3), space, 25)
        other = _search(self.start(make, space, seed=4), space, 25)
        assert first == again
        assert first != other or space.size == 1

    def test_setup_forgets_the_last_problem(self, make: Callable[[], Strategy], space: SearchSpace) -> None:
        """Law: after ``setup`` a used strategy is as good as new."""
        strategy = self.start(make, space)
        first = _search(strategy, space, 20)
        strategy.setup(space, SCORE, 0)
        assert _search(strategy, space, 20) == first

    def test_resume_equals_never_stopped(self, make: Callable[[], Strategy], space: SearchSpace) -> None:
        """Law: a strategy rebuilt from the history goes on as if it had never stopped."""
        whole = self.start(make, space)
        rows = [whole.ask(1)]
        for i in range(24):
            whole.tell(finished(rows[-1], _score(space, rows[-1]), first=i))
            rows.append(whole.ask(1))
        for stop in (0, 1, 12, 24):
            resumed = self.start(make, space)
            history = (
                Genotypes.concatenate(rows[:stop]) if stop else space.sample(0, np.random.default_rng(0))
            )
            resumed.recover(history, finished(history, _score(space, history)))
            assert resumed.ask(1).keys() == rows[stop].keys()

    def test_resumes_with_proposals_on_their_way(
        self, make: Callable[[], Strategy], space: SearchSpace
    ) -> None:
        """Law: what was proposed and has not finished, in whatever order the rest did, is history too."""
        if not self.resumes_ahead:
            pytest.skip("it promises that only where each proposal is told before the next")
        whole = self.start(make, space)
        proposed = told = space.sample(0, np.random.default_rng(0))
        waiting: list[Genotypes] = []
        for _ in range(4):
            rows = whole.ask(4)
            proposed = Genotypes.concatenate([proposed, rows])
            waiting += [rows[i] for i in range(len(rows))]
            for place in (-1, 0):
                if waiting:
                    row = waiting.pop(place)
                    whole.tell(finished(row, _score(space, row), first=len(told)))
                    told = Genotypes.concatenate([told, row])
        resumed = self.start(make, space)
        resumed.recover(proposed, finished(told, _score(space, told)))
        assert resumed.ask(4).keys() == whole.ask(4).keys()

    def test_leaves_global_randomness_alone(self, make: Callable[[], Strategy], space: SearchSpace) -> None:
        """Law: all randomness comes from ``self.rng``."""
        before = np.random.get_state(legacy=False)["state"]["key"].copy()
        _search(self.start(make, space), space, 10)
        after = np.random.get_state(legacy=False)["state"]["key"]
        assert (after == before).all()

    def test_survives_failures(self, make: Callable[[], Strategy], space: SearchSpace) -> None:
        """Law: FAIL and PRUNED trials, with NaN for values, are data."""
        strategy = self.start(make, space)
        rows = strategy.ask(4)
        states = (State.FAIL, State.PRUNED, State.COMPLETE, State.FAIL)[: len(rows)]
        values, violations = [np.nan, np.nan, 1.0, np.nan][: len(rows)], [0, 2, 0, 0][: len(rows)]
        strategy.tell(finished(rows, values, states=states, violations=violations))
        assert space.is_legal(strategy.ask(4)).all()

    def test_finds_the_optimum_of_a_tiny_problem(self, make: Callable[[], Strategy]) -> None:
        """Quality: the best of 16 points is found in 400 proposals."""
        space = SearchSpace(pg.List([pg.oneof(["x", "y"]) for _ in range(4)]))
        strategy, best = self.start(make, space), space.at([0]).keys()[0]
        assert any(best in _search(strategy, space, 20, start=start) for start in range(0, 400, 20))

    @pytest.mark.parametrize("space", ["one_point", "permutate"], indirect=True)
    def test_ends_a_finite_space_by_itself(self, make: Callable[[], Strategy], space: SearchSpace) -> None:
        """Law: a study of a finite space ends, says why, and evaluates nothing twice.

        A strategy that has nothing left has proposed everything; one that repeats itself is stopped.
        """
        study = Study(space, make(), lambda point: len(point.text), {"score": "maximize"}, n_stall=N_STALL)
        study.run(trials=10_000)
        n_new = len({trial.key for trial in study.trials})
        assert study.n_evaluations == n_new
        if study.stop_reason.startswith("nothing new came"):
            assert 1 <= n_new < (space.size or 0)
        else:
            assert n_new == space.size
            assert study.stop_reason.startswith(("all ", "the strategy has nothing more"))

    def test_several_objectives_if_claimed(self, make: Callable[[], Strategy], space: SearchSpace) -> None:
        """Ability: a strategy that claims several objectives takes two."""
        strategy = make()
        if "several_objectives" not in strategy.supports:
            pytest.skip(f"{type(strategy).__name__} does not claim several_objectives")
        strategy.setup(space, [Objective("a", "maximize"), Objective("b", "minimize")], 0)
        for i in range(4):
            rows = strategy.ask(6)
            score = _score(space, rows)
            strategy.tell(finished(rows, np.stack([score, -score], axis=1), first=6 * i))
        assert space.is_legal(strategy.ask(3)).all()

    @pytest.mark.parametrize("space", ["floats"], indirect=True)
    def test_floats_are_searched_or_refused(self, make: Callable[[], Strategy], space: SearchSpace) -> None:
        """Ability: one that claims floats keeps the laws with them; another is refused before a trial."""
        if "floats" in make().supports:
            self.test_proposes_legal_points(make, space)
            self.test_same_seed_same_proposals(make, space)
            self.test_resume_equals_never_stopped(make, space)
            return
        name = type(make()).__name__
        with pytest.raises(ConfigError, match=f"strategy {name} cannot do floats: choose another strategy"):
            Study(space, make(), lambda point: 1.0, {"score": "maximize"})
