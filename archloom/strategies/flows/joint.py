# SPDX-License-Identifier: Apache-2.0
"""The joint flow: all groups at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, final

from archloom.contracts import Finished, Genotypes, Objective, Strategy
from archloom.strategies.flows.flow import SMALL_EVOLUTION
from archloom.strategies.flows.given import Given, strategy_of

__all__ = ["JointFlow"]


@final
class JointFlow(Strategy):
    """Search all decisions at once: the nested strategy itself, to compare the other flows with.

    Its proposals are those of the strategy alone, under the same seed.

    Peng, Dong, Real, Tan, Lu, Bender, Liu, Kraft, Liang, Le: PyGlove: Symbolic Programming for Automated
    Machine Learning, NeurIPS 2020, arXiv:2101.08809.

    Args:
        strategy: who to try next: a name, or ``{name: ..., option: value}`` as in a study file.

    Raises:
        UnknownNameError: there is no strategy of that name.
        ConfigError: an option that the strategy does not have.

    Example:
        >>> import pyglove as pg
        >>> from archloom import Study
        >>> from archloom.search_spaces import SearchSpace
        >>> space = SearchSpace(pg.Dict(a=pg.oneof(list(range(9))), b=pg.oneof(list(range(9)))))
        >>> study = Study(space, JointFlow(), lambda x: x.value.a + x.value.b, {"score": "maximize"})
        >>> study.run(trials=60).best.values[0] > 13
        True
    """

    supports: ClassVar[frozenset[str]] = frozenset({"several_objectives", "constraints", "floats"})

    def __init__(self, *, strategy: Given = SMALL_EVOLUTION):
        self._strategy = strategy_of(strategy, "strategy")
        self.supports = self._strategy.supports  # type: ignore[misc]

    @property
    def n_startup(self) -> int:
        """Those of the strategy."""
        return self._strategy.n_startup

    def setup(self, space: Any, objectives: Sequence[Objective], seed: int) -> None:
        """Meet the problem."""
        super().setup(space, objectives, seed)
        self._strategy.setup(space, objectives, seed)

    def ask(self, n: int) -> Genotypes:
        """Propose up to ``n`` points."""
        self._strategy.n_asked = self.n_asked
        rows = self._strategy.ask(n)
        self.n_asked = self._strategy.n_asked
        return rows

    def tell(self, finished: Finished) -> None:
        """Have the strategy learn."""
        self._strategy.tell(finished)

    def recover(self, proposed: Genotypes, finished: Finished) -> None:
        """Have the strategy recover."""
        self._strategy.recover(proposed, finished)
        self.n_asked = self._strategy.n_asked
