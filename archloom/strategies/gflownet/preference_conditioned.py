# SPDX-License-Identifier: Apache-2.0
"""MOGFN-PC: one flow for every preference among several objectives."""

from __future__ import annotations

from typing import ClassVar, final

import numpy as np
import torch
from torch import Tensor

from archloom.contracts import FloatArray
from archloom.errors import ConfigError, did_you_mean
from archloom.strategies.gflownet.flows import follow
from archloom.strategies.gflownet.learner import Learner
from archloom.strategies.gflownet.losses import trajectory_balance
from archloom.strategies.gflownet.preferences import (
    SCALARIZATIONS,
    Scalarization,
    draw,
    log_scalar,
    thermometer,
)
from archloom.strategies.gflownet.replay import best_of
from archloom.strategies.gflownet.search import FlowSearch, Known, Schedule
from archloom.strategies.gflownet.trajectories import Trajectories

__all__ = ["PreferenceConditionedGFlowNet"]


@final
class PreferenceConditionedGFlowNet(FlowSearch):
    """Samples architectures for a preference that is drawn anew for each proposal (MOGFN-PC).

    The network and ``log Z`` see a preference ``w`` in thermometer code, and are trained by trajectory
    balance on ``R(x | w) ^ beta``. Each objective is scaled to ``[0, 1]`` over what has been measured; what
    failed or broke a constraint has the least reward. Each step learns under new preferences. With a single
    objective there is nothing to prefer, and it is a flow by trajectory balance.

    Jain et al.: Multi-Objective GFlowNets, ICML 2023, arXiv:2210.12765. Its reward for a Tchebycheff
    scalarization is inverted here, where the larger shortfall would else be the better.

    Args:
        scalarization: ``convex``, ``log_convex`` or ``tchebycheff``.
        beta: exponent of the reward; the larger, the greedier.
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
        beta: float = 32.0,
        n_bins: int = 50,
        n_initial: int = 64,
        n_round: int = 10,
        n_steps: int = 100,
        restart_every: int = 10,
        restart_steps: int = 1000,
        batch_size: int = 128,
        width: int = 256,
        lr: float = 1e-3,
        lr_log_z: float = 1e-2,
        epsilon: float = 0.05,
    ):
        if scalarization not in SCALARIZATIONS:
            raise ConfigError(
                f"there is no scalarization {scalarization!r}{did_you_mean(scalarization, SCALARIZATIONS)}"
            )
        if beta <= 0 or n_bins < 1:
            raise ConfigError(f"beta is above 0 and n_bins at least 1, got {beta} and {n_bins}")
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

    def _rewards(self, known: Known) -> FloatArray:
        """Scale costs to rewards over everything that has finished well, ``n x m``."""
        every = self._replay.first(self._schedule.n_known(max(0, self._round + 1)))
        is_good = (every[2] == 0) & np.isfinite(every[1]).all(axis=1)
        if not is_good.any():
            return np.zeros_like(known.costs)
        low, high = every[1][is_good].min(axis=0), every[1][is_good].max(axis=0)
        with np.errstate(invalid="ignore"):
            scaled = (high - known.costs) / np.where(high > low, high - low, 1.0)
        return np.where((known.violations > 0)[:, None], 0.0, np.clip(np.nan_to_num(scaled), 0.0, 1.0))

    def _better(self, known: Known) -> FloatArray:
        return np.asarray(best_of(known.costs, known.violations), dtype=float)
