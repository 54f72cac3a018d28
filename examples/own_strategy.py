"""A strategy of your own in under 30 lines, and how it does beside the built-in ones.

Run it: ``python examples/own_strategy.py``. Or: ``search bench examples/nasbenchgraph.yaml -s
own_strategy:OnePlusOne -s random -s local_search``. The problem is NAS-Bench-Graph
(``pip install 'archloom[graphs]'``); any study file with a quick evaluator is one too.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from archloom.bench import Problem, compare, run_all
from archloom.contracts import Finished, Genotypes, Objective, Strategy


class OnePlusOne(Strategy):
    """Change the best architecture known; start with random ones.

    Args:
        n_initial: random proposals at the start.
    """

    def __init__(self, *, n_initial: int = 10):
        self._n_initial = n_initial

    def setup(self, space: Any, objectives: Sequence[Objective], seed: int) -> None:
        """Meet the problem and forget any other."""
        super().setup(space, objectives, seed)
        self._best: Genotypes | None = None
        self._cost = np.inf

    def ask(self, n: int) -> Genotypes:
        """Propose ``n`` points; each draws from a generator of its own, so that runs resume exactly."""
        made = []
        for i in range(self.n_asked, self.n_asked + n):
            if i < self._n_initial or self._best is None:
                made.append(self.space.sample(1, self.rng(i)))
            else:
                made.append(self.space.mutate(self._best, self.rng(i)))
        self.n_asked += n
        return Genotypes.concatenate(made)

    def tell(self, finished: Finished) -> None:
        """Keep the best; a failed trial is no number, and never better."""
        costs = finished.values[:, 0] * self.objectives[0].sign
        for i, cost in enumerate(costs):
            if cost <= self._cost:
                self._best, self._cost = finished.genotypes[i], cost


if __name__ == "__main__":
    file = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).with_name("nasbenchgraph.yaml"))
    n_seeds = int(sys.argv[2]) if len(sys.argv) > 2 else 10
    strategies = ["own_strategy:OnePlusOne", "random", "local_search"]
    curves = run_all([Problem(file, 200)], strategies, range(n_seeds))
    for row in compare(curves, [50, 200], "proposals"):
        score = f"{row.objective:.4f} ± {row.objective_error:.4f}"
        print(f"{row.budget:5.0f}  {row.strategy:25}  {score}  rank {row.rank:.1f}")
