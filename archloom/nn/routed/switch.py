# SPDX-License-Identifier: Apache-2.0
"""The state of a choice site: which candidates it holds now, or how much of each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import final

from torch import Tensor

__all__ = ["Switch"]


@final
class Switch:
    """What all modules of one choice site look at: the chosen candidates, or one coefficient for each.

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

    __slots__ = ("chosen", "k", "n", "name", "weights")

    def __init__(self, name: str, n: int, k: int = 1):
        self.name, self.n, self.k = name, n, k
        self.chosen: tuple[int, ...] = tuple(min(slot, n - 1) for slot in range(k))
        self.weights: Tensor | None = None

    def set(self, route: Sequence[int] | Tensor) -> None:
        """Take candidates, one a slot; or a tensor of ``n`` coefficients, which mixes them all.

        Raises:
            ValueError: a route that is none of this site.
        """
        if isinstance(route, Tensor):
            if route.shape != (self.n,):
                raise ValueError(f"{self.name} takes {self.n} coefficients, got shape {tuple(route.shape)}")
            self.weights = route
            return
        chosen = tuple(route)
        if len(chosen) != self.k or min(chosen) < 0 or max(chosen) >= self.n:
            slots = f"{self.k} slot" + ("s" if self.k > 1 else "")
            raise ValueError(f"{self.name} has {slots} for candidates 0 to {self.n - 1}, got {chosen}")
        self.chosen, self.weights = chosen, None

    def __repr__(self) -> str:
        held = self.chosen if self.weights is None else self.weights
        return f"Switch({self.name}: {held} of {self.n})"
