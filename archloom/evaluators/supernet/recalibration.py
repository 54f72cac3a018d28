# SPDX-License-Identifier: Apache-2.0
"""Statistics of batch norms, measured anew for the network that is scored."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import islice
from typing import Any

import torch
from torch import nn

__all__ = ["recalibrate"]


@torch.no_grad()
def recalibrate(
    network: nn.Module, run: Callable[[Any], Any], batches: Iterable[Any], n_batches: int | None = None
) -> None:
    """Measure the statistics of a network's batch norms anew, as the mean over batches of training data.

    The statistics that a supernet's training leaves are of all its networks together, and rank single ones
    badly (Guo et al., ECCV 2020, arXiv:1904.00420, section 3). All else, dropout and dropped paths too, is in
    evaluation mode.

    Args:
        network: its norms are changed, and are left in evaluation mode.
        run: runs the network on a batch.
        batches: of training data.
        n_batches: how many at most; ``None`` takes them all.
    """
    norms = [m for m in network.modules() if isinstance(m, nn.modules.batchnorm._BatchNorm)]
    network.eval()
    if not norms:
        return
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # a plain mean
        norm.train()
    for batch in islice(batches, n_batches):
        run(batch)
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum
        norm.eval()
