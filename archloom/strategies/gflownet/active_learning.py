# SPDX-License-Identifier: Apache-2.0
"""MOGFN-AL: a flow for every preference learns from surrogates, and proposes what should raise the front."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar, final

import numpy as np
import torch
from torch import Tensor

from archloom.contracts import ChoiceArray, Finished, FloatArray, Genotypes, Objective, Strategy
from archloom.errors import ConfigError
from archloom.predictors import PREDICTORS
from archloom.strategies.gflownet.acquisition import Belief, best_batch, without_floats
from archloom.strategies.gflownet.flows import follow
from archloom.strategies.gflownet.learner import Learner
from archloom.strategies.gflownet.losses import trajectory_balance
from archloom.strategies.gflownet.preferences import (
    Scalarization,
    check_scalarization,
    draw,
    log_scalar,
    thermometer,
)
from archloom.strategies.gflownet.replay import Replay
from archloom.strategies.gflownet.sampling import walk_forward
from archloom.strategies.gflownet.search import LEARNING, Known, Schedule
from archloom.strategies.gflownet.trajectories import Trajectories, backward_at_random
from archloom.strategies.numerics import one_thread
from archloom.strategies.tree_search.descent import Tracks
from archloom.strategies.tree_search.unseen import Unseen

if TYPE_CHECKING:
    from archloom.search_spaces.space import SearchSpace

__all__ = ["ActiveLearningGFlowNet"]

SAMPLE_EVERY = 10
"""Gradient steps between two batches of samples of the flow's own."""
N_DRAWS = 32
"""Of what the surrogates hold possible, to take the expectation of an improvement over."""


@final
class ActiveLearningGFlowNet(Strategy):
    """Active learning with a flow for every preference (MOGFN-AL).

    The first proposals are random. Then in rounds: a surrogate for each objective learns from all that has
    finished; a fresh flow, conditioned on preferences ``w``, is trained by trajectory balance on
    ``R(x | w) ^ beta``, where ``R`` scalarises the surrogates' rewards, some deviations above their mean, on
    ways to its own last samples, to earlier ones and to measured rows. Of ``n_candidates`` that it then
    samples, each under a preference of its own, those not measured are ordered greedily by expected
    improvement of the hypervolume, and the first that were never proposed are proposed until ``n_round``
    more have finished. Nothing is proposed twice, and a finite space that is used up ends the search. With
    a single objective the hypervolume is the best value, and the improvement is the expected one.

    Jain, Raparthy, Hernandez-Garcia, Rector-Brooks, Bengio, Miret, Bengio: Multi-Objective GFlowNets, ICML
    2023, arXiv:2210.12765. There the reward of the flow is an acquisition function, the noisy expected
    hypervolume improvement (Daulton, Balandat, Bakshy, NeurIPS 2021, arXiv:2105.08195), over an ensemble of
    deep networks, and its samples are the batch. Here that improvement, over independent draws from each
    surrogate and above the measured values as they are, chooses the batch among the samples.

    Args:
        surrogate: the name or import path of a predictor, or what makes one from the space; it is made anew
            for each round and objective.
        n_initial: random proposals at the start.
        n_round: finished trials between two rounds: the size of a batch.
        n_candidates: samples of the flow that a batch is chosen from.
        optimism: deviations above the mean in the reward of the flow.
        scalarization: ``convex``, ``log_convex`` or ``tchebycheff``.
        beta: exponent of the reward; the larger, the greedier.
        n_bins: of a preference's thermometer code, for each objective.
        n_steps: gradient steps a round.
        batch_size: trajectories a step.
        width: of both hidden layers.
        lr: learning rate (Adam).
        lr_log_z: learning rate of ``log Z``.
        epsilon: probability of a random step in a sample.

    Raises:
        ConfigError: an option out of its range.
        UnknownNameError: no predictor has that name.

    Example:
        >>> import pyglove as pg
        >>> from archloom import Study
        >>> from archloom.search_spaces import SearchSpace
        >>> space = SearchSpace(pg.List([pg.oneof([0, 1, 2]) for _ in range(4)]))
        >>> def measure(a):
        ...     return {"total": sum(a.value), "price": a.value[0] + a.value[1]}
        >>> strategy = ActiveLearningGFlowNet(n_initial=8, n_round=4, n_steps=10, width=16)
        >>> study = Study(space, strategy, measure, {"total": "maximize", "price": "minimize"})
        >>> max(trial.metrics["total"] for trial in study.run(trials=20).pareto)
        8.0
    """

    supports: ClassVar[frozenset[str]] = frozenset({"several_objectives", "constraints"})
    space: SearchSpace

    def __init__(
        self,
        *,
        surrogate: str | Any = "ngram_ridge",
        n_initial: int = 48,
        n_round: int = 16,
        n_candidates: int = 256,
        optimism: float = 1.0,
        scalarization: Scalarization = "tchebycheff",
        beta: float = 32.0,
        n_bins: int = 50,
        n_steps: int = 150,
        batch_size: int = 64,
        width: int = 128,
        lr: float = 2e-3,
        lr_log_z: float = 2e-2,
        epsilon: float = 0.05,
    ):
        check_scalarization(scalarization)
        if beta <= 0 or n_bins < 1 or n_candidates < 1:
            raise ConfigError(
                f"beta is above 0, n_bins and n_candidates are at least 1, got {beta}, {n_bins} and "
                f"{n_candidates}"
            )
        if width < 1 or lr <= 0 or lr_log_z <= 0:
            raise ConfigError(f"width, lr and lr_log_z are above zero, got {width}, {lr} and {lr_log_z}")
        if not 0.0 <= epsilon <= 1.0 or not 0.0 <= optimism < np.inf:
            raise ConfigError(
                f"epsilon is a probability and optimism at least 0, got {epsilon} and {optimism}"
            )
        self._schedule = Schedule(n_initial, n_round, n_steps, 1, n_steps, batch_size)
        self._make = PREDICTORS.get(surrogate) if isinstance(surrogate, str) else surrogate
        self._n_candidates, self._optimism, self._epsilon = n_candidates, optimism, epsilon
        self._scalarization, self._beta, self._n_bins = scalarization, beta, n_bins
        self._width, self._lr, self._lr_log_z = width, lr, lr_log_z

    @property
    def n_startup(self) -> int:
        """The random proposals before the first round."""
        return self._schedule.n_initial

    def setup(self, space: Any, objectives: Sequence[Objective], seed: int) -> None:
        """Meet the problem; nothing is known yet."""
        super().setup(space, objectives, seed)
        self._tracks, self._unseen = Tracks(space.filling, space.points), Unseen(space.filling)
        self._replay = Replay(self.objectives)
        self._round, self._plan = -1, list[ChoiceArray]()

    def tell(self, finished: Finished) -> None:
        """Remember the finished trials."""
        if len(finished):
            self._replay.add(finished)
        for row in finished.genotypes.choices:
            self._unseen.add(row)

    def recover(self, proposed: Genotypes, finished: Finished) -> None:
        """Rebuild the state from what was proposed and what was measured."""
        for row in proposed.choices:
            self._unseen.add(row)
        super().recover(proposed, finished)

    def ask(self, n: int) -> Genotypes:
        """Propose up to ``n`` architectures that were not proposed before."""
        made: list[Genotypes] = []
        while len(made) < n and not self._unseen.is_exhausted:
            made.append(self._propose(self.n_asked))
            self._unseen.add(made[-1].choices[0])
            self.n_asked += 1
        return Genotypes.concatenate(made) if made else self.space.sample(0, self.rng(self.n_asked))

    def _propose(self, proposal: int) -> Genotypes:
        """Return the first of the plan that is new, or, where none is, a random architecture that is."""
        for row in self._planned():
            if not self._unseen.has_seen(row):
                return without_floats(row[None])
        return self._unseen.draw(self.space, self._tracks.start(), self.rng(proposal))

    # ------------------------------------------------------------------ rounds

    def _planned(self) -> list[ChoiceArray]:
        """Return what to measure next, the best first: a function of the trials that the round knows."""
        number = self._schedule.round_of(len(self._replay))
        if number > self._round:
            known = Known(*self._replay.first(self._schedule.n_known(number)))
            with one_thread():
                self._plan = self._made(known, self.rng(number, LEARNING))
            self._round = number
        return self._plan

    def _made(self, known: Known, rng: np.random.Generator) -> list[ChoiceArray]:
        if not np.isfinite(known.costs).all(axis=1).any() or not self.space.filling.n_actions:
            return []
        belief = Belief(self.space, self._make, known)
        rows = self._candidates(self._trained(belief, known, rng), known, rng)
        if not len(rows):
            return []
        order = best_batch(belief.drawn(rows, N_DRAWS, rng), belief.front, self._schedule.n_round)
        return list(rows[order])

    def _trained(self, belief: Belief, known: Known, rng: np.random.Generator) -> Learner:
        learner = Learner(
            self.space.filling,
            int(rng.integers(2**31)),
            width=self._width,
            lr=self._lr,
            lr_log_z=self._lr_log_z,
            n_conditions=len(self.objectives) * self._n_bins,
        )
        pool, rewards = known.rows, belief.hopeful(known.rows, self._optimism)
        for step in range(self._schedule.n_steps):
            if step % SAMPLE_EVERY == 0:
                own = self._samples(learner, self._schedule.batch_size, rng).rows
                pool = np.concatenate([pool, own])
                rewards = np.concatenate([rewards, belief.hopeful(own, self._optimism)])
            learner.step(self._loss(learner, pool, rewards, rng))
        return learner

    def _loss(
        self, learner: Learner, pool: ChoiceArray, rewards: FloatArray, rng: np.random.Generator
    ) -> Tensor:
        """Return the loss of ways to rows under new preferences, half of the rows the flow's last samples."""
        n = self._schedule.batch_size
        half = n // 2
        last = len(pool) - 1 - rng.permutation(n)[:half]
        picked = np.concatenate([last, rng.integers(len(pool), size=n - half)])
        preferences = rng.dirichlet(np.ones(len(self.objectives)), size=n)
        ways = backward_at_random(self.space.filling, pool[picked], rng)
        flows = follow(learner.network, self.space.filling, ways, self._encoded(preferences))
        log_reward = self._beta * log_scalar(rewards[picked], preferences, self._scalarization)
        return trajectory_balance(flows, torch.from_numpy(log_reward.astype(np.float32)))

    def _candidates(self, learner: Learner, known: Known, rng: np.random.Generator) -> ChoiceArray:
        """Return samples that were not measured, each once."""
        drawn = without_floats(self._samples(learner, self._n_candidates, rng).rows)
        first = drawn.firsts()
        for key in without_floats(known.rows).keys():  # noqa: SIM118 (a list, not a mapping)
            first.pop(key, None)
        return drawn.choices[list(first.values())]

    def _samples(self, learner: Learner, n: int, rng: np.random.Generator) -> Trajectories:
        """Sample ``n`` rows, each under a preference of its own."""
        rngs = rng.spawn(n)
        conditions = self._encoded(draw(rngs, len(self.objectives)))
        return walk_forward(
            learner.network, self.space.filling, rngs, epsilon=self._epsilon, conditions=conditions
        )

    def _encoded(self, preferences: FloatArray) -> Tensor:
        return torch.from_numpy(thermometer(preferences, self._n_bins).astype(np.float32))
