# SPDX-License-Identifier: Apache-2.0
"""The state of a choice site: which candidates it holds now, or how much of each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import final

from torch import Tensor

from archloom.relaxation import Mixture

__all__ = ["Switch"]


@final
class Switch:
    """What all modules of one choice site look at: the chosen candidates, or how much of each.

    Args:
        name: the site's name.
        n: how many candidates there are.
        k: how many slots, each holding one of them.

    >>> switch = Switch("op", 3)
    >>> switch.chosen
    (0,)
    >>> switch.set((2,))
    >>> switch.chosen
    (2,)
    >>> switch.set((3,))
    Traceback (most recent call last):
        ...
    ValueError: op has 1 slot for candidates 0 to 2, got (3,)
    """

    __slots__ = ("chosen", "has_no_mixture", "k", "mixture", "n", "name", "slabs")

    def __init__(self, name: str, n: int, k: int = 1):
        self.name, self.n, self.k = name, n, k
        self.chosen: tuple[int, ...] = tuple(min(slot, n - 1) for slot in range(k))
        self.mixture: Mixture | None = None
        self.has_no_mixture = ""
        """Why its candidates cannot be mixed; empty where they can."""
        self.slabs: list[Switch] = []
        """The slabs in which it is weighed together with others, and never by itself."""

    def set(self, route: Sequence[int] | Tensor | Mixture) -> None:
        """Take candidates, one a slot; or a mixture, or a tensor of ``n`` coefficients, which mixes them all.

        Raises:
            ValueError: a route that is none of this site.
        """
        if isinstance(route, Tensor):
            route = Mixture(route)
        if isinstance(route, Mixture):
            self.mixture = self._checked(route)
            return
        chosen = tuple(route)
        if len(chosen) != self.k or min(chosen) < 0 or max(chosen) >= self.n:
            slots = f"{self.k} slot" + ("s" if self.k > 1 else "")
            raise ValueError(f"{self.name} has {slots} for candidates 0 to {self.n - 1}, got {chosen}")
        self.chosen, self.mixture = chosen, None
        for slab in self.slabs:
            slab.mixture = None

    def parts(self) -> Iterator[tuple[int, Tensor | None]]:
        """Yield the candidates of a mixture that are computed, each with its coefficient, ``None`` for 1."""
        assert self.mixture is not None  # whoever asks has seen one
        weights, active = self.mixture
        for index in range(self.n) if active is None else active:
            yield index, None if weights is None else weights[index]

    def _checked(self, mixture: Mixture) -> Mixture:
        weights, active = mixture
        if weights is not None and weights.shape != (self.n,):
            raise ValueError(f"{self.name} takes {self.n} coefficients, got shape {tuple(weights.shape)}")
        if active is not None and (not active or min(active) < 0 or max(active) >= self.n):
            raise ValueError(f"{self.name} mixes some of candidates 0 to {self.n - 1}, got {tuple(active)}")
        return mixture

    def __repr__(self) -> str:
        held = self.chosen if self.mixture is None else self.mixture
        return f"Switch({self.name}: {held} of {self.n})"
