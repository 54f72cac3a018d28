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
from archloom.strategies.tree_search.rewards import Outcomes, check_reward, in_range
from archloom.strategies.tree_search.tree import Tree
from archloom.strategies.tree_search.unseen import Unseen, UnseenFloats

if TYPE_CHECKING:
    from archloom.search_spaces.space import SearchSpace

__all__ = ["ModelBasedSearch"]

SINGLE = 0.6
"""Share of near candidates with one changed choice; of the others as many have two, and the rest three."""
MOST_CHANGES = 3


@final
class ModelBasedSearch(Strategy):
    """Sequential model-based optimisation (SMBO).

    The first ``n_initial`` proposals are random. After that a surrogate learns from the rewards of all that
    has finished, and each proposal is the best of ``n_candidates`` architectures by what it says of them, or,
    with probability ``epsilon``, a random one. What was proposed, or enqueued, is never proposed again, and a
    finite space that is used up ends the search.

    By default half of the candidates are the best known architecture with a few choices changed, and a
    candidate is worth a number that is drawn with its predicted mean and deviation (Thompson sampling), so
    that a batch of proposals is not the same guess many times.

    Negrinho, Gordon: DeepArchitect: Automatically Designing and Training Deep Architectures, 2017,
    arXiv:1704.08792 (there 50 random candidates, ``epsilon`` 0.25). Negrinho, Patil, Le, Ferreira, Gormley,
    Gordon: Towards Modular and Programmable Architecture Search, NeurIPS 2019, arXiv:1909.13404 (there the
    candidates of a tree search).

    Args:
        surrogate: the name or import path of a predictor, or what makes one from the space; ``ngram_ridge``
            is ridge regression over single choices and pairs of neighbours. It is made anew for each fit,
            so that what it knows is what has finished.
        n_initial: random proposals at the start.
        n_candidates: architectures that a proposal is the best of.
        epsilon: probability of a random proposal.
        candidates: ``near``: half random, half one or more choices away from the ``n_parents`` best;
            ``random``; or ``tree``: the rollouts of a Monte Carlo tree search over the predictions, which
            takes some ten times as long and cannot do floats.
        n_parents: how many of the best ``near`` candidates come from.
        acquisition: what a candidate is worth: ``thompson``, a draw from the normal distribution of its
            predicted mean and deviation, or ``mean``.
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

    supports: ClassVar[frozenset[str]] = frozenset({"constraints", "floats"})
    space: SearchSpace

    def __init__(
        self,
        *,
        surrogate: str | Any = "ngram_ridge",
        n_initial: int = 10,
        n_candidates: int = 200,
        epsilon: float = 0.0,
        candidates: Literal["near", "random", "tree"] = "near",
        n_parents: int = 1,
        acquisition: Literal["thompson", "mean"] = "thompson",
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
        if candidates not in ("near", "random", "tree"):
            raise ConfigError(f"candidates is near, random or tree, got {candidates!r}")
        if acquisition not in ("thompson", "mean"):
            raise ConfigError(f"acquisition is thompson or mean, got {acquisition!r}")
        if n_parents < 1:
            raise ConfigError(f"n_parents is at least 1, got {n_parents}")
        check_reward(reward)
        self._make = PREDICTORS.get(surrogate) if isinstance(surrogate, str) else surrogate
        self._n_initial, self._n_candidates, self._refit_every = n_initial, n_candidates, refit_every
        self._epsilon, self._candidates, self._c, self._reward = epsilon, candidates, c, reward
        self._n_parents, self._acquisition = n_parents, acquisition
        if candidates == "tree":  # a float is no branch of a tree
            self.supports = self.supports - {"floats"}  # type: ignore[misc]

    @property
    def n_startup(self) -> int:
        """The random proposals at the start."""
        return self._n_initial

    def setup(self, space: Any, objectives: Sequence[Objective], seed: int) -> None:
        """Meet the problem; nothing is known yet."""
        super().setup(space, objectives, seed)
        self._tracks = Tracks(space.filling, space.points)
        self._unseen = UnseenFloats() if space.has_floats else Unseen(space.filling)
        self._outcomes = Outcomes(self.objectives[0], self._reward)
        self._known: list[Genotypes] = []
        self._model: Predictor | None = None
        self._n_fitted = 0

    def ask(self, n: int) -> Genotypes:
        """Propose up to ``n`` architectures that were not proposed before."""
        made: list[Genotypes] = []
        while len(made) < n and not self._unseen.is_exhausted:
            made.append(self._propose(self.n_asked))
            self._unseen.see(made[-1])
            self.n_asked += 1
        return Genotypes.concatenate(made) if made else self.space.sample(0, self.rng(self.n_asked))

    def tell(self, finished: Finished) -> None:
        """Take in what was measured."""
        self._outcomes.add(finished)
        self._known += [finished.genotypes[i] for i in range(len(finished))]
        self._unseen.see(finished.genotypes)

    def recover(self, proposed: Genotypes, finished: Finished) -> None:
        """Rebuild the state from what was proposed and what was measured."""
        self._unseen.see(proposed)
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
            self._model.fit(Genotypes.concatenate(self._known[:n]), self._outcomes.rewards(n))
            self._n_fitted = n
        return self._model

    def _drawn(self, model: Predictor, rng: np.random.Generator) -> Genotypes | None:
        """Return the best of the candidates, chance between equals; ``None`` where there is none."""
        rows = self._climbed(model, rng) if self._candidates == "tree" else self._offered(rng)
        if not len(rows):
            return None
        worth = self._worth(model, rows, rng)
        return rows[int(rng.choice(np.flatnonzero(worth == worth.max())))]

    def _worth(self, model: Predictor, rows: Genotypes, rng: np.random.Generator) -> FloatArray:
        """Return what each candidate is worth; what cannot be predicted comes last."""
        mean, deviation = (np.asarray(each, dtype=float) for each in model.predict(rows))
        if self._acquisition == "thompson":
            mean = mean + deviation * rng.standard_normal(len(rows))
        return _known(mean)

    def _offered(self, rng: np.random.Generator) -> Genotypes:
        """Draw candidates that were not seen, at random or half of them near the best known."""
        if self._candidates == "random":
            return self._unseen.sample(self.space, self._n_candidates, rng)
        n_near = self._n_candidates // 2
        random = self._unseen.sample(self.space, self._n_candidates - n_near, rng)
        near = self._unseen.new(self._changed(n_near, rng))
        return Genotypes.concatenate([random, near])

    def _changed(self, n: int, rng: np.random.Generator) -> Genotypes:
        """Change the best known architectures: one choice in most, two or three in some."""
        best = np.argsort(-self._outcomes.rewards(), kind="stable")[: self._n_parents]
        parents = Genotypes.concatenate([self._known[i] for i in rng.choice(best, n)])
        rows = Genotypes(parents.choices.copy(), parents.floats.copy())
        n_changes = rng.geometric(SINGLE, n)
        for i in range(MOST_CHANGES):
            is_changed = n_changes > i
            changed = self.space.mutate(rows[is_changed], rng)
            rows.choices[is_changed], rows.floats[is_changed] = changed.choices, changed.floats
        return rows

    def _climbed(self, model: Predictor, rng: np.random.Generator) -> Genotypes:
        """Search a tree for the best prediction; return all that was met."""
        assert isinstance(self._unseen, Unseen)
        tree, ends = Tree(), list[int]()
        rows, predicted = list[ChoiceArray](), list[float]()
        for _ in range(self._n_candidates):
            rows.append(roll_out(tree, self._tracks, self._unseen, self._c, rng)[0])
            ends.append(tree.add(self._tracks.moves(rows[-1])))
            predicted.append(float(_known(model.predict(_genotypes(rows[-1:]))[0])[0]))
            tree.learn(ends, in_range(np.array(predicted)))
        return _genotypes(rows)


def _genotypes(rows: Sequence[ChoiceArray]) -> Genotypes:
    return Genotypes(np.stack(rows), np.empty((len(rows), 0)))


def _known(predicted: FloatArray) -> FloatArray:
    """Put what cannot be predicted last."""
    return np.where(np.isfinite(predicted), predicted, np.finfo(float).min)
