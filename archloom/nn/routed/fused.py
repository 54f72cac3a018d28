# SPDX-License-Identifier: Apache-2.0
"""Mixtures computed with nothing done twice.

Candidates of a choice, and choices that read the same state, begin alike: by a ReLU, or a pooling. What such
a layer makes of a state is computed once in a pass. And a candidate that ends with a batch norm without a
scale of its own takes its coefficient as that scale, ``w norm(x)``, which saves a product and what would be
kept for its gradient.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import NamedTuple, Protocol, TypeAlias, final, runtime_checkable

import torch
from torch import Tensor, nn
from torch.nn import functional

from archloom.nn.blocks import ConvBN, ReluConvBN, SeparableConv
from archloom.nn.sharp import SharpSeparableConv
from archloom.nn.shortcuts import Pool

__all__ = ["Plan", "dense", "once", "planned"]

_ALIKE = (nn.ReLU, nn.MaxPool2d, nn.AvgPool2d)
"""Layers without weights or chance, whose result is a matter of their settings."""
_BODIES = (ConvBN, Pool, ReluConvBN, SeparableConv, SharpSeparableConv)
"""Modules that run their ``body`` and do nothing else."""

Results: TypeAlias = dict[tuple[int, str], tuple[Tensor, Tensor]]
_results: ContextVar[Results | None] = ContextVar("_results", default=None)


@runtime_checkable
class InOrder(Protocol):
    """A module that says what it runs, one layer after another."""

    def in_order(self) -> Sequence[nn.Module]:
        """Return the layers."""


@contextmanager
def once() -> Iterator[None]:
    """Compute what begins alike once inside the block, which is one pass of a network."""
    token = _results.set({} if torch.is_grad_enabled() else None)  # else results would only take memory
    try:
        yield
    finally:
        _results.reset(token)


def dense(x: Tensor) -> Tensor:
    """Have the gradient of a state lie in memory as the state does, and return the state.

    What comes back of a concatenation is a part of a larger tensor, of which batch norms in channels-last
    order make heavy weather.
    """
    if x.requires_grad and x.ndim == 4 and x.is_contiguous(memory_format=torch.channels_last):
        x.register_hook(_channels_last)  # type: ignore[no-untyped-call]
    return x


def _channels_last(gradient: Tensor) -> Tensor:
    return gradient.contiguous(memory_format=torch.channels_last)


@final
class Plan(NamedTuple):
    """A candidate, layer by layer.

    Args:
        first: what it begins with, where others may begin with it too.
        rest: the layers after it.
        norm: what it ends with, where that can take a coefficient.
    """

    first: nn.Module | None
    rest: tuple[nn.Module, ...]
    norm: nn.modules.batchnorm._BatchNorm | None

    def run(self, x: Tensor, weight: Tensor | None) -> Tensor:
        """Return the coefficient times what the candidate makes of a state."""
        if self.first is not None:
            x = _alike(self.first, x)
        for layer in self.rest:
            x = layer(x)
        if self.norm is not None:
            return _scaled(self.norm, x, weight)
        return x if weight is None else weight * x


def planned(candidate: nn.Module) -> Plan | None:
    """Return how a candidate is run layer by layer; ``None`` where only it knows."""
    layers = list(_layers(candidate))
    if layers == [candidate] or any(getattr(layer, "inplace", False) for layer in layers):
        return None
    first = layers.pop(0) if layers and isinstance(layers[0], _ALIKE) else None
    norm = layers.pop() if layers and _is_bare(layers[-1]) else None
    return Plan(first, tuple(layers), norm)  # type: ignore[arg-type]


def _layers(module: nn.Module) -> Iterator[nn.Module]:
    if isinstance(module, InOrder):
        for child in module.in_order():
            yield from _layers(child)
    elif type(module) in _BODIES:
        yield from _layers(module.body)  # type: ignore[arg-type]
    elif type(module) is nn.Sequential:
        for child in module:
            yield from _layers(child)
    elif not isinstance(module, nn.Identity):
        yield module


def _is_bare(module: nn.Module) -> bool:
    """Whether it is a batch norm that learns no scale and no shift."""
    return isinstance(module, nn.BatchNorm2d) and not any(p.requires_grad for p in module.parameters())


def _alike(layer: nn.Module, x: Tensor) -> Tensor:
    results = _results.get()
    if results is None:
        y: Tensor = layer(x)
        return y
    key = (id(x), f"{type(layer).__name__}({layer.extra_repr()})")
    if key not in results:
        results[key] = (x, layer(x))  # the state, too: else another could get its number
    return results[key][1]


def _scaled(norm: nn.modules.batchnorm._BatchNorm, x: Tensor, weight: Tensor | None) -> Tensor:
    """Return ``weight norm(x)`` for a norm without scale and shift, as its forward does."""
    momentum = norm.momentum
    if norm.training and norm.num_batches_tracked is not None:
        norm.num_batches_tracked.add_(1)
        if momentum is None:
            momentum = 1.0 / float(norm.num_batches_tracked)
    scale = None if weight is None else weight.expand(x.shape[1]).contiguous()
    is_measured = norm.training or norm.running_mean is None
    return functional.batch_norm(
        x, norm.running_mean, norm.running_var, scale, None, is_measured, momentum or 0.0, norm.eps
    )
