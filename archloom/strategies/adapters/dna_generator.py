# SPDX-License-Identifier: Apache-2.0
"""Our strategies as DNA generators, inside ``pg.sample``."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from typing import Any, final

import numpy as np
import pyglove as pg

from archloom.contracts import Finished, Genotypes, Objective, State, Strategy
from archloom.errors import ConfigError
from archloom.search_spaces.dna import to_numbers
from archloom.search_spaces.space import SearchSpace
from archloom.strategies.adapters.specification import space_of

__all__ = ["ArchloomGenerator", "as_dna_generator"]

NUMBER = "archloom_number"
"""Where a DNA notes the number of its proposal."""


@final
@pg.members(
    [
        ("strategy", pg.typing.Object(Strategy), "Who to try next."),
        ("seed", pg.typing.Int(default=0), "What its randomness comes from."),
        ("n_objectives", pg.typing.Int(min_value=1, default=1), "Numbers in a reward."),
        ("space", pg.typing.Object(SearchSpace).noneable(), "The space that is sampled, compiled."),
    ]
)
class ArchloomGenerator(pg.DNAGenerator):
    """A strategy of ours that proposes to ``pg.sample``.

    It knows the space by its ``DNASpec``, so that it serves any hyper value, a part of one (``where``), a
    traced program and a bare specification; or by the ``SearchSpace`` given, whose names and labels the
    strategy then sees. Rewards are maximised, each number of a tuple as an objective of its own
    (``metrics_to_optimize``); a reward that is not a number is a failed trial. What ``feedback.skip()``
    leaves out the strategy takes for still on its way.

    Args:
        strategy: is set up when sampling begins; one strategy serves one generator at a time.
        seed: of the strategy.
        n_objectives: how many numbers a reward has.
        space: the compiled space; by default one is made from the ``DNASpec``.

    Example:
        >>> from archloom.strategies import RegularizedEvolution
        >>> generator = ArchloomGenerator(RegularizedEvolution(population_size=10, sample_size=5))
        >>> hyper_value = pg.Dict(x=pg.oneof(list(range(10))), y=pg.floatv(0.0, 1.0))
        >>> rewards = []
        >>> for example, feedback in pg.sample(hyper_value, generator, num_examples=30):
        ...     rewards.append(example.x + example.y)
        ...     feedback(rewards[-1])
        >>> max(rewards) > 8
        True
    """

    @property
    def multi_objective(self) -> bool:
        """Whether a reward is a tuple."""
        return bool(self.n_objectives > 1)

    def recover(self, history: Iterable[tuple[Any, Any]]) -> None:
        """Rebuild the strategy's state from proposals with their rewards, ``None`` where one is missing.

        Called again it goes on from what it was told before. Results are taken to have come in the order of
        their proposals: PyGlove knows no other.
        """
        for dna, reward in history:
            self._history.append((self._compiled.from_dna(dna), reward))
            self._num_proposals += 1
            self._num_feedbacks += reward is not None
        if not self._history:
            return
        self._begin()
        self._n_numbers = len(self._history)
        rows = [row for row, _ in self._history]
        told = [(i, row, reward) for i, (row, reward) in enumerate(self._history) if reward is not None]
        self.strategy.recover(Genotypes.concatenate(rows), self._finished(told, like=rows[0]))

    def _setup(self) -> None:
        self._lock = threading.Lock()
        self._history: list[tuple[Genotypes, Any]] = []
        self._compiled = space_of(self.dna_spec) if self.space is None else self.space
        if self.space is not None and pg.ne(self.space.dna_spec, self.dna_spec):
            raise ConfigError(
                "the generator was given another space than the one that is sampled: "
                f"{self.space.dna_spec} and {self.dna_spec}"
            )
        self._refuse_what_does_not_fit()
        self._begin()

    def _refuse_what_does_not_fit(self) -> None:
        name = type(self.strategy).__name__
        if self.multi_objective and "several_objectives" not in self.strategy.supports:
            raise ConfigError(f"{name} is for one objective, got n_objectives={self.n_objectives}")
        if self._compiled.has_floats and "floats" not in self.strategy.supports:
            raise ConfigError(f"{name} does not search floats: use oneof instead of floatv")

    def _begin(self) -> None:
        """Let the strategy meet the problem; nothing has been proposed."""
        names = [f"reward_{i}" for i in range(self.n_objectives)] if self.multi_objective else ["reward"]
        self.strategy.setup(self._compiled, [Objective(name, "maximize") for name in names], self.seed)
        self._n_numbers = 0

    def _propose(self) -> Any:
        with self._lock:
            row = self.strategy.ask(1)
            if not len(row):
                raise StopIteration
            number = self._new_number()
        dna = pg.DNA.from_numbers(to_numbers(self._compiled.points, row), self.dna_spec)
        return dna.set_metadata(NUMBER, number)

    def _feedback(self, dna: Any, reward: Any) -> None:
        row = self._compiled.from_dna(dna)
        with self._lock:
            number = dna.metadata.get(NUMBER)
            told = [(self._new_number() if number is None else number, row, reward)]
            self.strategy.tell(self._finished(told, like=row))

    def _new_number(self) -> int:
        self._n_numbers += 1
        return self._n_numbers - 1

    def _finished(self, told: list[tuple[int, Genotypes, Any]], like: Genotypes) -> Finished:
        """Turn numbers, rows and rewards into what a strategy is told."""
        n = len(told)
        values = np.array([reward for _, _, reward in told], dtype=float).reshape(n, self.n_objectives)
        is_lost = ~np.isfinite(values).all(axis=1)
        return Finished(
            numbers=np.array([number for number, _, _ in told], dtype=np.int64),
            genotypes=Genotypes.concatenate([row for _, row, _ in told]) if told else like[:0],
            states=tuple(State.FAIL if lost else State.COMPLETE for lost in is_lost),
            values=np.where(is_lost[:, None], np.nan, values),
            violations=np.zeros(n),
            fidelity=(None,) * n,
        )


def as_dna_generator(
    strategy: Strategy, *, seed: int = 0, n_objectives: int = 1, space: SearchSpace | None = None
) -> ArchloomGenerator:
    """Return a strategy as a generator for ``pg.sample``; see ``ArchloomGenerator``.

    >>> from archloom.strategies import Grid
    >>> generator = as_dna_generator(Grid())
    >>> [example for example, feedback in pg.sample(pg.oneof(["a", "b"]), generator) if not feedback(0.0)]
    ['a', 'b']
    """
    return ArchloomGenerator(strategy=strategy, seed=seed, n_objectives=n_objectives, space=space)
