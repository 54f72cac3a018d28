# SPDX-License-Identifier: Apache-2.0
"""The separate flow: one group after the other, the rest held."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from typing import Any, ClassVar, final

from archloom.contracts import Finished, Genotypes, Objective
from archloom.errors import ConfigError
from archloom.strategies.flows.diary import Places
from archloom.strategies.flows.flow import (
    HOLD,
    SMALL_EVOLUTION,
    Flow,
    Stage,
    at_most,
    check_counts,
    check_part,
    shared_support,
)
from archloom.strategies.flows.given import Given, strategy_of
from archloom.strategies.flows.groups import Groups, checked_groups, divided
from archloom.strategies.flows.nested import Nested
from archloom.strategies.flows.worth import Best

__all__ = ["SeparateFlow"]


@final
class SeparateFlow(Flow):
    """Search one group of decisions while the others are held, then the next one.

    The groups take turns. In its turn a group is searched by a fresh strategy; all other decisions are held
    as they are in the best architecture that is known when the turn begins (in the very first turn: in a
    random one). After the last group the first has its turn again, so that a budget of one round is the
    separate flow of the paper, and more rounds are a coordinate descent. It is quick where the groups have
    little to do with each other, and stuck where they do.

    Peng, Dong, Real, Tan, Lu, Bender, Liu, Kraft, Liang, Le: PyGlove: Symbolic Programming for Automated
    Machine Learning, NeurIPS 2020, arXiv:2101.08809 (search flows).

    Args:
        groups: lists of decisions, each by its name or by a leading path (``stem`` for all of
            ``stem.kernel``, ``stem.width``), in the order of their turns; or such lists by a name of their
            own. Decisions in none of them are the last group. By default the first half of the decisions,
            and the second.
        strategy: searches a group: a name, or ``{name: ..., option: value}`` as in a study file.
        n_each: proposals that a group makes in its turn, or a list of these, one number a group. A group has
            no more in a turn than it has points.

    Raises:
        UnknownNameError: there is no strategy of that name.
        ConfigError: an option that the strategy does not have, a count below one, or groups that are no lists
            of names.

    Example:
        >>> import pyglove as pg
        >>> from archloom import Study
        >>> from archloom.search_spaces import SearchSpace
        >>> space = SearchSpace(pg.Dict(a=pg.oneof(list(range(9))), b=pg.oneof(list(range(9)))))
        >>> flow = SeparateFlow(groups=[["b"], ["a"]], strategy="random", n_each=9)
        >>> study = Study(space, flow, lambda x: x.value.a + x.value.b, {"score": "maximize"})
        >>> study.run(trials=18).best.values
        (16.0,)
    """

    supports: ClassVar[frozenset[str]] = frozenset({"constraints", "floats"})

    def __init__(
        self,
        *,
        groups: Groups | None = None,
        strategy: Given = SMALL_EVOLUTION,
        n_each: int | Sequence[int] = 100,
    ):
        self._groups = checked_groups(groups)
        self._strategy = strategy_of(strategy, "strategy")
        self._n_each = [n_each] if isinstance(n_each, int) else list(n_each)
        check_counts(**{"n_each": min(self._n_each, default=0)})
        self.supports = shared_support(self._strategy)  # type: ignore[misc]

    @property
    def n_startup(self) -> int:
        """Those of the strategy in the first turn."""
        return self._strategy.n_startup

    def setup(self, space: Any, objectives: Sequence[Objective], seed: int) -> None:
        """Meet the problem.

        Raises:
            SpaceError: a group names what is no decision, or there are fewer than two groups.
            ConfigError: not as many counts as groups, or a group that the strategy cannot search.
        """
        super().setup(space, objectives, seed)
        parts = divided(space, self._groups)
        counts = self._n_each * len(parts) if len(self._n_each) == 1 else self._n_each
        if len(counts) != len(parts):
            raise ConfigError(f"n_each has a number for each of {len(parts)} groups, got {counts}")
        for part in parts:
            check_part(self._strategy, part, "strategy")
        self._parts = [part for part in parts if part.names] or parts[:1]
        turns = [at_most(n, part) for n, part in zip(counts, self._parts, strict=False)]
        self._turns = list(zip(accumulate(turns, initial=0), turns, strict=False))
        self._round = sum(turns)
        self._best = Best(self.objectives[0].sign)

    def _stage(self, proposal: int) -> Stage:
        n_rounds, place = divmod(proposal, self._round)
        turn = max(i for i, (first, _) in enumerate(self._turns) if first <= place)
        first, n = self._turns[turn]
        return Stage(n_rounds * len(self._parts) + turn, n_rounds * self._round + first, n)

    def _enter(self, stage: Stage) -> Nested:
        part = self._parts[stage.number % len(self._parts)]
        return self._on(part, self._strategy, self._held(stage), stage)

    def _held(self, stage: Stage) -> Genotypes:
        """Return the architecture that all but the turn's group is held at."""
        if stage.first in self._diary.rows:
            return self._diary.rows[stage.first]
        return self._best.row or self.space.sample(1, self.rng(stage.first, HOLD))

    def _learn(self, places: Places, finished: Finished) -> None:
        self._best.learn(finished)
