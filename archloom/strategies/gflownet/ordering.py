# SPDX-License-Identifier: Apache-2.0
"""Losses that see only which of two trajectories is better, or which are the best.

Chen, Mauch: Order-Preserving GFlowNets, ICLR 2024, arXiv:2310.00386.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

__all__ = ["front_loss", "pair_loss"]


def pair_loss(better: Tensor, log_reward: Tensor, partner: Tensor) -> Tensor:
    """Cross-entropy between the order of pairs and the order that a network implies.

    With ``y = 1`` where ``u_i > u_j``, ``0`` where it is less and one half for equals, the mean over ``i``
    of ``-y log p - (1 - y) log(1 - p)``, where ``p = R_i / (R_i + R_j)``.

    Args:
        better: ``n``, higher is better; only their order counts.
        log_reward: ``n``, what the network implies.
        partner: ``n``, the ``j`` of each ``i``.

    Example:
        >>> import torch
        >>> u = torch.tensor([1.0, 2.0])
        >>> agrees = pair_loss(u, torch.tensor([0.0, 5.0]), torch.tensor([1, 0]))
        >>> disagrees = pair_loss(u, torch.tensor([5.0, 0.0]), torch.tensor([1, 0]))
        >>> bool(agrees < 0.01), bool(disagrees > 4.9)
        (True, True)
    """
    label = 0.5 * (1.0 + torch.sign(better - better[partner])).to(log_reward.dtype)
    return functional.binary_cross_entropy_with_logits(log_reward - log_reward[partner], label)


def front_loss(is_front: Tensor, log_reward: Tensor) -> Tensor:
    """Cross-entropy between the uniform distribution over a batch's Pareto front and the implied one.

    With ``y_i = 1 / k`` for the ``k`` members that no other dominates and 0 for the rest, it is
    ``-sum y_i log softmax(log R)_i``.

    Args:
        is_front: ``n``.
        log_reward: ``n``, what the network implies.
    """
    label = is_front.to(log_reward.dtype)
    return -(label / label.sum().clamp(min=1) * log_reward.log_softmax(dim=0)).sum()
