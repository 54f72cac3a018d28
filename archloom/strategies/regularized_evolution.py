# SPDX-License-Identifier: Apache-2.0
"""Regularized evolution: tournament selection in a population that forgets its oldest."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, final

import numpy as np

from archloom.contracts import Finished, FloatArray, Genotypes, Objective, State, Strategy
from archloom.errors import ConfigError
from archloom.strategies.selection import fittest

__all__ = ["RegularizedEvolution"]


@final
class RegularizedEvolution(Strategy):
    """Regularized (aging) evolution.

    The first ``population_size`` proposals are random. After that each proposal draws
    ``sample_size`` members with replacement, takes the fittest as the parent and changes one of its
    decisions. A finished child joins the population and the oldest member leaves it, however good.

    With several objectives the fittest is a member of the sample that no other dominates, with
    constraints the one that breaks them least (see ``selection.fittest``); chance decides between equals.

    Real, Aggarwal, Huang, Le: Regularized Evolution for Image Classifier Architecture Search,
    AAAI 2019, arXiv:1802.01548 (there ``population_size`` 100, ``sample_size`` 25, no crossover).

    Args:
        population_size: members alive, and the number of random proposals at the start.
        sample_size: members a tournament draws.
        crossover: probability that a child mixes two tournament winners before it is mutated.

    Raises:
        ConfigError: a size below one, or a probability outside ``[0, 1]``.
    """

    supports: ClassVar[frozenset[str]] = frozenset({"several_objectives", "constraints", "floats"})

    def __init__(self, *, population_size: int = 100, sample_size: int = 25, crossover: float = 0.0):
        if population_size < 1 or sample_size < 1:
            raise ConfigError(
                f"population_size and sample_size must be at least 1, got {population_size} and {sample_size}"
            )
        if not 0.0 <= crossover <= 1.0:
            raise ConfigError(f"crossover is a probability from 0 to 1, got {crossover}")
        self._population_size = population_size
        self._sample_size = sample_size
        self._crossover = crossover

    @property
    def n_startup(self) -> int:
        """The first population, which is random."""
        return self._population_size

    def setup(self, space: Any, objectives: Sequence[Objective], seed: int) -> None:
        """Meet the problem; nobody is alive yet."""
        super().setup(space, objectives, seed)
        size = self._population_size
        self._genotypes: list[Genotypes] = []
        self._costs = np.empty((size, len(self.objectives)))
        self._violations = np.empty(size)
        self._signs = np.array([objective.sign for objective in self.objectives])
        self._n_born = 0

    def ask(self, n: int) -> Genotypes:
        """Propose ``n`` points."""
        made = [self._propose(self.n_asked + i) for i in range(n)]
        self.n_asked += n
        return Genotypes.concatenate(made) if made else self.space.sample(0, self.rng(0))

    def tell(self, finished: Finished) -> None:
        """Take the finished trials into the population; a failed one never enters it."""
        costs = np.where(np.isnan(finished.values), np.inf, finished.values * self._signs)
        violations = np.nan_to_num(finished.violations, nan=np.inf, posinf=np.inf)
        for i, state in enumerate(finished.states):
            if state != State.FAIL:
                self._enter(finished.genotypes[i], costs[i], violations[i])

    def _enter(self, genotype: Genotypes, costs: FloatArray, violation: float) -> None:
        """Put a child in the place of the oldest."""
        place = self._n_born % self._population_size
        if place == len(self._genotypes):
            self._genotypes.append(genotype)
        else:
            self._genotypes[place] = genotype
        self._costs[place], self._violations[place] = costs, violation
        self._n_born += 1

    def _propose(self, proposal: int) -> Genotypes:
        rng = self.rng(proposal)
        if proposal < self._population_size or not self._genotypes:
            return self.space.sample(1, rng)
        parent = self._tournament(rng)
        if self._crossover and rng.random() < self._crossover:
            parent = self.space.crossover(parent, self._tournament(rng), rng)
        return self.space.mutate(parent, rng)

    def _tournament(self, rng: np.random.Generator) -> Genotypes:
        # Numbered from the oldest, as they would be in a queue.
        drawn = rng.integers(0, len(self._genotypes), size=self._sample_size)
        oldest = self._n_born % self._population_size if self._n_born > self._population_size else 0
        drawn = (drawn + oldest) % self._population_size
        return self._genotypes[int(drawn[fittest(self._costs[drawn], self._violations[drawn], rng)])]
