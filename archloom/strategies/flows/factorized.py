# SPDX-License-Identifier: Apache-2.0
"""The factorized flow: a search within a search."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, final

from archloom.contracts import Finished, Objective
from archloom.errors import ConfigError
from archloom.strategies.flows.blocks import Blocks
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
from archloom.strategies.flows.nested import Nested, derived_seed

__all__ = ["FactorizedFlow"]


@final
class FactorizedFlow(Flow):
    """Search one group of decisions, and for each of its proposals the other group below it.

    An outer strategy proposes choices of the first group. With these held an inner strategy, fresh each time,
    makes ``n_inner`` proposals of the second group; the best of them is what the outer one is told. An outer
    strategy that has nothing left, having tried each choice once, is passed over: choices are then drawn at
    random, each for another inner search.

    Peng, Dong, Real, Tan, Lu, Bender, Liu, Kraft, Liang, Le: PyGlove: Symbolic Programming for Automated
    Machine Learning, NeurIPS 2020, arXiv:2101.08809 (search flows).

    Args:
        groups: the outer group and, if not simply all the rest, the inner one: lists of decisions, each by
            its name or by a leading path (``stem`` for all of ``stem.kernel``, ``stem.width``); or such lists
            by a name of their own. By default the first half of the decisions, and the second.
        outer: searches the first group: a name, or ``{name: ..., option: value}`` as in a study file.
        inner: searches the second group.
        n_inner: proposals of the second group for each of the first; never more than it has points.

    Raises:
        UnknownNameError: there is no strategy of that name.
        ConfigError: an option that a strategy does not have, a count below one, groups that are no lists of
            names, or one strategy object in both places.

    Example:
        >>> import pyglove as pg
        >>> from archloom import Study
        >>> from archloom.search_spaces import SearchSpace
        >>> space = SearchSpace(pg.Dict(a=pg.oneof(list(range(9))), b=pg.oneof(list(range(9)))))
        >>> flow = FactorizedFlow(groups=[["b"]], outer="random", inner="random", n_inner=9)
        >>> study = Study(space, flow, lambda x: -((x.value.a - x.value.b) ** 2), {"score": "maximize"})
        >>> study.run(trials=9).best.values
        (0.0,)
    """

    supports: ClassVar[frozenset[str]] = frozenset({"constraints", "floats"})

    def __init__(
        self,
        *,
        groups: Groups | None = None,
        outer: Given = SMALL_EVOLUTION,
        inner: Given = SMALL_EVOLUTION,
        n_inner: int = 10,
    ):
        self._groups = checked_groups(groups)
        self._outer, self._inner = strategy_of(outer, "outer"), strategy_of(inner, "inner")
        if self._outer is self._inner:
            raise ConfigError("outer and inner are two strategies, got one object for both")
        check_counts(n_inner=n_inner)
        self._n_inner = n_inner
        self.supports = shared_support(self._outer, self._inner)  # type: ignore[misc]

    @property
    def n_startup(self) -> int:
        """The proposals before either strategy has learned anything."""
        n_inner = self._inner.n_startup
        return n_inner if n_inner < self._n_inner else self._n_inner * self._outer.n_startup

    def setup(self, space: Any, objectives: Sequence[Objective], seed: int) -> None:
        """Meet the problem.

        Raises:
            SpaceError: a group names what is no decision, or there are not two groups.
            ConfigError: a group that its strategy cannot search.
        """
        super().setup(space, objectives, seed)
        self._first, self._second = divided(space, self._groups, n_most=2)
        check_part(self._outer, self._first, "outer")
        check_part(self._inner, self._second, "inner")
        self._n = at_most(self._n_inner, self._second)
        self._blocks = Blocks(self._outer, self._first, self.objectives, derived_seed(seed, 1), self._n)

    def _stage(self, proposal: int) -> Stage:
        block = proposal // self._n
        return Stage(block, block * self._n, self._n)

    def _enter(self, stage: Stage) -> Nested:
        held = self._diary.rows.get(stage.first)
        if held is None:
            row = self._blocks.ask(self._fill(stage.first))
            held = self._first.merge(self.space.sample(1, self.rng(stage.first, HOLD)), row)
        return self._on(self._second, self._inner, held, stage)

    def _learn(self, places: Places, finished: Finished) -> None:
        self._blocks.learn(places, finished)

    def _relearn(self, places: Places, finished: Finished) -> None:
        self._blocks.recover(self._diary, places, finished)
