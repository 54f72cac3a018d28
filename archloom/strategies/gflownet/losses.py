# SPDX-License-Identifier: Apache-2.0
"""Balance conditions, each with a reward that is known and with one that only has an order.

=========================  ========================================  ============================
condition                  for every                                 papers
=========================  ========================================  ============================
``trajectory_balance``     trajectory                                arXiv:2201.13259
``detailed_balance``       step                                      arXiv:2111.09266
``flow_matching``          state                                     arXiv:2106.04399
``sub_trajectory_balance`` part of a trajectory                      arXiv:2209.12782
=========================  ========================================  ============================

With the log-rewards of the finished rows in their place a condition is trained to hold with these; with what
the network says of them, and a ``Judge`` of that (``ordering``), nothing but an order is trained.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import torch
from torch import Tensor

from archloom.strategies.gflownet.flows import Flows

__all__ = ["Judge", "balance_parts", "balance_steps", "order_parts", "trajectory_balance"]

Judge: TypeAlias = Callable[[Tensor], Tensor]
"""Implied log-rewards, ``n``, to a loss."""


def trajectory_balance(flows: Flows, log_reward: Tensor) -> Tensor:
    """``(log Z + sum log P_F - sum log P_B - log R)^2``, the mean over trajectories.

    Malkin, Jain, Bengio, Sun, Bengio: Trajectory Balance: Improved Credit Assignment in GFlowNets, NeurIPS
    2022, arXiv:2201.13259.
    """
    return (flows.log_reward - log_reward).square().mean()


def balance_steps(
    flows: Flows, log_flow: Tensor, energy: Tensor | None = None, kept: Tensor | None = None
) -> Tensor:
    """``(log F(s) + log P_F - log F(s') - log P_B)^2``, the mean over steps (detailed balance).

    With energies of all states the flows are those beyond them, ``F(s) = exp(-E(s)) F~(s)``, and the
    condition is ``log F~(s) + log P_F = log F~(s') + log P_B - (E(s') - E(s))`` (forward-looking). Then
    ``log F~`` of a finished row is 0 by definition: a free one does not reach the target.

    Bengio, Lahlou, Deleu, Hu, Tiwari, Bengio: GFlowNet Foundations, JMLR 2023, arXiv:2111.09266. Pan, Malkin,
    Zhang, Bengio: Better Training of GFlowNets with Local Credit and Incomplete Trajectories, ICML 2023,
    arXiv:2302.01687.

    Args:
        flows: ``n`` trajectories.
        log_flow: ``n x (t + 1)``: ``flows.log_flow``, with what is known of the finished rows in its place.
        energy: ``n x (t + 1)``, where parts are scored.
        kept: ``n x t``, the steps that are learned from; all without. A step is a signal of its own.
    """
    residual = log_flow[:, :-1] + flows.log_forward - log_flow[:, 1:] - flows.log_backward
    if energy is not None:
        residual = residual + energy[:, 1:] - energy[:, :-1]
    is_kept = flows.is_step if kept is None else flows.is_step & kept
    return (residual.square() * is_kept).sum() / is_kept.sum().clamp(min=1)


def balance_parts(flows: Flows, log_flow: Tensor, decay: float = 0.9) -> Tensor:
    """``(log F(s_i) + sum log P_F - sum log P_B - log F(s_j))^2`` over all parts ``i < j``.

    A part weighs ``decay^(j-i)``.

    Madan et al.: Learning GFlowNets from Partial Episodes for Improved Convergence and Stability, ICML 2023,
    arXiv:2209.12782.

    Args:
        flows: ``n`` trajectories.
        log_flow: as in ``balance_steps``.
        decay: by which a part weighs less than one that is a step shorter.
    """
    level = log_flow - flows.gain
    residual = level[:, :, None] - level[:, None, :]
    place = torch.arange(level.shape[1])
    length = place[None, :] - place[:, None]
    is_part = (length > 0)[None] & (place[None, None, :] <= flows.lengths[:, None, None])
    weight = is_part * decay ** length.clamp(min=0).to(level.dtype)
    return (weight * residual.square()).sum() / weight.sum().clamp(min=1e-9)


def order_parts(flows: Flows, judge: Judge, decay: float = 0.9) -> Tensor:
    """Judge what every part that reaches the end implies: ``log F(s_i) + sum log P_F - sum log P_B``.

    Parts are compared with parts that begin at the same step, and weighted ``decay`` to their length.
    """
    gain = flows.gain
    t = gain.shape[1]
    implied = flows.log_flow + gain[:, -1:] - gain
    weights = [decay ** (t - 1 - i) for i in range(t)]
    judged = [weight * judge(implied[:, i]) for i, weight in enumerate(weights)]
    return torch.stack(judged).sum() / sum(weights)
