"""PyGlove's generators as strategies: their randomness, what they are fed, and what resuming promises."""

from __future__ import annotations

import inspect
import random
from collections.abc import Callable
from typing import Any

import numpy as np
import pyglove as pg
import pytest

from archloom import Study
from archloom.contracts import Finished, Genotypes, Objective, State, Strategy
from archloom.errors import ConfigError, UnknownNameError
from archloom.search_spaces import SearchSpace
from archloom.strategies.adapters import PyGloveStrategy, generator_strategy
from archloom.testing.strategies import StrategyContract, finished

SMALL: dict[str, dict[str, Any]] = {
    "hill_climb": {"init_population_size": 4},
    "random": {},
    "regularized_evolution": {"population_size": 5, "tournament_size": 3},
}


def conditional() -> SearchSpace:
    return SearchSpace(
        pg.Dict(
            op=pg.oneof([pg.Dict(k=pg.oneof([1, 3, 5]), lr=pg.floatv(1e-4, 1.0, scale="log")), "skip"]),
            edges=pg.manyof(2, list("abcd"), distinct=True, sorted=True),
        )
    )


def started(generator: Any, space: SearchSpace, n_objectives: int = 1, **options: Any) -> PyGloveStrategy:
    strategy = PyGloveStrategy(generator, **options)
    strategy.setup(space, [Objective(f"m{i}") for i in range(n_objectives)], 0)
    return strategy


def score(rows: Genotypes, m: int = 1) -> Any:
    good = (rows.choices == 0).sum(axis=1).astype(float)
    return np.stack([good, -rows.choices.sum(axis=1)][:m], axis=1)


@pytest.mark.slow
class TestLaws(StrategyContract):
    @pytest.fixture(params=sorted(SMALL))
    def make(self, request: pytest.FixtureRequest) -> Callable[[], Strategy]:
        return lambda: PyGloveStrategy(request.param, **SMALL[request.param])


@pytest.mark.parametrize("name", sorted(SMALL))
def test_resuming_is_exact_with_results_in_any_order(name: str) -> None:
    """Generators of the first kind: what they propose depends on the results told, and on nothing else."""
    space = conditional()
    live, resumed = (started(name, space, **SMALL[name]) for _ in range(2))
    rng = np.random.default_rng(1)
    proposed = [live.ask(3)]
    waiting = [proposed[0][i] for i in range(3)]
    told = []
    for n in range(14):
        rows = live.ask(int(rng.integers(1, 3)))
        proposed.append(rows)
        waiting += [rows[i] for i in range(len(rows))]
        told.append(waiting.pop(int(rng.integers(len(waiting)))))
        live.tell(finished(told[-1], score(told[-1]), first=n))
    history = Genotypes.concatenate(told)
    resumed.recover(Genotypes.concatenate(proposed), finished(history, score(history)))
    assert resumed.ask(3).keys() == live.ask(3).keys()


@pytest.mark.parametrize(
    "generator",
    [
        pg.evolution.nsga2(population_size=3),
        pg.evolution.neat(population_size=3),
        pg.evolution.hill_climb(batch_size=3, init_population_size=2),
        pg.evolution.regularized_evolution(population_size=4, tournament_size=2, seed=7),
        pg.geno.Deduping(pg.evolution.regularized_evolution(population_size=4, tournament_size=2)),
    ],
    ids=["nsga2", "neat", "batches", "own seed", "deduping"],
)
def test_resuming_is_exact_where_each_proposal_is_told_at_once(generator: Any) -> None:
    space = conditional()
    m = 2 if generator.multi_objective else 1
    live = started(generator, space, m)
    rows = [live.ask(1)]
    for n in range(14):
        live.tell(finished(rows[-1], score(rows[-1], m), first=n))
        rows.append(live.ask(1))
    for stop in (1, 7, 14):
        resumed = started(generator, space, m)
        history = Genotypes.concatenate(rows[:stop])
        resumed.recover(history, finished(history, score(history, m)))
        assert resumed.ask(1).keys() == rows[stop].keys()


def test_a_generator_that_resumes_otherwise_goes_on_from_what_is_recorded() -> None:
    """Told late in life and early in the replay, it would have proposed something else: the record holds."""
    space = conditional()
    generator = pg.evolution.hill_climb(batch_size=3, init_population_size=2)
    live = started(generator, space)
    rows = live.ask(9)
    live.tell(finished(rows, score(rows)))
    resumed = started(generator, space)
    resumed.recover(rows, finished(rows, score(rows)))
    best = [pg.evolution.get_fitness(s._generator.population[0]) for s in (live, resumed)]
    assert best[0] == best[1] == score(rows).max()
    assert space.is_legal(resumed.ask(3)).all()


def test_python_randomness_is_as_it_was() -> None:
    space = conditional()
    strategy = started("regularized_evolution", space, population_size=2, tournament_size=2)
    random.seed(5)
    before = random.getstate()
    for n in range(5):
        rows = strategy.ask(1)
        strategy.tell(finished(rows, score(rows), first=n))
    assert random.getstate() == before


def test_what_is_lost_or_foreign_is_not_fed_back() -> None:
    space = conditional()
    strategy = started("regularized_evolution", space, population_size=50)
    rows = strategy.ask(5)
    states = (State.COMPLETE, State.FAIL, State.COMPLETE, State.COMPLETE, State.PRUNED)
    strategy.tell(finished(rows, [1.0, 1.0, np.inf, 1.0, 0.5], states=states, violations=[0, 0, 0, 2, 0]))
    strategy.tell(finished(space.sample(1, np.random.default_rng(9)), [3.0]))
    assert [pg.evolution.get_fitness(dna) for dna in strategy._generator.population] == [1.0, 0.5]


def test_rewards_are_maximised() -> None:
    strategy = PyGloveStrategy("nsga2", population_size=2)
    strategy.setup(conditional(), [Objective("loss", "minimize"), Objective("accuracy")], 0)
    strategy.tell(finished(strategy.ask(1), [[0.25, 0.75]]))
    assert pg.evolution.get_fitness(strategy._generator.population[0]) == (-0.25, 0.75)


def test_sweeping_goes_through_everything_once_and_ends() -> None:
    space = SearchSpace(pg.Dict(op=pg.oneof([pg.Dict(k=pg.oneof([1, 3])), "skip"]), n=pg.permutate([1, 2])))
    strategy = started("sweeping", space)
    rows = strategy.ask(100)
    assert len(rows) == len(set(rows.keys())) == space.size == 6
    assert len(strategy.ask(1)) == 0
    resumed = started("sweeping", space)
    none = Finished(np.empty(0, int), rows[:0], (), np.empty((0, 1)), np.empty(0), ())
    resumed.recover(rows[:4], none)
    assert resumed.ask(9).keys() == rows.keys()[4:]


def test_a_generator_is_copied_and_a_space_of_one_point_searched() -> None:
    generator = pg.evolution.regularized_evolution(population_size=2, tournament_size=2)
    space = SearchSpace(pg.oneof(["x"]))
    strategy = started(generator, space)
    for n in range(5):
        rows = strategy.ask(1)
        assert space.is_legal(rows).all()
        strategy.tell(finished(rows, [1.0], first=n))
    assert generator.dna_spec is None


def test_runs_a_study_with_settings() -> None:
    space = conditional().with_settings({"training": {"lr": pg.floatv(1e-3, 1e-1, scale="log")}})
    study = Study(
        space,
        PyGloveStrategy("hill_climb"),
        lambda a: -abs(np.log10(a.settings["training"]["lr"]) + 2),
        {"m": "maximize"},
    )
    best = study.run(trials=20).best.values[0]
    assert best is not None
    assert best > -0.5


@pytest.mark.parametrize(
    ("generator", "options", "words"),
    [
        ("regularised_evolution", {}, "did you mean 'regularized_evolution'"),
        ("hill_climb", {"batch": 3}, "did you mean 'batch_size'"),
        ("neat", {"seed": 3}, "the study has a seed"),
        ("regularized_evolution", {"population_size": 3}, "no less than"),
        (pg.geno.Random(), {"seed": 3}, "options go with the name"),
        (3, {}, "got 3"),
    ],
)
def test_refuses_what_cannot_be(generator: Any, options: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        PyGloveStrategy(generator, **options)


def test_refuses_a_problem_that_does_not_suit() -> None:
    with pytest.raises(ConfigError, match="has no end"):
        started("sweeping", conditional())
    with pytest.raises(ConfigError, match="one objective, got 2"):
        started("neat", conditional(), 2)
    assert "several_objectives" in PyGloveStrategy("nsga2").supports
    assert "several_objectives" not in PyGloveStrategy("neat").supports


def test_a_generator_by_name_has_its_own_signature() -> None:
    parameters = inspect.signature(generator_strategy("neat")).parameters
    assert parameters["population_size"].annotation is int
    assert parameters["remaining_ratio"].default == 0.6
    assert not {"seed", "mutator"} & parameters.keys()
    assert generator_strategy("nsga2")(population_size=7).supports == {"floats", "several_objectives"}
    with pytest.raises(UnknownNameError, match="did you mean 'neat'"):
        generator_strategy("neet")
