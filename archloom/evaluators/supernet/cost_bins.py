# SPDX-License-Identifier: Apache-2.0
"""Networks of few multiply-accumulates are trained as often as those of many."""

from __future__ import annotations

from typing import final

import numpy as np

from archloom.contracts import Genotypes, SharedRun
from archloom.errors import ConfigError
from archloom.evaluators.costs import count_macs
from archloom.evaluators.networks import Shaped, build_supernet
from archloom.evaluators.supernet.samplers import PathSampler
from archloom.nn.routed import Routing, Supernet
from archloom.search_spaces import SearchSpace

__all__ = ["CostBins"]


@final
class CostBins(PathSampler):
    """One network a step, whose multiply-accumulates are as often in one bin as in another.

    Drawn uniformly, most networks cost about the same, and the cheapest and the dearest are hardly trained. A
    bin of equal width is drawn first, then a network in it, as in the published code of Guo et al. ("Single
    path one-shot", ECCV 2020), which draws until one falls into the bin. Here networks are drawn and counted
    once, before training, and each step takes one of those.

    Args:
        n_bins: how many, between the least cost and the greatest.
        low: leave out networks of fewer multiply-accumulates a sample.
        high: leave out those of more.
        n_drawn: how many networks are counted; all of a space that has no more.

    Raises:
        ConfigError: numbers that do not go together; (in ``start``) no network costs as much.
    """

    def __init__(
        self,
        *,
        n_bins: int = 8,
        low: float | None = None,
        high: float | None = None,
        n_drawn: int = 500,
    ):
        if n_bins < 1 or n_drawn < 1:
            raise ConfigError(f"n_bins and n_drawn must be at least 1; got {n_bins} and {n_drawn}")
        if low is not None and high is not None and low > high:
            raise ConfigError(f"low must be at most high; got {low} and {high}")
        self._n_bins, self._n_drawn = n_bins, n_drawn
        self._low = -np.inf if low is None else low
        self._high = np.inf if high is None else high

    def setup(self, space: SearchSpace, shape: Shaped) -> None:
        """Meet the space."""
        super().setup(space, shape)
        self._shape = shape

    def start(self, run: SharedRun) -> None:
        """Count networks of the space, and sort them into bins: only a training needs that."""
        del run
        space, shape = self.space, self._shape
        rows, net = self._some(space), build_supernet(space, shape, device="meta")
        costs = np.array([self._macs(net, space.routing(rows[i]), shape) for i in range(len(rows))])
        inside = np.flatnonzero((self._low <= costs) & (costs <= self._high))
        if not len(inside):
            raise ConfigError(
                f"of {len(rows)} networks none takes {self._low:g} to {self._high:g} multiply-"
                f"accumulates: they take {costs.min():g} to {costs.max():g}"
            )
        self._rows, costs = rows[inside], costs[inside]
        edges = np.linspace(costs.min(), costs.max(), self._n_bins + 1)[1:-1]
        bins = np.searchsorted(edges, costs, side="right")
        self._bins = [np.flatnonzero(bins == index) for index in np.unique(bins)]

    def draw(self, rng: np.random.Generator) -> Genotypes:
        """Draw."""
        return self._rows[int(rng.choice(self._bins[rng.integers(len(self._bins))]))]

    def _some(self, space: SearchSpace) -> Genotypes:
        if space.size is not None and space.size <= self._n_drawn:
            return space.enumerate()
        rows = space.sample(self._n_drawn, np.random.default_rng(0), uniform_over="decisions")
        return rows[list(rows.firsts().values())]

    def _macs(self, net: Supernet, routing: Routing, shape: Shaped) -> int:
        net.route(routing)  # nothing is decoded, which takes longer than to count
        return count_macs(net, tuple(shape.input_shape))
