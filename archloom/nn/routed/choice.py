# SPDX-License-Identifier: Apache-2.0
"""One of several modules, some of several modules, and what they read."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from typing import Any, final

from torch import Tensor, nn

from archloom.nn.ranks import refuse_different
from archloom.nn.routed.fused import Plan, dense, planned
from archloom.nn.routed.guards import refuse_same_weights, untouched
from archloom.nn.routed.switch import Switch
from archloom.nn.shortcuts import Zero

__all__ = ["Choice", "Many", "Routed", "Wire", "mixed"]


class Routed(nn.Module):
    """A module whose plain counterpart has other children than it has itself."""

    @abstractmethod
    def plain_children(self) -> Iterable[nn.Module]:
        """Yield the children of the plain module that the switches stand for now, in its order."""

    def weighed(self) -> Iterator[tuple[Tensor | None, nn.Module]]:
        """Yield the modules of a mixture that are computed, each with its coefficient, ``None`` for 1."""
        return ((None, module) for module in self.plain_children())


def mixed(parts: Iterable[tuple[Tensor | None, Tensor]]) -> Tensor:
    """Return ``sum_i w_i y_i``.

    Args:
        parts: coefficient, ``None`` for 1, and state.
    """
    total: Tensor | None = None
    for weight, state in parts:
        term = state if weight is None else weight * state
        if total is not None:
            refuse_different(total, term, "a node sums states that are")
        total = term if total is None else total + term
    assert total is not None  # a node has at least one edge
    return dense(total)


@final
class Choice(Routed):
    """One of several modules of one signature.

    Under coefficients it is ``sum_i w_i candidate_i(x)``.

    Args:
        candidates: the modules.
        switch: the site that chooses.
        slot: which of the site's slots.
        out: width of the output.
    """

    def __init__(self, candidates: Iterable[nn.Module], switch: Switch, slot: int = 0, *, out: int | None):
        super().__init__()
        self.candidates = nn.ModuleList(candidates)
        refuse_same_weights(_numbered(switch.name, self.candidates), self.candidates)
        self.switch = switch
        self.slot = slot
        self._plans: dict[int, tuple[nn.Module, Plan | None]] = {}
        self._nothing = {i for i, each in enumerate(self.candidates) if isinstance(each, Zero)}
        if out is not None:
            self.out = out

    @property
    def taken(self) -> nn.Module:
        """The candidate that is chosen now."""
        return self.candidates[self.switch.chosen[self.slot]]

    def plain_children(self) -> Iterator[nn.Module]:
        """Yield the chosen candidate: it stands where the choice does."""
        yield self.taken

    def forward(self, *args: Any) -> Any:
        """Run the chosen candidate, or mix all of them."""
        if self.switch.mixture is None:
            return self.taken(*args)
        return mixed((None, self._run(index, weight, args)) for index, weight in self._parts())

    def weighed(self) -> Iterator[tuple[Tensor | None, nn.Module]]:
        """Yield the candidates of the mixture with their coefficients; the chosen one where there is none."""
        if self.switch.mixture is None:
            return super().weighed()
        return ((weight, self.candidates[index]) for index, weight in self.switch.parts())

    def _run(self, index: int, weight: Tensor | None, args: tuple[Any, ...]) -> Tensor:
        """Return the coefficient times what a candidate gives."""
        plan = self._plan(index) if len(args) == 1 else None
        if plan is not None and isinstance(args[0], Tensor):
            y: Tensor = untouched(partial(plan.run, weight=weight), args[0])
            return y
        y = untouched(self.candidates[index], *args)
        return y if weight is None else weight * y

    def _plan(self, index: int) -> Plan | None:
        """Return how a candidate is run layer by layer; it is found out once."""
        candidate = self.candidates[index]
        known = self._plans.get(index)
        if known is None or known[0] is not candidate:
            known = self._plans[index] = (candidate, planned(candidate))
        return known[1]

    def _parts(self) -> list[tuple[int, Tensor | None]]:
        """Return what is computed: not what gives zeros, unless nothing else is there."""
        parts = list(self.switch.parts())
        return [part for part in parts if part[0] not in self._nothing] or parts[:1]


@final
class Many(Routed):
    """Several of some modules; iterating yields those that are active, each with its coefficient or ``None``.

    Args:
        slots: for each slot its candidates; one entry where all slots share theirs.
        switch: the site that chooses.
        out: width of each one's output.
    """

    def __init__(self, slots: Sequence[Sequence[nn.Module]], switch: Switch, *, out: int | None = None):
        super().__init__()
        if out is not None:
            self.out = out
        self.slots = nn.ModuleList(nn.ModuleList(candidates) for candidates in slots)
        for candidates in slots:
            refuse_same_weights(_numbered(switch.name, candidates), candidates)
        self.switch = switch

    def plain_children(self) -> Iterator[nn.Module]:
        """Yield the module of each slot."""
        for module, _ in self:
            yield module

    def weighed(self) -> Iterator[tuple[Tensor | None, nn.Module]]:
        """Yield what is active."""
        return ((weight, module) for module, weight in self)

    def __iter__(self) -> Iterator[tuple[nn.Module, Tensor | None]]:
        slots: Sequence[Any] = list(self.slots)
        if self.switch.mixture is not None:
            # Slots that share candidates share a mixture; those that do not each have one of their own.
            yield from ((slot[index], weight) for slot in slots for index, weight in self.switch.parts())
            return
        for slot, choice in enumerate(self.switch.chosen):
            yield slots[slot if len(slots) > 1 else 0][choice], None


@final
class Wire(Routed):
    """An operation on one of several earlier states.

    Args:
        source: which state.
        operation: the module.
    """

    def __init__(self, source: int, operation: nn.Module):
        super().__init__()
        self.source = source
        self.operation = operation

    def plain_children(self) -> Iterator[nn.Module]:
        """Yield the operation."""
        yield self.operation

    def forward(self, states: Sequence[Tensor]) -> Tensor:
        """Run the operation on its state."""
        y: Tensor = self.operation(states[self.source])
        return y


def _numbered(site: str, candidates: Iterable[nn.Module]) -> list[str]:
    return [f"{site}[{i}]" for i, _ in enumerate(candidates)]
