# SPDX-License-Identifier: Apache-2.0
"""The named methods of differentiable search, each a few parts of ``DifferentiableSearch``.

They need the evaluator ``relaxed``, which has the other half of their defaults (epochs, learning rates).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from archloom.errors import ConfigError
from archloom.relaxation import GradientStrategy
from archloom.strategies.gradient.coefficients import GumbelSoftmax, MaxWeight, Softmax
from archloom.strategies.gradient.search import DifferentiableSearch

__all__ = ["darts", "gdas", "pc_darts", "proxyless", "sharpdarts", "snas"]

NONE = ("none",)


def darts(
    *,
    order: Literal[1, 2] = 1,
    lr: float = 3e-4,
    weight_decay: float = 1e-3,
    warmup_epochs: int = 0,
    entropy: float = 0.0,
    excluding: Sequence[str] = NONE,
    most_skips: int | None = None,
    most_growth: float | None = None,
) -> GradientStrategy:
    """Mix all operations by a softmax, and learn its weights on validation data.

    Liu, Simonyan, Yang: DARTS: Differentiable Architecture Search, ICLR 2019, arXiv:1806.09055. A node keeps
    the edges whose best operation other than ``none`` weighs most. Searched for long it tends to skip
    connections; ``skips`` among the metrics of its trials tells.

    Args:
        order: 2 looks one step of the weights ahead: better in the paper, and three times as slow.
        lr: of Adam, which learns the weights of operations.
        weight_decay: of the same.
        warmup_epochs: epochs in which only the network learns.
        entropy: added to the loss: this times the mean entropy of the sites, from 0 to 1.
        excluding: labels that are never derived.
        most_skips: end the search once more skip connections are derived than this.
        most_growth: measure the dominant eigenvalue of the loss's Hessian after each epoch, which takes
            memory, and end the search once its mean over five epochs is this many times that of the five
            before (Zela et al., ICLR 2020, took 1.33); ``None`` does neither.
    """
    if order not in (1, 2):
        raise ConfigError(f"order must be 1 or 2; got {order}")
    return DifferentiableSearch(
        coefficients=Softmax(),
        needs={"unrolled": True} if order == 2 else {},
        lr=lr,
        weight_decay=weight_decay,
        warmup_epochs=warmup_epochs,
        entropy=entropy,
        excluding=excluding,
        most_skips=most_skips,
        most_growth=most_growth,
    )


def pc_darts(
    *,
    partial_channels: int = 4,
    lr: float = 6e-4,
    weight_decay: float = 1e-3,
    warmup_epochs: int = 15,
    excluding: Sequence[str] = NONE,
    most_skips: int | None = None,
) -> GradientStrategy:
    """DARTS on one channel in ``partial_channels``, with weights of edges too.

    Xu et al.: PC-DARTS: Partial Channel Connections for Memory-Efficient Architecture Search, ICLR 2020,
    arXiv:1907.05737. The other channels pass by, which takes less time and memory and favours no operation
    without weights; the softmax over the edges of each node steadies which of them are kept. An edge counts
    by its own weight times its best operation's.

    Args:
        partial_channels: mix one channel in so many; it divides the channels.
        lr: of Adam, which learns the weights of operations and edges.
        weight_decay: of the same.
        warmup_epochs: epochs in which only the network learns.
        excluding: labels that are never derived.
        most_skips: end the search once more skip connections are derived than this.
    """
    if partial_channels < 1:
        raise ConfigError(f"partial_channels must be at least 1; got {partial_channels}")
    return DifferentiableSearch(
        coefficients=Softmax(),
        edges=Softmax(),
        needs={"partial_channels": partial_channels} if partial_channels > 1 else {},
        lr=lr,
        weight_decay=weight_decay,
        warmup_epochs=warmup_epochs,
        excluding=excluding,
        most_skips=most_skips,
    )


def gdas(
    *,
    start: float = 10.0,
    end: float = 0.1,
    lr: float = 3e-4,
    weight_decay: float = 1e-3,
    warmup_epochs: int = 0,
    excluding: Sequence[str] = NONE,
) -> GradientStrategy:
    """Draw one operation an edge in each step, and learn by the gradient of the draw.

    Dong, Yang: Searching for a Robust Neural Architecture in Four GPU Hours, CVPR 2019, arXiv:1910.04465.
    Only what is drawn is computed: a step costs as much as one path.

    Args:
        start: temperature of the Gumbel softmax in the first epoch.
        end: temperature in the last; it falls linearly.
        lr: of Adam, which learns the logits of the draws.
        weight_decay: of the same.
        warmup_epochs: epochs in which only the network learns.
        excluding: labels that are never derived.
    """
    return DifferentiableSearch(
        coefficients=GumbelSoftmax(start=start, end=end),
        lr=lr,
        weight_decay=weight_decay,
        warmup_epochs=warmup_epochs,
        excluding=excluding,
    )


def snas(
    *,
    start: float = 1.0,
    end: float = 0.03,
    lr: float = 3e-4,
    weight_decay: float = 1e-3,
    costs: Mapping[str, float] | None = None,
    excluding: Sequence[str] = NONE,
) -> GradientStrategy:
    """Draw mixtures that sharpen, and learn network and draws from the same batches.

    In the manner of Xie et al.: SNAS: Stochastic Neural Architecture Search, ICLR 2019, arXiv:1812.09926: the
    concrete distribution, one level, and expected costs in the loss.

    Args:
        start: temperature in the first epoch.
        end: temperature in the last; it falls linearly.
        lr: of Adam, which learns the logits of the draws.
        weight_decay: of the same.
        costs: metric (``params``, ``macs``, ``latency_ms``) to what is added to the loss for each unit that
            is expected.
        excluding: labels that are never derived.
    """
    return DifferentiableSearch(
        coefficients=GumbelSoftmax(start=start, end=end, is_hard=False),
        is_single_level=True,
        lr=lr,
        weight_decay=weight_decay,
        costs=costs,
        excluding=excluding,
    )


def sharpdarts(
    *,
    detaches: bool = False,
    lr: float = 3e-4,
    weight_decay: float = 1e-3,
    warmup_epochs: int = 0,
    excluding: Sequence[str] = NONE,
    most_skips: int | None = None,
) -> GradientStrategy:
    """DARTS by Max-W: the leading operation always weighs 1.

    Hundt, Jain, Hager: sharpDARTS: Faster and More Accurate Differentiable Architecture Search, 2019,
    arXiv:1903.09900. Goes with the schedule ``cosine_power`` and the operations ``SHARP``.

    Args:
        detaches: whether no gradient flows through the maximum.
        lr: of Adam, which learns the weights of operations.
        weight_decay: of the same.
        warmup_epochs: epochs in which only the network learns.
        excluding: labels that are never derived.
        most_skips: end the search once more skip connections are derived than this.
    """
    return DifferentiableSearch(
        coefficients=MaxWeight(detaches=detaches),
        lr=lr,
        weight_decay=weight_decay,
        warmup_epochs=warmup_epochs,
        excluding=excluding,
        most_skips=most_skips,
    )


def proxyless(
    *,
    costs: Mapping[str, float],
    lr: float = 1e-3,
    weight_decay: float = 0.0,
    warmup_epochs: int = 0,
    excluding: Sequence[str] = (),
) -> GradientStrategy:
    """Draw one path a step, and pay for what it is expected to cost.

    In the manner of Cai, Zhu, Han: ProxylessNAS: Direct Neural Architecture Search on Target Task and
    Hardware, ICLR 2019, arXiv:1812.00332; gradients pass the draw as in ``gdas``, at temperature 1.

    Args:
        costs: metric (``params``, ``macs``, ``latency_ms``) to what is added to the loss for each unit that
            is expected.
        lr: of Adam, which learns the logits of the draws.
        weight_decay: of the same.
        warmup_epochs: epochs in which only the network learns.
        excluding: labels that are never derived.
    """
    if not costs:
        raise ConfigError("proxyless needs costs, such as {params: 1.0e-5}; without any it is gdas")
    return DifferentiableSearch(
        coefficients=GumbelSoftmax(start=1.0, end=1.0),
        lr=lr,
        weight_decay=weight_decay,
        warmup_epochs=warmup_epochs,
        costs=costs,
        excluding=excluding,
    )
