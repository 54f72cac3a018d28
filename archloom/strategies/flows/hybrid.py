# SPDX-License-Identifier: Apache-2.0
"""The hybrid flow: factorized to find what is worth keeping of one group, then joint."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, final

from archloom.contracts import Finished, Genotypes, Objective
from archloom.errors import ConfigError
from archloom.search_spaces.parts import Shortlist
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

__all__ = ["HybridFlow"]


@final
class HybridFlow(Flow):
    """Search factorized for a while, keep the best choices of the first group, and search the rest jointly.

    First ``n_outer`` blocks as in the factorized flow: choices of the first group, each with ``n_inner``
    proposals of the second below it. Then the first group is cut to a shortlist, the ``n_kept`` choices with
    the best trial below them, and the joint strategy searches the shortlist times the second group to the end
    of the budget. It begins with what is known: it recovers from the trials of the blocks that were kept.
    Many choices tried a little make a better shortlist than few tried at length; what never was tried is not
    on it, so that the best architecture may be lost.

    Where several workers are at it, trials of the blocks may come back when the joint search has begun: the
    shortlist is made anew when they change it.

    Peng, Dong, Real, Tan, Lu, Bender, Liu, Kraft, Liang, Le: PyGlove: Symbolic Programming for Automated
    Machine Learning, NeurIPS 2020, arXiv:2101.08809 (search flows).

    Args:
        groups: the first group and, if not simply all the rest, the second one: lists of decisions, each by
            its name or by a leading path (``stem`` for all of ``stem.kernel``, ``stem.width``); or such lists
            by a name of their own. By default the first half of the decisions, and the second.
        outer: proposes choices of the first group: a name, or ``{name: ..., option: value}`` as in a study
            file.
        inner: searches the second group below each of them.
        joint: searches the shortlist and the second group together.
        n_outer: blocks, that is choices of the first group that are tried.
        n_inner: proposals of the second group in each block; never more than it has points.
        n_kept: choices of the first group on the shortlist.

    Raises:
        UnknownNameError: there is no strategy of that name.
        ConfigError: an option that a strategy does not have, a count below one, groups that are no lists of
            names, or one strategy object in two places.

    Example:
        >>> import pyglove as pg
        >>> from archloom import Study
        >>> from archloom.search_spaces import SearchSpace
        >>> space = SearchSpace(pg.Dict(a=pg.oneof(list(range(9))), b=pg.oneof(list(range(9)))))
        >>> flow = HybridFlow(groups=[["b"]], outer="random", n_outer=9, n_inner=3, n_kept=2)
        >>> study = Study(space, flow, lambda x: x.value.a + x.value.b, {"score": "maximize"})
        >>> study.run(trials=60).best.values[0] > 14
        True
    """

    supports: ClassVar[frozenset[str]] = frozenset({"constraints", "floats"})

    def __init__(
        self,
        *,
        groups: Groups | None = None,
        outer: Given = SMALL_EVOLUTION,
        inner: Given = SMALL_EVOLUTION,
        joint: Given = SMALL_EVOLUTION,
        n_outer: int = 40,
        n_inner: int = 2,
        n_kept: int = 5,
    ):
        self._groups = checked_groups(groups)
        self._outer, self._inner = strategy_of(outer, "outer"), strategy_of(inner, "inner")
        self._joint = strategy_of(joint, "joint")
        if len({id(self._outer), id(self._inner), id(self._joint)}) < 3:
            raise ConfigError("outer, inner and joint are three strategies, got one object for two of them")
        check_counts(n_outer=n_outer, n_inner=n_inner, n_kept=n_kept)
        self._n_outer, self._n_inner, self._n_kept = n_outer, n_inner, n_kept
        self.supports = shared_support(self._outer, self._inner, self._joint)  # type: ignore[misc]

    @property
    def n_startup(self) -> int:
        """The proposals before any of the strategies has learned anything."""
        return min(self._inner.n_startup, self._n_outer * self._n_inner)

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
        check_part(self._joint, self._second, "joint")
        self._n = at_most(self._n_inner, self._second)
        self._blocks = Blocks(
            self._outer, self._first, self.objectives, derived_seed(seed, 1), self._n, self._n_outer
        )
        self._kept: list[bytes] = []

    def _stage(self, proposal: int) -> Stage:
        block = min(proposal // self._n, self._n_outer)
        return Stage(block, block * self._n, self._n if block < self._n_outer else None)

    def _enter(self, stage: Stage) -> Nested:
        return self._enter_joint() if stage.n is None else self._enter_block(stage)

    def _enter_block(self, stage: Stage) -> Nested:
        held = self._diary.rows.get(stage.first)
        if held is None:
            row = self._blocks.ask(self._fill(stage.first))
            held = self._first.merge(self.space.sample(1, self.rng(stage.first, HOLD)), row)
        return self._on(self._second, self._inner, held, stage)

    def _enter_joint(self) -> Nested:
        rows = self._shortlist()
        self._kept = rows.keys()
        short = Shortlist(self.space, self._first, rows, self._second)
        return Nested(
            self._joint, short.space, short.project, short.merge, lambda places, rows: short.holds(rows)
        )

    def _shortlist(self) -> Genotypes:
        """Return the rows of the first group that are kept; what was tried first, where nothing is known."""
        if self._blocks.is_known:
            return self._blocks.best(self._n_kept)
        return self._first.project(self._diary.rows[0])

    def _learn(self, places: Places, finished: Finished) -> None:
        self._blocks.learn(places, finished)
        is_joint = self._now is not None and self._now.n is None
        is_late = is_joint and bool(((places >= 0) & (places < self._n * self._n_outer)).any())
        if is_late and self._shortlist().keys() != self._kept:
            self._now = self._nested = None

    def _relearn(self, places: Places, finished: Finished) -> None:
        self._blocks.recover(self._diary, places, finished)
