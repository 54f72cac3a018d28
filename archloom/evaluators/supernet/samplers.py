# SPDX-License-Identifier: Apache-2.0
"""Which networks of a supernet are trained in a step.

A sampler draws the rows of one step from a generator of that step's own, so that training can go on from any
epoch.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, TypeAlias, final

import numpy as np
from torch import Tensor

from archloom.contracts import Genotypes, Metrics, SharedRun
from archloom.errors import ConfigError
from archloom.evaluators.networks import Shaped
from archloom.registry import Registry
from archloom.search_spaces import SearchSpace
from archloom.search_spaces.points import ChoicePoint, walk
from archloom.search_spaces.sites import sites

__all__ = [
    "SAMPLERS",
    "OrderedPaths",
    "PathCounts",
    "PathSampler",
    "SandwichPaths",
    "Score",
    "UniformPaths",
    "check_paths",
]

Score: TypeAlias = Callable[[Genotypes], Sequence[Metrics]]
"""Scores networks by the weights as they are."""


class PathSampler(ABC):
    """Draws the networks that a step of training passes a batch through. Write ``draw``.

    One that learns overrides ``start``, ``learn``, ``state`` and ``restore``, too.
    """

    space: SearchSpace

    def setup(self, space: SearchSpace, shape: Shaped) -> None:
        """Meet the space, and what its networks must fit; called once, before training.

        Raises:
            ArchloomError: the sampler does not fit it.
        """
        del shape
        self.space = space

    def start(self, run: SharedRun) -> None:
        """Begin a training.

        Raises:
            ArchloomError: the run lacks what the sampler needs.
        """
        del run

    @abstractmethod
    def draw(self, rng: np.random.Generator) -> Genotypes:
        """Return the rows of one step, ``g x d``: the loss is the mean over them."""

    def learn(self, score: Score) -> None:
        """Learn from the weights, after an epoch; by default nothing."""
        del score

    def state(self) -> dict[str, Tensor]:
        """Return what was learned, for a checkpoint."""
        return {}

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Take back what ``state`` returned, after ``start``."""
        del state


@final
class UniformPaths(PathSampler):
    """One network a step, drawn uniformly (Guo et al., "Single path one-shot", ECCV 2020, arXiv:1904.00420).

    Args:
        n_paths: how many networks a step.
        uniform_over: ``decisions`` gives each candidate of a choice the same chance, as the paper does;
            ``architectures`` gives each architecture the same.
    """

    def __init__(
        self, *, n_paths: int = 1, uniform_over: Literal["decisions", "architectures"] = "decisions"
    ):
        check_paths(n_paths, 1)
        if uniform_over not in ("decisions", "architectures"):
            raise ConfigError(f"uniform_over is decisions or architectures, got {uniform_over!r}")
        self._n_paths = n_paths
        self._over: Literal["decisions", "architectures"] = uniform_over

    def draw(self, rng: np.random.Generator) -> Genotypes:
        """Draw."""
        return self.space.sample(self._n_paths, rng, uniform_over=self._over)


@final
class SandwichPaths(PathSampler):
    """The largest network, the smallest, and some between (Yu and Huang, ICCV 2019, arXiv:1903.05134).

    Largest and smallest are so in every choice among numbers; other choices are drawn.

    Args:
        n_paths: how many networks a step, the two included.
    """

    def __init__(self, *, n_paths: int = 4):
        check_paths(n_paths, 2)
        self._n_paths = n_paths

    def setup(self, space: SearchSpace, shape: Shaped) -> None:
        """Find the choices among numbers."""
        super().setup(space, shape)
        self._sizes = _sizes(space, "sandwich")

    def draw(self, rng: np.random.Generator) -> Genotypes:
        """Draw."""
        rows = self.space.sample(self._n_paths, rng, uniform_over="decisions")
        for column, order in self._sizes:
            for row, choice in ((0, order[-1]), (1, order[0])):
                if rows.choices[row, column] >= 0:
                    rows.choices[row, column] = choice
        return rows


@final
class OrderedPaths(PathSampler):
    """Nested networks: the first share of every width and depth ("SortedNet", arXiv:2309.00255).

    A network of the order has the same rank in every choice among numbers. The largest is always trained, the
    others are drawn; other choices are drawn once a step.

    Args:
        n_paths: how many networks a step, the largest included.
    """

    def __init__(self, *, n_paths: int = 2):
        check_paths(n_paths, 1)
        self._n_paths = n_paths

    def setup(self, space: SearchSpace, shape: Shaped) -> None:
        """Find the choices among numbers."""
        super().setup(space, shape)
        self._sizes = _sizes(space, "ordered")
        self._n_ranks = max(len(order) for _, order in self._sizes)

    def draw(self, rng: np.random.Generator) -> Genotypes:
        """Draw."""
        rows = self.space.sample(1, rng, uniform_over="decisions")[[0] * self._n_paths]
        shares = np.append(1.0, (rng.integers(self._n_ranks, size=self._n_paths - 1) + 1) / self._n_ranks)
        for column, order in self._sizes:
            places = np.ceil(shares * len(order)).astype(int) - 1
            is_active = rows.choices[:, column] >= 0
            rows.choices[:, column] = np.where(is_active, np.asarray(order)[places], -1)
        return rows


@final
class PathCounts(PathSampler):
    """Sums of as many paths one time as another (Chu et al., "MixPath", ICCV 2023, arXiv:2001.05887).

    Where a choice is among lists, how many are in the list is drawn first, then which; other choices are
    drawn uniformly.
    """

    def setup(self, space: SearchSpace, shape: Shaped) -> None:
        """Find the choices among lists."""
        super().setup(space, shape)
        self._counts = _counts(space)

    def draw(self, rng: np.random.Generator) -> Genotypes:
        """Draw."""
        rows = self.space.sample(1, rng, uniform_over="decisions")
        for column, by_count in self._counts:
            if rows.choices[0, column] >= 0:
                rows.choices[0, column] = rng.choice(by_count[rng.integers(len(by_count))])
        return rows


SAMPLERS = Registry(
    "samplers",
    {
        "cost_bins": "archloom.evaluators.supernet.cost_bins:CostBins",
        "ordered": f"{__name__}:OrderedPaths",
        "path_count": f"{__name__}:PathCounts",
        "sandwich": f"{__name__}:SandwichPaths",
        "strategy": "archloom.evaluators.supernet.strategy_paths:StrategyPaths",
        "uniform": f"{__name__}:UniformPaths",
    },
)
"""Sampler name to class; plug-ins add names through the entry-point group ``archloom.samplers``."""


def check_paths(n_paths: int, least: int) -> None:
    """Check how many networks a step trains.

    Raises:
        ConfigError: too few.
    """
    if n_paths < least:
        raise ConfigError(f"n_paths must be at least {least}; got {n_paths}")


def _sizes(space: SearchSpace, sampler: str) -> list[tuple[int, list[int]]]:
    """Return the columns of choices among numbers, each with its candidates from the least to the largest."""
    found = []
    for point in walk(space.network_points):
        if isinstance(point, ChoicePoint) and point.k == 1 and all(map(_is_number, point.labels)):
            numbers = [float(label) for label in point.labels]
            order = sorted(range(len(numbers)), key=numbers.__getitem__)
            if any(
                isinstance(child, ChoicePoint) for slot in point.children for each in slot for child in each
            ):
                continue
            found.append((point.columns[0], order))
    if not found:
        raise ConfigError(
            f"the sampler {sampler!r} trains the largest and smaller networks, and this space has no choice "
            "among numbers: use 'uniform'"
        )
    return found


def _counts(space: SearchSpace) -> list[tuple[int, list[list[int]]]]:
    """Return the columns of choices among lists, each with its candidates grouped by length."""
    found = []
    for (path, _), point in sites(space.template, space.network_points):
        if not isinstance(point, ChoicePoint) or point.k > 1:
            continue
        candidates = space.template.value.sym_get(path).candidates
        if all(isinstance(candidate, list) for candidate in candidates):
            groups: dict[int, list[int]] = {}
            for index, candidate in enumerate(candidates):
                groups.setdefault(len(candidate), []).append(index)
            found.append((point.columns[0], list(groups.values())))
    if not found:
        raise ConfigError(
            "the sampler 'path_count' draws how many paths are summed, and this space has no choice among "
            "lists: use 'uniform'"
        )
    return found


def _is_number(label: Any) -> bool:
    try:
        return float(label) == float(label)
    except ValueError:
        return False
