# SPDX-License-Identifier: Apache-2.0
"""What a relaxed network is expected to cost, as a differentiable function of its coefficients.

A candidate counts by its coefficient, a part that lies in it by the product of the coefficients above:
``E[cost] = own + sum_i w_i E[cost of candidate i]``, as in ProxylessNAS (Cai et al., ICLR 2019).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, final

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from archloom.errors import ConfigError, did_you_mean
from archloom.nn.routed import Choice, Many, Supernet

__all__ = ["COSTS", "ExpectedCosts"]

COSTS = ("macs", "params")
"""What can be expected: multiply-accumulates of one sample, and trainable parameters."""


@final
class ExpectedCosts:
    """Counts what a supernet costs under its present mixture.

    Args:
        net: the supernet.
        names: of ``COSTS``.
        inputs: one sample.
    """

    def __init__(self, net: Supernet, names: Sequence[str], inputs: Tensor):
        self._net = net
        count: dict[str, Callable[[], dict[nn.Module, float]]] = {
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
    if isinstance(module, Choice | Many) and module.switch.mixture is not None:
        found = [
            (weight, _cost(candidates[index], own))
            for candidates in _slots(module)
            for index, weight in module.switch.parts()
        ]
        return sum(cost if weight is None else weight * cost for weight, cost in found)
    total: Any = own.get(module, 0.0)
    for child in module.children():
        total = total + _cost(child, own)
    return total


def _slots(module: Choice | Many) -> Iterator[Any]:
    yield from [module.candidates] if isinstance(module, Choice) else module.slots


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
