# SPDX-License-Identifier: Apache-2.0
"""How much memory a supernet's training takes, known before it begins, and how much there is."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor, nn

from archloom.errors import ArchloomError
from archloom.evaluators.batches import enough_samples
from archloom.nn.routed import Routing, Supernet

__all__ = ["Footprint", "footprint", "free_bytes", "step_bytes"]

_MOMENTS = {"adamw": 2, "adam": 2, "sgd": 1}
_CGROUP = Path("/sys/fs/cgroup")
_MEMINFO = Path("/proc/meminfo")


class Footprint(NamedTuple):
    """Bytes that a supernet's training holds at its worst moment.

    Args:
        n_weights: how many weights are shared.
        weights: bytes of weights and buffers.
        moments: bytes that the optimiser keeps of them.
        step: bytes of the batch, of what one path remembers for its gradients, and of these.
    """

    n_weights: int
    weights: int
    moments: int
    step: int

    @property
    def total(self) -> int:
        """All of them."""
        return self.weights + self.moments + self.step

    def words(self) -> str:
        """Say it.

        >>> Footprint(1_500_000, 6_000_000, 12_000_000, 30_000_000).words()
        '1,500,000 shared weights; training takes about 48 MB (weights 6, optimiser 12, a step 30)'
        """
        parts = f"weights {_mb(self.weights)}, optimiser {_mb(self.moments)}, a step {_mb(self.step)}"
        return f"{self.n_weights:,} shared weights; training takes about {_mb(self.total)} MB ({parts})"

    def check(self, device: torch.device) -> None:
        """Refuse what will not fit.

        Raises:
            ArchloomError: less is free; with advice.
        """
        free = free_bytes(device)
        if free is None or self.total <= free:
            return
        advice = (
            "take a smaller batch_size"
            if self.step > self.weights + self.moments
            else "optimizer: sgd keeps less"
        )
        raise ArchloomError(
            f"the supernet will not fit: {self.words()}, and {_mb(free)} MB are free on {device}; "
            f"{advice}, or a space of fewer or narrower candidates"
        )


def footprint(net: Supernet, inputs: Tensor, routes: Iterable[Routing], optimizer: str) -> Footprint:
    """Count what training holds: what each path remembers for its gradients, at most, and all else.

    Args:
        net: on the device ``meta``; nothing is allocated.
        inputs: a batch, there too.
        routes: paths to try.
        optimizer: ``adamw``, ``adam`` or ``sgd``.
    """
    weights = sum(t.numel() * t.element_size() for t in (*net.parameters(), *net.buffers()))
    trainable = [p for p in net.parameters() if p.requires_grad]
    moments = _MOMENTS[optimizer] * sum(p.numel() * p.element_size() for p in trainable)
    worst = 0
    for route in routes:
        net.route(route)
        worst = max(worst, step_bytes(net, inputs))
    return Footprint(sum(p.numel() for p in trainable), weights, moments, worst)


def step_bytes(net: nn.Module, inputs: Tensor) -> int:
    """Count the bytes of a batch, of what is remembered of it, and of the gradients of the path's weights."""
    held = {inputs.untyped_storage()._cdata: inputs.untyped_storage()}  # each storage once, kept alive

    def remember(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        held[storage._cdata] = storage
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(remember, lambda tensor: tensor), enough_samples():
        net.train()(inputs)
    # A weight of the path is remembered, too: it stands for its gradient, which is as large.
    return sum(storage.nbytes() for storage in held.values())


def free_bytes(device: torch.device) -> int | None:
    """Return how many bytes a device has left; ``None`` where that cannot be told."""
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    if device.type != "cpu":
        return None
    known = [found for found in (_told(_available), _told(_left_to_group)) if found is not None]
    return min(known, default=None)


def _told(ask: Callable[[], int]) -> int | None:
    try:
        return ask()
    except (OSError, ValueError, StopIteration):  # another system, or no limit
        return None


def _available() -> int:
    lines = _MEMINFO.read_text(encoding="ascii").splitlines()
    return 1024 * next(int(line.split()[1]) for line in lines if line.startswith("MemAvailable"))


def _left_to_group() -> int:
    limit, used = (int((_CGROUP / name).read_text()) for name in ("memory.max", "memory.current"))
    return max(0, limit - used)


def _mb(n_bytes: int) -> str:
    return f"{n_bytes / 1e6:,.0f}" if n_bytes >= 1e6 else f"{n_bytes / 1e6:.2g}"
