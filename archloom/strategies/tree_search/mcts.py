# SPDX-License-Identifier: Apache-2.0
"""Monte Carlo tree search over the decisions of a space."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal, final

import numpy as np

from archloom.contracts import ChoiceArray, Finished, Genotypes, Objective, Strategy
from archloom.errors import ConfigError
from archloom.strategies.tree_search.descent import Tracks
from archloom.strategies.tree_search.rewards import Outcomes, check_reward
from archloom.strategies.tree_search.tree import ROOT, Tree
from archloom.strategies.tree_search.unseen import Unseen

if TYPE_CHECKING:
    from archloom.search_spaces.space import SearchSpace

__all__ = ["MonteCarloTreeSearch", "roll_out"]


@final
class MonteCarloTreeSearch(Strategy):
    """Monte Carlo tree search with UCT, its lists of numbers bisected.

    A row is filled from the first decision to the last. Inside the tree a candidate that was never tried
    comes first, in random order, and then the one with the greatest ``mean + c sqrt(2 ln N_parent / N)``,
    where ``mean`` is that of the rewards below it and ``N`` counts proposals. The first node outside the tree
    joins it, and the rest of the row is random. A reward counts for the nodes that were in the tree when its
    row was proposed.

    A list of numbers in order is chosen by halves (a tree restructured by *bisection*): ``16 or less``, ``8
    or less``, ``8``. So neighbouring values share what is learned of them, and a list of 64 values does not
    cost 64 proposals before the first is tried again. On a list without an order it gains nothing.

    What was proposed, or enqueued, is never proposed again, and a finite space that is used up ends the
    search.

    Negrinho, Gordon: DeepArchitect: Automatically Designing and Training Deep Architectures, 2017,
    arXiv:1704.08792 (there ``c`` 0.5, rewards are accuracies). Kocsis, Szepesvári: Bandit based Monte-Carlo
    Planning, ECML 2006 (UCT). Between proposals whose results are awaited: see ``tree``.

    Args:
        c: weight of exploration; it must fit the spread of the rewards. By rank they are spread evenly over
            ``[0, 1]`` for every metric and at every moment, so that one weight fits all.
        reward: ``rank``: the share of trials that one beats; ``range``: its value between the worst and the
            best seen; ``value``: the value itself, as in the paper (see ``rewards.Outcomes``).
        bisect: halve the ``ordered`` lists of candidates, ``always`` or ``never``.

    Raises:
        ConfigError: a negative ``c``, or another word for ``reward`` or ``bisect``.

    Example:
        >>> import pyglove as pg
        >>> from archloom import Study
        >>> from archloom.search_spaces import SearchSpace
        >>> space = SearchSpace(pg.List([pg.oneof(list(range(16))) for _ in range(3)]))
        >>> study = Study(space, MonteCarloTreeSearch(), lambda a: sum(a.value), {"total": "maximize"})
        >>> study.run(trials=100).best.values[0] >= 40
        True
    """

    supports: ClassVar[frozenset[str]] = frozenset({"constraints"})
    space: SearchSpace

    def __init__(
        self,
        *,
        c: float = 0.2,
        reward: Literal["rank", "range", "value"] = "rank",
        bisect: Literal["ordered", "never", "always"] = "ordered",
    ):
        if not 0.0 <= c < math.inf:
            raise ConfigError(f"c is a weight of at least 0, got {c}")
        check_reward(reward)
        if bisect not in ("ordered", "never", "always"):
            raise ConfigError(f"bisect is ordered, never or always, got {bisect!r}")
        self._c, self._reward, self._bisect = c, reward, bisect

    @property
    def n_startup(self) -> int:
        """The first proposal: nothing is known before it."""
        return 1

    def setup(self, space: Any, objectives: Sequence[Objective], seed: int) -> None:
        """Meet the problem; the tree is a root."""
        super().setup(space, objectives, seed)
        self._tracks = Tracks(space.filling, space.points, self._bisect)
        self._unseen = Unseen(space.filling)
        self._outcomes = Outcomes(self.objectives[0], self._reward)
        self._tree = Tree()
        self._nodes: dict[bytes, int] = {}
        self._ends: list[int] = []
        self._guests: list[tuple[int, tuple[int, ...]]] = []
        self._is_stale = False

    def ask(self, n: int) -> Genotypes:
        """Propose up to ``n`` architectures that were not proposed before."""
        made: list[ChoiceArray] = []
        while len(made) < n and not self._unseen.is_exhausted:
            self._learn()
            rng = self.rng(self.n_asked)
            made.append(roll_out(self._tree, self._tracks, self._unseen, self._c, rng))
            self._enter(made[-1][0])
            self.n_asked += 1
        if not made:
            return self.space.sample(0, self.rng(self.n_asked))
        return Genotypes(np.concatenate(made), np.empty((len(made), 0)))

    def tell(self, finished: Finished) -> None:
        """Take in rewards; an architecture that was enqueued counts for the whole tree, then and later."""
        self._outcomes.add(finished)
        for key, row in zip(finished.genotypes.keys(), finished.genotypes.choices, strict=True):
            self._unseen.add(row)
            if key not in self._nodes:
                self._guests.append((len(self._ends), tuple(self._tracks.moves(row))))
            self._ends.append(self._nodes.get(key, ROOT))
        self._is_stale = self._is_stale or len(finished) > 0

    def recover(self, proposed: Genotypes, finished: Finished) -> None:
        """Rebuild the tree from the proposals alone, then take in the rewards."""
        for row in proposed.choices:
            self._enter(row)
        super().recover(proposed, finished)

    def _enter(self, row: ChoiceArray) -> None:
        """Add a proposal to the tree."""
        node = self._tree.add(self._tracks.moves(row))
        self._nodes.setdefault(row.tobytes(), node)
        self._unseen.add(row)
        self._is_stale = self._is_stale or bool(self._guests)

    def _learn(self) -> None:
        """Bring the tree up to date: new rewards change ranks, and new nodes where guests' ways end."""
        if self._is_stale:
            ends = list(self._ends)
            for place, way in self._guests:
                ends[place] = self._tree.end(way)
            guests = [ends[place] for place, _ in self._guests]
            self._tree.learn(ends, self._outcomes.rewards(), guests)
            self._is_stale = False


def roll_out(tree: Tree, tracks: Tracks, unseen: Unseen, c: float, rng: np.random.Generator) -> ChoiceArray:
    """Go down a tree by UCT as far as it reaches, and on at random; return a new row, ``1 x d``.

    Args:
        tree: what is known; it is not changed.
        tracks: the moves.
        unseen: has at least one row; only such rows are reached.
        c: weight of exploration.
        rng: where the randomness comes from.
    """
    descent, node = tracks.start(), ROOT
    while not descent.is_finished:
        new = set(unseen.after(descent.choices, descent.column, descent.options))
        open_moves = [move for move, group in enumerate(descent.groups) if not new.isdisjoint(group)]
        move = tree.choose(node, open_moves, c, rng)
        child = tree.child(node, move)
        descent.take(move)
        if child is None:
            break
        node = child
    return unseen.finish(descent, rng)
