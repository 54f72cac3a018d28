# SPDX-License-Identifier: Apache-2.0
"""Layers whose width and operation are weighed together: every way from each width to each other.

Hundt, Jain and Hager, "sharpDARTS", 2019, arXiv:1903.09900. Of a layer there is one coefficient for each
triple of width before, width after, and operation: a *slab* of the hypercuboid of all layers.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, final

from torch import Tensor, nn

from archloom.nn.routed.choice import Routed, mixed
from archloom.nn.routed.guards import refuse_same_weights, untouched
from archloom.nn.routed.switch import Switch
from archloom.nn.shortcuts import Zero

__all__ = ["Slab", "SlabHead", "SlabLayer"]


@final
@dataclass(frozen=True)
class Slab:
    """Choice sites that are weighed together: one coefficient for each combination, the last site fastest.

    Args:
        switch: of the combinations; only mixtures are set.
        members: of the sites.
    """

    switch: Switch
    members: tuple[Switch, ...]

    @property
    def chosen(self) -> int:
        """The combination that the sites hold."""
        index = 0
        for member in self.members:
            index = index * member.n + member.chosen[0]
        return index


@final
class SlabLayer(Routed):
    """A layer from any of some widths to any of some widths, by any of some operations.

    Under a mixture it keeps a state for each width after, the weighted sum of all that lead to it. What
    weighs less than ``1 / n ** 2`` of ``n`` is not computed, but for the strongest of each state.

    Args:
        candidates: one a combination of the slab.
        ways: for each the positions of the widths before and after.
        slab: what chooses.
        out: the widths after.
    """

    def __init__(
        self,
        candidates: Iterable[nn.Module],
        ways: Sequence[tuple[int, int]],
        slab: Slab,
        *,
        out: Sequence[int],
    ):
        super().__init__()
        self.candidates = nn.ModuleList(candidates)
        names = [f"{slab.switch.name}[{i}]" for i, _ in enumerate(self.candidates)]
        refuse_same_weights(names, self.candidates)
        self.ways, self.slab, self.widths = tuple(ways), slab, tuple(out)
        self._nothing = {i for i, each in enumerate(self.candidates) if isinstance(each, Zero)}

    def plain_children(self) -> Iterator[nn.Module]:
        """Yield the chosen candidate: it stands where the layer does."""
        yield self.candidates[self.slab.chosen]

    def weighed(self) -> Iterator[tuple[Tensor | None, nn.Module]]:
        """Yield all candidates with their coefficients; the chosen one where there is no mixture."""
        if self.slab.switch.mixture is None:
            return super().weighed()
        return ((weight, self.candidates[index]) for index, weight in self.slab.switch.parts())

    def forward(self, x: Any) -> Any:
        """Run the chosen candidate on a tensor; or mix all, from a state of each width to one of each.

        States are a list; that of a single width is a tensor.
        """
        if self.slab.switch.mixture is None:
            return self.candidates[self.slab.chosen](x)
        states = x if isinstance(x, list) else [x]
        found = [self._state(parts, states) for parts in self._parts()]
        return found if len(found) > 1 else found[0]

    def _state(self, parts: Sequence[tuple[int, Tensor | None]], states: Sequence[Tensor]) -> Tensor:
        return mixed(
            (weight, untouched(self.candidates[index], states[self.ways[index][0]]))
            for index, weight in parts
        )

    def _parts(self) -> list[list[tuple[int, Tensor | None]]]:
        """Return what is computed, a list for each width after."""
        weights = self.slab.switch.mixture.weights if self.slab.switch.mixture else None
        n = len(self.candidates)
        sizes = [1.0] * n if weights is None else weights.detach().abs().tolist()  # one wait for a device
        into: list[list[tuple[int, Tensor | None]]] = [[] for _ in self.widths]
        for part in self.slab.switch.parts():
            into[self.ways[part[0]][1]].append(part)
        return [self._strong(parts, sizes) for parts in into]

    def _strong(
        self, parts: list[tuple[int, Tensor | None]], sizes: Sequence[float]
    ) -> list[tuple[int, Tensor | None]]:
        parts = [part for part in parts if part[0] not in self._nothing] or parts[:1]
        most = max(sizes[index] for index, _ in parts)
        least = min(most, 1 / len(sizes) ** 2)
        return [part for part in parts if sizes[part[0]] >= least]


@final
class SlabHead(Routed):
    """A head for each width; those of several states are summed.

    Args:
        heads: one a width.
        layer: the layer before it.
    """

    def __init__(self, heads: Iterable[nn.Module], layer: SlabLayer):
        super().__init__()
        self.heads = nn.ModuleList(heads)
        self.ways, self.slab = layer.ways, layer.slab

    @property
    def out(self) -> int:
        """Number of outputs."""
        return int(self.heads[0].out)  # type: ignore[arg-type]

    def plain_children(self) -> Iterator[nn.Module]:
        """Yield the head of the chosen width."""
        yield self.heads[self.ways[self.slab.chosen][1]]

    def weighed(self) -> Iterator[tuple[Tensor | None, nn.Module]]:
        """Yield the heads, each with the share of the coefficients that lead to it."""
        mixture = self.slab.switch.mixture
        if mixture is None or mixture.weights is None:
            yield from ((None, head) for head in (self.plain_children() if mixture is None else self.heads))
            return
        total = mixture.weights.sum()
        for index, head in enumerate(self.heads):
            into = [i for i, (_, target) in enumerate(self.ways) if target == index]
            yield mixture.weights[into].sum() / total, head

    def forward(self, x: Any) -> Any:
        """Map a state ``b x c x h x w``, or a list of one for each width, to ``b x n``."""
        if not isinstance(x, list):
            return next(iter(self.plain_children()))(x)
        return mixed((None, head(state)) for head, state in zip(self.heads, x, strict=True))
