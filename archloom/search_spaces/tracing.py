# SPDX-License-Identifier: Apache-2.0
"""Which part of a network was running when it failed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import nn

__all__ = ["Running", "watched"]

Running = list[tuple["nn.Module", tuple[Any, ...]]]
"""The modules that are running, the innermost last, each with the inputs that it was given."""


@contextmanager
def watched(network: nn.Module) -> Iterator[Running]:
    """Watch a network's forward pass inside the block: what was running when it failed stays in the list.

    >>> import torch
    >>> from torch import nn
    >>> network = nn.Sequential(nn.ReLU(), nn.Linear(2, 2))
    >>> try:
    ...     with watched(network) as running:
    ...         y = network(torch.zeros(1, 3))
    ... except RuntimeError:
    ...     [type(module).__name__ for module, _ in running]
    ['Sequential', 'Linear']
    """
    running: Running = []

    def enter(module: nn.Module, inputs: tuple[Any, ...]) -> None:
        running.append((module, inputs))

    def leave(module: nn.Module, inputs: tuple[Any, ...], output: Any) -> None:
        del module, inputs, output
        running.pop()

    handles = [module.register_forward_pre_hook(enter) for module in network.modules()]
    handles += [module.register_forward_hook(leave) for module in network.modules()]
    try:
        yield running
    finally:
        for handle in handles:
            handle.remove()
