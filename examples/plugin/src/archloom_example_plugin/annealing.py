# SPDX-License-Identifier: Apache-2.0
"""A strategy: simulated annealing."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, ClassVar, final

from archloom.contracts import Finished, Genotypes, Objective, State, Strategy
from archloom.errors import ConfigError

__all__ = ["Annealing"]

ACCEPTANCE = 1
"""The attempt number under which acceptance is drawn, apart from the proposals, which draw under 0."""


@final
class Annealing(Strategy):
    """Simulated annealing.

    Each proposal changes one decision of the current architecture. One that is no worse becomes the
    current one; one that is worse by ``d`` does so with probability ``exp(-d / t)``, where trial ``i`` has
    the temperature ``t = temperature * cooling^i``.

    Kirkpatrick, Gelatt, Vecchi: Optimization by Simulated Annealing, Science 220, 1983.

    Args:
        temperature: of the first trial, in units of the objective.
        cooling: factor from one trial to the next, above 0 and up to 1.

    Raises:
        ConfigError: a temperature below zero, or a factor out of range.
    """

    # What it can do beyond one objective over choices: space.mutate changes floats too.
    supports: ClassVar[frozenset[str]] = frozenset({"floats"})

    def __init__(self, *, temperature: float = 0.1, cooling: float = 0.97):
        if temperature < 0.0 or not 0.0 < cooling <= 1.0:
            raise ConfigError(
                "temperature is at least 0 and cooling above 0 and up to 1, "
                f"got temperature={temperature}, cooling={cooling}"
            )
        self._temperature = temperature
        self._cooling = cooling

    def setup(self, space: Any, objectives: Sequence[Objective], seed: int) -> None:
        """Meet the problem, and forget any other."""
        super().setup(space, objectives, seed)
        self._current: Genotypes | None = None
        self._cost = math.inf

    def ask(self, n: int) -> Genotypes:
        """Propose ``n`` points."""
        made = [self._propose(self.n_asked + i) for i in range(n)]
        self.n_asked += n
        return Genotypes.concatenate(made) if made else self.space.sample(0, self.rng(0))

    def tell(self, finished: Finished) -> None:
        """Move, or stay. A trial that failed, or was cut short, moves nothing."""
        for i, number in enumerate(finished.numbers):
            cost = float(finished.values[i, 0]) * self.objectives[0].sign
            if finished.states[i] == State.COMPLETE and self._is_accepted(cost, int(number)):
                self._current, self._cost = finished.genotypes[i], cost

    def _propose(self, proposal: int) -> Genotypes:
        rng = self.rng(proposal)  # the seed and the number of the proposal, and nothing carried along
        return self.space.sample(1, rng) if self._current is None else self.space.mutate(self._current, rng)

    def _is_accepted(self, cost: float, number: int) -> bool:
        temperature = self._temperature * self._cooling**number
        if cost <= self._cost or temperature == 0.0:
            return cost <= self._cost
        return bool(self.rng(number, ACCEPTANCE).random() < math.exp((self._cost - cost) / temperature))
