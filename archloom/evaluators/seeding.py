# SPDX-License-Identifier: Apache-2.0
"""What makes an evaluation repeatable and leaves no trace: the seed, and the number of threads."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch

__all__ = ["generator", "seed_of", "seeded", "threads"]


def generator(seed: int) -> torch.Generator:
    """Return a generator of its own, on the CPU."""
    return torch.Generator().manual_seed(seed % 2**63)


def seed_of(seed: int, epoch: int) -> int:
    """Return the seed of an epoch of a training that may be broken off and go on at any."""
    return int(np.random.SeedSequence((seed % 2**63, epoch)).generate_state(1, np.uint64)[0]) % 2**63


@contextmanager
def seeded(seed: int, device: str | torch.device = "cpu") -> Iterator[None]:
    """Seed torch inside the block, on the CPU and on a CUDA ``device``; restore the caller's state after it.

    >>> with seeded(0):
    ...     a = torch.rand(1)
    >>> with seeded(0):
    ...     a == torch.rand(1)
    tensor([True])
    """
    device = torch.device(device)
    is_gpu = device.type == "cuda"
    with torch.random.fork_rng(devices=[device] if is_gpu else []):
        torch.default_generator.manual_seed(seed % 2**63)
        if is_gpu:  # torch.manual_seed would also seed the devices of other trials
            with torch.cuda.device(device):
                torch.cuda.manual_seed(seed % 2**63)
        yield


@contextmanager
def threads(n: int) -> Iterator[None]:
    """Let torch compute with ``n`` CPU threads inside the block; restore the caller's number after it.

    A sum is rounded differently when it is cut among another number of threads, so a fixed number keeps
    metrics the same on every machine.

    >>> with threads(1):
    ...     torch.get_num_threads()
    1
    """
    before = torch.get_num_threads()
    torch.set_num_threads(n)
    try:
        yield
    finally:
        torch.set_num_threads(before)
