# SPDX-License-Identifier: Apache-2.0
"""Sequential model-based search: a surrogate says which of many candidates to measure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal, final

import numpy as np

from archloom.contracts import ChoiceArray, Finished, FloatArray, Genotypes, Objective, Predictor, Strategy
from archloom.errors import ConfigError
from archloom.predictors import PREDICTORS
from archloom.strategies.tree_search.descent import Tracks
from archloom.strategies.tree_search.mcts import roll_out
from archloom.strategies.tree_search.ngrams import NgramRidge
from archloom.strategies.tree_search.rewards import Outcomes, check_reward, in_range
from archloom.strategies.tree_search.tree import Tree
from archloom.strategies.tree_search.unseen import Unseen

if TYPE_CHECKING:
    from archloom.search_spaces.space import SearchSpace

__all__ = ["ModelBasedSearch"]


@final
class ModelBasedSearch(Strategy):
    """Sequential model-based optimisation (SMBO).

    The first ``n_initial`` proposals are random. After that a surrogate learns from the rewards of all that
    has finished, and each proposal is the best of ``n_candidates`` architectures by its predicted mean, or,
    with probability ``epsilon``, a random one. The candidates are random, or the rollouts of a tree search
    for the best prediction. What was proposed, or enqueued, is never proposed again, and a finite space that
    is used up ends the search.

    Negrinho, Gordon: DeepArchitect: Automatically Designing and Training Deep Architectures, 2017,
    arXiv:1704.08792 (there 50 random candidates, ``epsilon`` 0.25). Negrinho, Patil, Le, Ferreira, Gormley,
    Gordon: Towards Modular and Programmable Architecture Search, NeurIPS 2019, arXiv:1909.13404 (there the
    candidates of a tree search).

    Args:
        surrogate: ``None`` for ridge regression over single choices and pairs of neighbours
            (``ngrams.NgramRidge``), the name or import path of a predictor, or what makes one from the space.
            It is made anew for each fit, so that what it knows is what has finished.
        n_initial: random proposals at the start.
        n_candidates: architectures that a proposal is the best of.
        epsilon: probability of a random proposal.
        candidates: ``random``, or ``tree``: by Monte Carlo tree search over the predictions, which takes some
            ten times as long and finds more where 64 random ones are a small share of the space.
        c: weight of exploration of that tree search, over predictions in ``[0, 1]``.
        reward: what the surrogate predicts: ``rank``, ``range`` or ``value`` (see ``rewards.Outcomes``).
        refit_every: finished trials between two fits; a fit takes longer the more is known.

    Raises:
        ConfigError: an option out of its range.
        UnknownNameError: no predictor has that name.

    Example:
        >>> import pyglove as pg
        >>> from archloom import Study
        >>> from archloom.search_spaces import SearchSpace
        >>> space = SearchSpace(pg.List([pg.oneof(list("abcd")) for _ in range(5)]))
        >>> study = Study(space, ModelBasedSearch(), lambda a: a.value.count("c"), {"score": "maximize"})
        >>> study.run(trials=60).best.values
        (5.0,)
    """

    supports: ClassVar[frozenset[str]] = frozenset({"constraints"})
    space: SearchSpace

    def __init__(
        self,
        *,
        surrogate: str | Any | None = None,
        n_initial: int = 16,
        n_candidates: int = 64,
        epsilon: float = 0.1,
        candidates: Literal["random", "tree"] = "random",
        c: float = 0.2,
        reward: Literal["rank", "range", "value"] = "rank",
        refit_every: int = 1,
    ):
        if n_initial < 1 or n_candidates < 1 or refit_every < 1:
            raise ConfigError(
                "n_initial, n_candidates and refit_every are at least 1, "
                f"got {n_initial}, {n_candidates} and {refit_every}"
            )
        if not 0.0 <= epsilon <= 1.0 or not 0.0 <= c < math.inf:
            raise ConfigError(f"epsilon is a probability and c at least 0, got {epsilon} and {c}")
        if candidates not in ("random", "tree"):
            raise ConfigError(f"candidates is random or tree, got {candidates!r}")
        check_reward(reward)
        self._make = PREDICTORS.get(surrogate) if isinstance(surrogate, str) else surrogate or NgramRidge
        self._n_initial, self._n_candidates, self._refit_every = n_initial, n_candidates, refit_every
        self._epsilon, self._candidates, self._c, self._reward = epsilon, candidates, c, reward

    @property
    def n_startup(self) -> int:
        """The random proposals at the start."""
        return self._n_initial

    def setup(self, space: Any, objectives: Sequence[Objective], seed: int) -> None:
        """Meet the problem; nothing is known yet."""
        super().setup(space, objectives, seed)
        self._tracks = Tracks(space.filling, space.points)
        self._unseen = Unseen(space.filling)
        self._outcomes = Outcomes(self.objectives[0], self._reward)
        self._known: list[ChoiceArray] = []
        self._model: Predictor | None = None
        self._n_fitted = 0

    def ask(self, n: int) -> Genotypes:
        """Propose up to ``n`` architectures that were not proposed before."""
        made: list[Genotypes] = []
        while len(made) < n and not self._unseen.is_exhausted:
            made.append(self._propose(self.n_asked))
            self._unseen.add(made[-1].choices[0])
            self.n_asked += 1
        return Genotypes.concatenate(made) if made else self.space.sample(0, self.rng(self.n_asked))

    def tell(self, finished: Finished) -> None:
        """Take in what was measured."""
        self._outcomes.add(finished)
        self._known += list(finished.genotypes.choices)
        for row in finished.genotypes.choices:
            self._unseen.add(row)

    def recover(self, proposed: Genotypes, finished: Finished) -> None:
        """Rebuild the state from what was proposed and what was measured."""
        for row in proposed.choices:
            self._unseen.add(row)
        super().recover(proposed, finished)

    def _propose(self, proposal: int) -> Genotypes:
        rng = self.rng(proposal)
        model = self._fitted() if proposal >= self._n_initial else None
        if model is not None and rng.random() >= self._epsilon:
            drawn = self._drawn(model, rng)
            if drawn is not None:
                return drawn
        return self._unseen.draw(self.space, self._tracks.start(), rng)

    def _fitted(self) -> Predictor | None:
        """Return the surrogate as the finished trials have made it, ``None`` before the first fit."""
        n = len(self._known) // self._refit_every * self._refit_every
        if n != self._n_fitted:
            self._model = self._make(self.space)
            self._model.fit(_genotypes(self._known[:n]), self._outcomes.rewards(n))
            self._n_fitted = n
        return self._model

    def _drawn(self, model: Predictor, rng: np.random.Generator) -> Genotypes | None:
        """Return the best of the candidates, chance between equals; ``None`` where there is none."""
        if self._candidates == "tree":
            rows, predicted = self._climbed(model, rng)
        else:
            rows = self._unseen.sample(self.space, self._n_candidates, rng)
            predicted = _predicted(model, rows) if len(rows) else np.empty(0)
        if not len(rows):
            return None
        return rows[int(rng.choice(np.flatnonzero(predicted == predicted.max())))]

    def _climbed(self, model: Predictor, rng: np.random.Generator) -> tuple[Genotypes, FloatArray]:
        """Search a tree for the best prediction; return all that was met."""
        tree, ends = Tree(), list[int]()
        rows, predicted = list[ChoiceArray](), list[float]()
        for _ in range(self._n_candidates):
            rows.append(roll_out(tree, self._tracks, self._unseen, self._c, rng)[0])
            ends.append(tree.add(self._tracks.moves(rows[-1])))
            predicted.append(float(_predicted(model, _genotypes(rows[-1:]))[0]))
            tree.learn(ends, in_range(np.array(predicted)))
        return _genotypes(rows), np.array(predicted)


def _genotypes(rows: Sequence[ChoiceArray]) -> Genotypes:
    return Genotypes(np.stack(rows), np.empty((len(rows), 0)))


def _predicted(model: Predictor, rows: Genotypes) -> FloatArray:
    """Return predicted means; what cannot be predicted comes last."""
    mean = np.asarray(model.predict(rows)[0], dtype=float)
    return np.where(np.isfinite(mean), mean, np.finfo(float).min)
