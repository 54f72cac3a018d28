"""Our strategies inside ``pg.sample``."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, ClassVar, final

import numpy as np
import pyglove as pg
import pytest

from archloom.contracts import Finished, Genotypes, State, Strategy
from archloom.errors import ConfigError, SpaceError
from archloom.search_spaces import SearchSpace
from archloom.strategies import Grid, LocalSearch, RandomSearch, RegularizedEvolution
from archloom.strategies.adapters import OptunaStrategy, as_dna_generator
from archloom.strategies.adapters.specification import space_of


def conditional(*, tag: str = "a") -> Any:
    """Every kind of decision, parts that lie deep, and perhaps (tag a) candidates that look alike."""
    return pg.Dict(
        op=pg.oneof(
            [
                pg.Dict(tag="a", k=pg.oneof([1, 3, 5]), lr=pg.floatv(1e-4, 1.0, scale="log")),
                pg.Dict(tag=tag, k=pg.oneof([1, 3, 5]), lr=pg.floatv(1e-4, 1.0, scale="log")),
                "skip",
            ]
        ),
        layers=pg.List([pg.oneof([1, 2]), pg.Dict(width=pg.oneof([8, 16]))]),
        edges=pg.manyof(2, [pg.Dict(x=pg.oneof([1, 2])), "b", "c"], distinct=True, sorted=True),
        rows=pg.manyof(2, [pg.Dict(x=pg.oneof([1, 2])), "b"], distinct=False, sorted=False),
        order=pg.permutate([1, 2, 3]),
    )


@final
class Recording(Strategy):
    """Random, and keeps what it is told."""

    supports: ClassVar[frozenset[str]] = frozenset({"several_objectives"})

    def setup(self, space: Any, objectives: Any, seed: int) -> None:
        super().setup(space, objectives, seed)
        self.told: list[Finished] = []

    def ask(self, n: int) -> Genotypes:
        made = [self.space.sample(1, self.rng(self.n_asked + i)) for i in range(n)]
        self.n_asked += n
        return Genotypes.concatenate(made)

    def tell(self, finished: Finished) -> None:
        self.told.append(finished)


STRATEGIES: dict[str, Callable[[], Strategy]] = {
    "random": RandomSearch,
    "evolution": lambda: RegularizedEvolution(population_size=10, sample_size=5),
    "local": lambda: LocalSearch(n_initial=4),
    "optuna": lambda: OptunaStrategy(n_startup_trials=5),
}


@pytest.mark.parametrize("name", sorted(STRATEGIES))
def test_a_strategy_samples_a_conditional_space(name: str) -> None:
    generator = as_dna_generator(STRATEGIES[name](), seed=1)
    rewards = []
    for example, feedback in pg.sample(conditional(), generator, num_examples=10):
        assert example.edges[1] in ("b", "c")
        assert sorted(example.order) == [1, 2, 3]
        kernel = example.op.k if example.op != "skip" else 0
        rewards.append(float(kernel + example.layers[1].width))
        feedback(rewards[-1])
    assert len(rewards) == 10
    assert generator.num_feedbacks == 10
    assert len(set(rewards)) > 1


def test_a_strategy_learns_from_what_is_fed_back() -> None:
    hyper_value = pg.List([pg.oneof(list(range(10))) for _ in range(3)])
    generator = as_dna_generator(LocalSearch(n_initial=3))
    best = 0.0
    for example, feedback in pg.sample(hyper_value, generator, num_examples=45):
        best = max(best, float(sum(example)))
        feedback(float(sum(example)))
    assert best == 27


@pytest.mark.parametrize(
    "space", [conditional(tag="b"), pg.oneof([1, 2]), pg.List([pg.floatv(0.0, 1.0)] * 3)]
)
def test_a_space_made_of_a_specification_has_the_same_points(space: Any) -> None:
    compiled = SearchSpace(space)
    made = space_of(compiled.dna_spec)
    rows = compiled.sample(30, np.random.default_rng(0))
    again = Genotypes.concatenate([made.from_dna(compiled.to_dna(rows[i])) for i in range(len(rows))])
    assert again.keys() == rows.keys()
    assert made.size == compiled.size
    assert [d.scale for d in made.decisions] == [d.scale for d in compiled.decisions]


def test_a_bare_specification_is_sampled() -> None:
    spec = pg.geno.space(
        [
            pg.geno.oneof([pg.geno.constant(), pg.geno.space([pg.geno.floatv(0.1, 1.0)])]),
            pg.geno.manyof(2, [pg.geno.constant() for _ in range(3)]),
        ]
    )
    numbers = []
    for dna, feedback in pg.sample(spec, as_dna_generator(RandomSearch()), num_examples=12):
        spec.validate(dna)
        numbers.append(len(dna.to_numbers()))
        feedback(1.0)
    assert set(numbers) == {3, 4}


def test_a_traced_program_and_a_part_of_a_space_are_sampled() -> None:
    def program() -> Any:
        return pg.oneof([1, 2]) + pg.oneof([10, 20])

    totals = set()
    for example, feedback in pg.sample(pg.hyper.trace(program), as_dna_generator(Grid())):
        with example():
            totals.add(program())
        feedback(0.0)
    assert totals == {11, 12, 21, 22}
    part = pg.Dict(x=pg.oneof([1, 2]), y=pg.oneof([3, 4], name="later"))
    examples = pg.sample(part, as_dna_generator(Grid()), where=lambda one: one.name != "later")
    assert [example.x for example, feedback in examples if feedback(0.0) is None] == [1, 2]


def test_the_strategy_may_see_the_space_that_is_given() -> None:
    space = SearchSpace(conditional(tag="b"))
    strategy = RandomSearch()
    for _, feedback in pg.sample(
        conditional(tag="b"), as_dna_generator(strategy, space=space), num_examples=2
    ):
        feedback(0.0)
    assert strategy.space is space
    with pytest.raises(ConfigError, match="another space"):
        next(pg.sample(pg.oneof([1, 2]), as_dna_generator(RandomSearch(), space=space)))


def test_rewards_are_told_in_their_own_order_and_number() -> None:
    strategy = Recording()
    generator = as_dna_generator(strategy, n_objectives=2)
    space = pg.Dict(a=pg.oneof([1, 2]), b=pg.oneof([3, 4]))
    sampling = pg.sample(space, generator, num_examples=4, metrics_to_optimize=["reward", "speed"])
    for i, (_, feedback) in enumerate(sampling):
        if i == 1:
            feedback.skip()
        else:
            feedback(reward=float(i) if i != 2 else float("nan"), metrics={"speed": 10.0 * i})
    assert [objective.direction for objective in strategy.objectives] == ["maximize"] * 2
    assert [told.numbers.tolist() for told in strategy.told] == [[0], [2], [3]]
    assert [told.states[0] for told in strategy.told] == [State.COMPLETE, State.FAIL, State.COMPLETE]
    assert strategy.told[2].values.tolist() == [[3.0, 30.0]]


def test_sampling_ends_when_nothing_is_left() -> None:
    examples = pg.sample(pg.oneof(["a", "b", "c"]), as_dna_generator(RandomSearch()))
    assert sorted(example for example, feedback in examples if feedback(1.0) is None) == ["a", "b", "c"]


def test_recovers_from_a_history_and_goes_on_the_same() -> None:
    spec = pg.template(conditional()).dna_spec()
    generators = []
    for _ in range(2):
        generators.append(as_dna_generator(RegularizedEvolution(population_size=4, sample_size=2), seed=3))
        generators[-1].setup(spec)
    live, resumed = generators
    history: list[tuple[Any, float | None]] = []
    for i in range(9):
        dna = live.propose()
        live.feedback(dna, float(i % 4))
        history.append((dna, float(i % 4)))
    history.append((live.propose(), None))
    resumed.recover(history[:5])
    resumed.recover(history[5:])
    assert (resumed.num_proposals, resumed.num_feedbacks) == (10, 9)
    for generator in generators:
        generator.feedback(history[-1][0], 9.0)
    assert [resumed.propose() for _ in range(3)] == [live.propose() for _ in range(3)]


def test_refuses_what_the_strategy_cannot_do() -> None:
    with pytest.raises(ConfigError, match="one objective, got n_objectives=2"):
        as_dna_generator(LocalSearch(), n_objectives=2).setup(pg.template(pg.oneof([1, 2])).dna_spec())
    with pytest.raises(ConfigError, match="does not search floats"):
        as_dna_generator(Recording()).setup(pg.template(pg.floatv(0.0, 1.0)).dna_spec())
    with pytest.raises(SpaceError, match="got CustomDecisionPoint"):
        space_of(pg.geno.space([pg.geno.custom()]))


def test_takes_the_options_of_the_class_by_name() -> None:
    assert list(inspect.signature(as_dna_generator).parameters) == [
        "strategy",
        "seed",
        "n_objectives",
        "space",
    ]
