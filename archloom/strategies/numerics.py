# SPDX-License-Identifier: Apache-2.0
"""What strategies with small networks share: choices among what is legal, and sums that come out the same."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor

__all__ = ["masked_log_softmax", "one_thread"]


@contextmanager
def one_thread() -> Iterator[None]:
    """Compute with one thread: these networks are small, and another number of threads rounds otherwise."""
    n = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(n)


def masked_log_softmax(logits: Tensor, mask: Tensor) -> Tensor:
    """Return log-probabilities over what a mask allows; a row that allows nothing is all zeros.

    >>> masked_log_softmax(torch.zeros(2, 2), torch.tensor([[True, False], [False, False]])).exp().tolist()
    [[1.0, 0.0], [1.0, 1.0]]

    Args:
        logits: ``... x m``.
        mask: ``... x m``.
    """
    is_empty = ~mask.any(dim=-1, keepdim=True)
    return logits.masked_fill(~(mask | is_empty), -1e9).log_softmax(dim=-1).masked_fill(is_empty, 0.0)
