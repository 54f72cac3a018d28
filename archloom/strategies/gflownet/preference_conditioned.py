# SPDX-License-Identifier: Apache-2.0
"""MOGFN-PC: one flow for every preference among several objectives."""

from __future__ import annotations

from typing import ClassVar, Literal, final

import numpy as np
import torch
from torch import Tensor

from archloom.contracts import FloatArray
from archloom.errors import ConfigError
from archloom.strategies.gflownet.flows import follow
from archloom.strategies.gflownet.learner import Learner
from archloom.strategies.gflownet.losses import trajectory_balance
from archloom.strategies.gflownet.preferences import (
    RankScale,
    Scalarization,
    Scale,
    check_scalarization,
    draw,
    log_scalar,
    thermometer,
)
from archloom.strategies.gflownet.replay import best_of
from archloom.strategies.gflownet.search import FlowSearch, Known, Schedule
from archloom.strategies.gflownet.trajectories import Trajectories
from archloom.strategies.selection import by_fronts

__all__ = ["PreferenceConditionedGFlowNet"]

ELITE = 8
"""One in so many of the trials is among the best."""


@final
class PreferenceConditionedGFlowNet(FlowSearch):
    """Samples architectures for a preference that is drawn anew for each proposal (MOGFN-PC).

    The network and ``log Z`` see a preference ``w`` in thermometer code, and are trained by trajectory
    balance on ``R(x | w) ^ beta``. Each objective is scaled to ``[0, 1]`` over what has been measured, by its
    place or by its value; what failed or broke a constraint has the least reward. Each step learns under new
    preferences, from trials of which a share is among the best eighth, front by front: balance may be
    learned from any ways, and a sharp reward is about those to what is good. With a single objective there
    is nothing to prefer, and it is a flow by trajectory balance.

    Jain et al.: Multi-Objective GFlowNets, ICML 2023, arXiv:2210.12765. Its reward for a Tchebycheff
    scalarization is inverted here, where the larger shortfall would else be the better.

    Args:
        scalarization: ``convex``, ``log_convex`` or ``tchebycheff``.
        scale: ``rank``: a reward is the share of the trials that are no better; or ``range``: 1 for the best
            value measured, 0 for the worst. The paper's rewards are values of a known range.
        beta: exponent of the reward; the larger, the greedier. By ``range`` a larger one is needed, and the
            paper's are 80 and 96.
        elite_share: of each batch, what is drawn from the best eighth.
        n_bins: of the thermometer code, for each objective.
        n_initial: random proposals at the start.
        n_round: finished trials between two rounds of learning.
        n_steps: gradient steps a round.
        restart_every: rounds after which the network is made anew; 0 for never.
        restart_steps: gradient steps of such a round.
        batch_size: trajectories a step.
        width: of both hidden layers.
        lr: learning rate (Adam).
        lr_log_z: learning rate of ``log Z``.
        epsilon: probability of a random step in a proposal.

    Raises:
        ConfigError: an option out of its range.
    """

    supports: ClassVar[frozenset[str]] = frozenset({"several_objectives", "constraints"})

    def __init__(
        self,
        *,
        scalarization: Scalarization = "tchebycheff",
        scale: Literal["rank", "range"] = "rank",
        beta: float = 32.0,
        elite_share: float = 0.5,
        n_bins: int = 50,
        n_initial: int = 32,
        n_round: int = 10,
        n_steps: int = 50,
        restart_every: int = 10,
        restart_steps: int = 300,
        batch_size: int = 64,
        width: int = 128,
        lr: float = 1e-3,
        lr_log_z: float = 1e-2,
        epsilon: float = 0.05,
    ):
        check_scalarization(scalarization)
        if beta <= 0 or n_bins < 1:
            raise ConfigError(f"beta is above 0 and n_bins at least 1, got {beta} and {n_bins}")
        if scale not in ("rank", "range"):
            raise ConfigError(f"scale is rank or range, got {scale!r}")
        if not 0.0 <= elite_share <= 1.0:
            raise ConfigError(f"elite_share is from 0 to 1, got {elite_share}")
        super().__init__(
            Schedule(n_initial, n_round, n_steps, restart_every, restart_steps, batch_size),
            width=width,
            lr=lr,
            lr_log_z=lr_log_z,
            augmentation=False,
            epsilon=epsilon,
            temperature=1.0,
        )
        self._scalarization, self._beta, self._n_bins = scalarization, beta, n_bins
        self._elite_share, self._scaling = elite_share, scale

    @property
    def _n_conditions(self) -> int:
        return len(self.objectives) * self._n_bins

    def _conditions(self, rngs: list[np.random.Generator]) -> Tensor:
        return self._encoded(draw(rngs, len(self.objectives)))

    def _encoded(self, preferences: FloatArray) -> Tensor:
        return torch.from_numpy(thermometer(preferences, self._n_bins).astype(np.float32))

    def _loss(self, learner: Learner, batch: Trajectories, known: Known, rng: np.random.Generator) -> Tensor:
        preferences = rng.dirichlet(np.ones(len(self.objectives)), size=len(batch))
        flows = follow(learner.network, self._filling, batch, self._encoded(preferences))
        log_reward = self._beta * log_scalar(self._rewards(known), preferences, self._scalarization)
        return trajectory_balance(flows, torch.from_numpy(log_reward.astype(np.float32)))

    def _meet(self, known: Known) -> None:
        kind = RankScale if self._scaling == "rank" else Scale
        self._scale: RankScale | Scale = kind.over(known.costs, known.violations)
        n_elite = max(1, len(known.costs) // ELITE)
        self._elite = by_fronts(known.costs, known.violations, n_elite)

    def _pick(self, known: Known, rng: np.random.Generator) -> Known:
        size = self._schedule.batch_size
        n = round(self._elite_share * size)
        anyone = rng.integers(len(known.rows), size=size - n)
        return known.pick(np.concatenate([rng.choice(self._elite, n), anyone]))

    def _rewards(self, known: Known) -> FloatArray:
        return np.where((known.violations > 0)[:, None], 0.0, self._scale.rewards(known.costs))

    def _better(self, known: Known) -> FloatArray:
        return np.asarray(best_of(known.costs, known.violations), dtype=float)
