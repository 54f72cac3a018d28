# SPDX-License-Identifier: Apache-2.0
"""What a relaxed network is expected to cost, as a differentiable function of its coefficients.

A candidate counts by its coefficient, a part that lies in it by the product of the coefficients above:
``E[cost] = own + sum_i w_i E[cost of candidate i]``, as in ProxylessNAS (Cai et al., ICLR 2019).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, final

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from archloom.errors import ConfigError, did_you_mean
from archloom.nn.routed import Routed, Supernet

__all__ = ["COSTS", "ExpectedCosts"]

COSTS = ("latency_ms", "macs", "params")
"""What can be expected: milliseconds and multiply-accumulates of one sample, and trainable parameters."""


@final
class ExpectedCosts:
    """Counts what a supernet costs under its present mixture.

    Args:
        net: the supernet.
        names: of ``COSTS``.
        inputs: one sample.
        latencies: for ``latency_ms``, the milliseconds of modules by name; see ``measured``.
    """

    def __init__(
        self,
        net: Supernet,
        names: Sequence[str],
        inputs: Tensor,
        latencies: Mapping[str, float] = MappingProxyType({}),
    ):
        self._net = net
        count: dict[str, Callable[[], dict[nn.Module, float]]] = {
            "latency_ms": lambda: {net.get_submodule(name): ms for name, ms in latencies.items()},
            "macs": lambda: _macs(net, inputs),
            "params": lambda: _params(net),
        }
        self._own = {name: count[name]() for name in names}

    @staticmethod
    def check(names: Sequence[str]) -> None:
        """Refuse what cannot be expected.

        Raises:
            ConfigError: it is none of ``COSTS``.
        """
        for name in names:
            if name not in COSTS:
                raise ConfigError(f"{name!r} is no cost that can be expected{did_you_mean(name, COSTS)}")

    def __call__(self) -> dict[str, Tensor]:
        """Return each cost, a scalar."""
        return {name: torch.as_tensor(_cost(self._net, own)) for name, own in self._own.items()}


def _cost(module: nn.Module, own: Mapping[nn.Module, float]) -> Any:
    total: Any = own.get(module, 0.0)
    if isinstance(module, Routed):
        for weight, child in module.weighed():
            cost = _cost(child, own)
            total = total + (cost if weight is None else weight * cost)
        return total
    for child in module.children():
        total = total + _cost(child, own)
    return total


def _params(net: nn.Module) -> dict[nn.Module, float]:
    return {
        module: float(sum(p.numel() for p in module.parameters(recurse=False))) for module in net.modules()
    }


def _macs(net: Supernet, inputs: Tensor) -> dict[nn.Module, float]:
    """Count what each module computes itself, all candidates computed once."""
    was_training = net.training
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        net.eval()(inputs)
    net.train(was_training)
    root = type(net).__name__
    counts = {name: sum(each.values()) / 2 for name, each in counter.get_flop_counts().items()}
    own: dict[nn.Module, float] = {}
    _share_out(net, root, counts, own)
    return own


def _share_out(
    module: nn.Module, name: str, counts: Mapping[str, float], own: dict[nn.Module, float]
) -> float:
    """Enter what a module and those in it compute themselves; return what they do together.

    A list of modules is never called, and has no count; what stands in it has.
    """
    inside = sum(_share_out(child, f"{name}.{each}", counts, own) for each, child in module.named_children())
    total = max(inside, counts.get(name, 0.0))
    own[module] = total - inside
    return total
