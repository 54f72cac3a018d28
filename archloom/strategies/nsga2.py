# SPDX-License-Identifier: Apache-2.0
"""NSGA-II: a population for a whole Pareto front."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal, final, get_args

import numpy as np

from archloom.contracts import Finished, FloatArray, Genotypes, Objective, State, Strategy
from archloom.errors import ConfigError, did_you_mean
from archloom.seen import Seen
from archloom.strategies.operators import Operators, tournament
from archloom.strategies.sorting import crowded_places

if TYPE_CHECKING:
    from archloom.search_spaces.space import SearchSpace

__all__ = ["NSGA2"]

Recombination = Literal["uniform", "one_point", "two_point"]

N_REDRAWS = 8
"""How often a child that was proposed before is bred anew; then, how often it is mutated further."""


@final
@dataclass(frozen=True, eq=False)
class _Member:
    """A finished trial that may become a parent: its ``1 x d`` row, ``m`` costs and violation."""

    row: Genotypes
    costs: FloatArray
    violation: float


@final
class NSGA2(Strategy):
    """NSGA-II: non-dominated sorting genetic algorithm with crowding distance.

    Generation ``g`` is complete when ``(g + 1) * population_size`` trials have finished. Then the parents
    and what has finished since are sorted into fronts, and the best ``population_size`` are the new parents:
    lower fronts first, and of the front that does not fit as a whole those in the least crowded places.
    A child has two parents, each the winner of a binary tournament by front and crowding; with probability
    ``crossover`` it mixes them, else it begins as the first; then each decision is mutated with probability
    ``mutation``. Until the first generation is complete proposals are random.

    Nobody waits for a generation to end: a proposal takes the parents that are known when it is made. A
    child that was proposed before is bred anew a few times, then mutated further, so that repeats are rare
    while there is something new nearby. Of trials of one architecture the last to finish counts.

    Constraints: whoever breaks them less dominates. A failed trial counts for its generation but is no
    parent; one with a value that is missing or infinite comes after all others that break the constraints
    as much.

    Deb, Pratap, Agarwal, Meyarivan: A Fast and Elitist Multiobjective Genetic Algorithm: NSGA-II, IEEE
    Transactions on Evolutionary Computation 6(2), 2002. There ``population_size`` is 100, for budgets of
    25,000 evaluations; ``crossover`` 0.9 and ``mutation`` one decision in all, as here; one-point crossover
    on bits, and on reals simulated binary crossover and polynomial mutation, both with index 20, as here for
    floats. Choices have no order, so each is by default inherited from either parent with equal chance
    (``uniform``), and a mutated one takes any other candidate.

    Args:
        population_size: parents, finished trials to a generation, and random proposals at the start.
        crossover: probability that a child mixes two parents.
        mutation: probability that a decision is mutated; ``None`` for one over the number of decisions that
            are active and have an alternative.
        recombination: ``uniform``, or ``one_point`` or ``two_point`` along the order of decisions.

    Raises:
        ConfigError: a population below 2, a probability outside ``[0, 1]``, an unknown recombination.

    Example:
        >>> import pyglove as pg
        >>> from archloom import Study
        >>> from archloom.search_spaces import SearchSpace
        >>> space = SearchSpace(pg.List([pg.oneof([0, 1, 2, 3]) for _ in range(4)]))
        >>> def measure(a):
        ...     return {"gain": sum(a.value), "price": sum(v**2 for v in a.value)}
        >>> objectives = {"gain": "maximize", "price": "minimize"}
        >>> study = Study(space, NSGA2(population_size=10), measure, objectives)
        >>> front = study.run(trials=150).pareto
        >>> sorted({trial.values for trial in front})[:3]
        [(0.0, 0.0), (1.0, 1.0), (2.0, 2.0)]
    """

    supports: ClassVar[frozenset[str]] = frozenset({"several_objectives", "constraints", "floats"})

    space: SearchSpace

    def __init__(
        self,
        *,
        population_size: int = 50,
        crossover: float = 0.9,
        mutation: float | None = None,
        recombination: Recombination = "uniform",
    ):
        if population_size < 2:
            raise ConfigError(f"population_size is a whole number of at least 2, got {population_size}")
        if not 0.0 <= crossover <= 1.0:
            raise ConfigError(f"crossover is a probability from 0 to 1, got {crossover}")
        if mutation is not None and not 0.0 <= mutation <= 1.0:
            raise ConfigError(f"mutation is a probability from 0 to 1, got {mutation}")
        if recombination not in get_args(Recombination):
            kinds = get_args(Recombination)
            raise ConfigError(
                f"recombination is uniform, one_point or two_point, got {recombination!r}"
                f"{did_you_mean(str(recombination), kinds)}"
            )
        self._population_size = population_size
        self._crossover = crossover
        self._mutation = mutation
        self._recombination = recombination

    @property
    def n_startup(self) -> int:
        """The first generation, which is random."""
        return self._population_size

    def setup(self, space: Any, objectives: Sequence[Objective], seed: int) -> None:
        """Meet the problem; nobody is alive yet."""
        super().setup(space, objectives, seed)
        self._operators = Operators(self.space)
        self._signs = np.array([objective.sign for objective in self.objectives])
        self._seen = Seen()
        self._n_told = 0
        self._members: dict[bytes, _Member] = {}
        """The parents, then those who finished after them."""
        self._parents = self.space.sample(0, self.rng(0))
        self._places = np.empty(0, dtype=np.intp)

    # ------------------------------------------------------------------ selection

    def tell(self, finished: Finished) -> None:
        """Take in finished trials; every ``population_size`` of them make a generation."""
        costs = finished.values * self._signs
        costs = np.where(np.isfinite(costs).all(axis=1)[:, None], costs, np.inf)
        for i, key in enumerate(finished.genotypes.keys()):
            self._seen.add(key)
            if finished.states[i] != State.FAIL:
                self._members[key] = _Member(finished.genotypes[i], costs[i], float(finished.violations[i]))
            self._n_told += 1
            if self._n_told % self._population_size == 0:
                self._select()

    def _select(self) -> None:
        """Let the best of parents and children be the new parents."""
        if not self._members:
            return
        members = list(self._members.items())
        costs = np.stack([member.costs for _, member in members])
        places = crowded_places(costs, np.array([member.violation for _, member in members]))
        survivors = places.argsort(kind="stable")[: self._population_size]
        self._members = dict(members[i] for i in survivors)
        self._parents = Genotypes.concatenate([member.row for member in self._members.values()])
        self._places = places[survivors]

    # ------------------------------------------------------------------ variation

    def ask(self, n: int) -> Genotypes:
        """Propose ``n`` points."""
        made = [self._propose(self.n_asked + i) for i in range(n)]
        self.n_asked += n
        return Genotypes.concatenate(made) if made else self.space.sample(0, self.rng(0))

    def recover(self, proposed: Genotypes, finished: Finished) -> None:
        """Rebuild the state: what was proposed is remembered, what has finished makes the generations."""
        super().recover(proposed, finished)
        for key in proposed.keys():  # noqa: SIM118 - these are rows, and no mapping
            self._seen.add(key)

    def _propose(self, proposal: int) -> Genotypes:
        """Return a child that was not proposed before, where that comes easily."""
        child = self._breed(self.rng(proposal))
        key = child.keys()[0]
        attempt = 0
        while key in self._seen and attempt < 2 * N_REDRAWS and self._has_news():
            attempt += 1
            rng = self.rng(proposal, attempt)
            child = self._breed(rng) if attempt <= N_REDRAWS else self._operators.mutate_one(child, rng)
            key = child.keys()[0]
        self._seen.add(key)
        return child

    def _has_news(self) -> bool:
        return self.space.size is None or len(self._seen) < self.space.size

    def _breed(self, rng: np.random.Generator) -> Genotypes:
        """Return a child of two tournament winners; a random point where there are no parents."""
        if not len(self._parents):
            return self.space.sample(1, rng)
        first, second = tournament(self._places, 2, rng)
        child = self._parents[int(first)]
        if rng.random() < self._crossover:
            child = self._recombine(child, self._parents[int(second)], rng)
        return self._operators.mutate_each(child, rng, probability=self._mutation)

    def _recombine(self, a: Genotypes, b: Genotypes, rng: np.random.Generator) -> Genotypes:
        a, b = self._operators.blend(a, b, rng)
        if self._recombination == "uniform":
            return self._operators.uniform(a, b, rng)
        return self._operators.cut(a, b, rng, n_cuts=1 if self._recombination == "one_point" else 2)
