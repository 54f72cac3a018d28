# SPDX-License-Identifier: Apache-2.0
"""What flows have in common: stages, each with a nested strategy at work.

Which stage a proposal belongs to follows from its number alone. What is held while a stage lasts can be read
off the first proposal in it, and the nested strategy recovers from what the stage has proposed: so the state
of a flow is its seed and the history, like that of any strategy.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from archloom.contracts import Finished, Genotypes, Objective, Strategy
from archloom.errors import ConfigError
from archloom.search_spaces.parts import Part
from archloom.strategies.flows.diary import Diary, Places
from archloom.strategies.flows.nested import FILL, Nested, derived_seed

if TYPE_CHECKING:
    from archloom.search_spaces.space import SearchSpace

__all__ = [
    "HOLD",
    "SMALL_EVOLUTION",
    "Flow",
    "Stage",
    "at_most",
    "check_counts",
    "check_part",
    "shared_support",
]

HOLD = 1
"""The attempt number under which what is held is drawn, where nothing is known yet."""

SMALL_EVOLUTION = {"name": "regularized_evolution", "population_size": 10, "sample_size": 3}
"""Regularized evolution that learns within the few proposals of a stage."""


class Stage(NamedTuple):
    """Proposals, one after the other, that one nested strategy makes.

    Args:
        number: of the stage, from 0.
        first: number of its first proposal.
        n: of its proposals, ``None`` where it has no end.
    """

    number: int
    first: int
    n: int | None


class Flow(Strategy):
    """A strategy made of strategies. Write ``_stage``, ``_enter`` and, to learn from results, ``_learn``."""

    space: SearchSpace

    def setup(self, space: Any, objectives: Sequence[Objective], seed: int) -> None:
        """Meet the problem; no stage has begun."""
        super().setup(space, objectives, seed)
        self._diary = Diary()
        self._now: Stage | None = None
        self._nested: Nested | None = None

    def ask(self, n: int) -> Genotypes:
        """Propose up to ``n`` points, of one stage."""
        if n < 1:
            return self.space.sample(0, self.rng(self.n_asked))
        stage = self._stage(self.n_asked)
        left = n if stage.n is None else min(n, stage.first + stage.n - self.n_asked)
        rows = self._begin(stage).ask(left, self._fill, self.n_asked)
        is_news = self._diary.propose(self.n_asked, rows)
        self.n_asked += len(rows)
        if not is_news:
            self._start_over()
        return rows

    def tell(self, finished: Finished) -> None:
        """Learn, and have the strategy at work learn."""
        places = self._diary.finish(finished)
        self._learn(places, finished)
        if self._nested is not None:
            self._nested.tell(places, finished)

    def recover(self, proposed: Genotypes, finished: Finished) -> None:
        """Note the history; the stage begins anew, with all that it has seen, when it is asked."""
        self.n_asked = len(proposed)
        self._diary.propose(0, proposed)
        self._relearn(self._diary.finish(finished), finished)

    # ------------------------------------------------------------------ hooks

    @abstractmethod
    def _stage(self, proposal: int) -> Stage:
        """Return the stage of a proposal, a function of its number."""

    @abstractmethod
    def _enter(self, stage: Stage) -> Nested:
        """Return the strategy at work in a stage."""

    def _learn(self, places: Places, finished: Finished) -> None:
        """Learn from results, beside the strategy at work."""

    def _relearn(self, places: Places, finished: Finished) -> None:
        """Learn from the results of the history, which may be none."""
        if len(finished):
            self._learn(places, finished)

    # ------------------------------------------------------------------ stages

    def _begin(self, stage: Stage) -> Nested:
        """Return the strategy at work in a stage, which begins where it has not."""
        if stage == self._now and self._nested is not None:
            return self._nested
        is_new = stage.n is not None and self.n_asked == stage.first
        history = Diary() if is_new else self._diary
        self._now, self._nested = stage, self._enter(stage)
        self._nested.start(self.objectives, derived_seed(self.seed, 0, stage.number), history)
        return self._nested

    def _start_over(self) -> None:
        """Learn anew from the whole history, as after a crash."""
        rows, results = Genotypes.concatenate(list(self._diary.rows.values())), self._diary.results()
        n_asked = self.n_asked
        self.setup(self.space, self.objectives, self.seed)
        if results is not None:
            self.recover(rows, results[1])
        self.n_asked = n_asked

    def _on(self, part: Part, strategy: Strategy, held: Genotypes, stage: Stage) -> Nested:
        """Return a strategy at work on one part in one stage."""
        end = np.inf if stage.n is None else stage.first + stage.n
        return Nested(
            strategy,
            part.space,
            part.project,
            lambda rows: part.merge(held, rows),
            lambda places, rows: (places >= stage.first) & (places < end),
        )

    def _fill(self, proposal: int) -> np.random.Generator:
        return self.rng(proposal, FILL)


def shared_support(*strategies: Strategy) -> frozenset[str]:
    """Return what a flow of some strategies supports.

    Which part of a space has the floats shows when the problem is met (see ``check_part``); what is best of
    several objectives, and so to be held, nobody can say.
    """
    both = frozenset.intersection(*(one.supports for one in strategies))
    either = frozenset.union(*(one.supports for one in strategies))
    return (both - {"several_objectives"}) | (either & {"floats"})


def check_part(strategy: Strategy, part: Part, option: str) -> None:
    """Refuse a strategy that cannot search its part.

    Raises:
        ConfigError: the part has floats, which the strategy cannot do.
    """
    if part.space.has_floats and "floats" not in strategy.supports:
        floats = ", ".join(one.name for one in part.space.decisions if not one.candidates)
        raise ConfigError(
            f"{option}: {type(strategy).__name__} cannot do floats, and its group has {floats}: "
            "choose another strategy, or other groups"
        )


def check_counts(**counts: int) -> None:
    """Refuse a count below one.

    Raises:
        ConfigError: there is one.
    """
    for name, count in counts.items():
        if count < 1:
            raise ConfigError(f"{name} is at least 1, got {count}")


def at_most(n: int, part: Part) -> int:
    """Return how many proposals a part gets: never more than it has points."""
    return n if part.space.size is None else min(n, part.space.size)
