# SPDX-License-Identifier: Apache-2.0
"""The whole network of a search space, and how its weights are handed on to one of its architectures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import zip_longest
from typing import Any, TypeAlias, final

import torch
from torch import Tensor, nn

from archloom.nn.routed.choice import Routed
from archloom.nn.routed.fused import once
from archloom.nn.routed.guards import untouched
from archloom.nn.routed.switch import Switch
from archloom.relaxation import Mixture

__all__ = ["Routing", "Supernet"]

Routing: TypeAlias = Mapping[str, Sequence[int] | Tensor | Mixture]
"""Site name to the chosen candidates, one a slot; or to a mixture, or its coefficients, one a candidate."""


@final
class Supernet(nn.Module):
    """Every network of a search space in one, with shared weights.

    ``supernet(x, routing)`` computes what the network computes that the routing stands for. A route stays
    until another one is set, so that a step may be written with or without it.

    Args:
        network: the routed network.
        switches: its choice sites by name.
    """

    def __init__(self, network: nn.Module, switches: Mapping[str, Switch]):
        super().__init__()
        self.network = network
        self.switches = dict(switches)

    @property
    def relaxed_sites(self) -> dict[str, Switch]:
        """The switches that a relaxation names: a slab in place of the sites that are weighed in it."""
        return {name: switch for name, switch in self.switches.items() if switch.n > 1 and not switch.slabs}

    def route(self, routing: Routing) -> None:
        """Set the sites that the routing names; what it does not name keeps its candidate.

        Raises:
            ValueError: a site that the network does not have, or a route that is none of its site.
        """
        for name, route in routing.items():
            if name not in self.switches:
                raise ValueError(f"{name!r} is no choice site of this supernet: {', '.join(self.switches)}")
            self.switches[name].set(route)

    def forward(self, x: Any, routing: Routing | None = None) -> Any:
        """Run the network that ``routing`` stands for; without one, that of the last route.

        Raises:
            ValueError: a module changes in place what other paths read.
        """
        if routing is not None:
            self.route(routing)
        with once():
            return untouched(self.network, x)

    @torch.no_grad()
    def hand_on(self, network: nn.Module) -> None:
        """Copy weights and statistics of the routed network into its plain counterpart.

        Both are walked side by side; what is elastic gives the slice that its counterpart has room for.

        Raises:
            ValueError: the network is not the counterpart of the present route.
        """
        for ours, theirs in zip_longest(tensors(self.network), tensors(network)):
            source = None if ours is None or theirs is None else _fitting(ours, theirs)
            if source is None:
                raise ValueError(
                    f"the supernet has {_spelled(ours)} where the network has {_spelled(theirs)}: it is "
                    "not the network of this route"
                )
            theirs[1].copy_(source)


Held: TypeAlias = tuple[str, Tensor, Any]


def tensors(module: nn.Module) -> Iterator[Held]:
    """Yield name, tensor and owner of all weights and buffers of a network as it is routed now."""
    if isinstance(module, Routed):
        for child in module.plain_children():
            yield from tensors(child)
        return
    for held in (module._parameters, module._buffers):
        yield from ((name, tensor, module) for name, tensor in held.items() if tensor is not None)
    for part in module._modules.values():
        if part is not None:
            yield from tensors(part)


def _fitting(ours: Held, theirs: Held) -> Tensor | None:
    """Return the tensor, or the slice of it, that stands for the other; ``None`` where none does."""
    (name, source, owner), (other, target, _) = ours, theirs
    if name != other:
        return None
    if source.shape == target.shape:
        return source
    part: Tensor | None = owner.sliced(name, target.shape) if hasattr(owner, "sliced") else None
    return part


def _spelled(held: Held | None) -> str:
    return "nothing" if held is None else f"{held[0]} of {type(held[2]).__name__}, {tuple(held[1].shape)}"
