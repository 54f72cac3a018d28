# SPDX-License-Identifier: Apache-2.0
"""Layers made of layers: one after another, side by side, and around."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

from archloom.errors import SpaceError
from archloom.search_spaces.blueprints.checks import ABSENT
from archloom.search_spaces.blueprints.layer import (
    CHOSEN,
    Layer,
    Place,
    chain,
    fitted,
    fixed_width,
    flat,
    label_of_part,
    made_activation,
    part,
    takes,
)
from archloom.search_spaces.sharing import is_shared, n_slots, routed, row
from archloom.search_spaces.sketch import Sketch, around, box, joined
from archloom.search_spaces.sketch import chain as chained
from archloom.search_spaces.sketching import drawn

if TYPE_CHECKING:
    from torch import nn

__all__ = ["Parallel", "Repeat", "Residual", "Sequence"]


class Sequence(Layer):
    """Layers one after another.

    Lists among them are laid out, and ``none`` stands for a layer that is not there. As a whole network it
    ends in a ``head``, which is added where the last layer is none.

    Args:
        layers: the layers.
    """

    layers: list[Any]

    takes_any_width = True
    _parts = ("layers",)

    @property
    def label(self) -> str:
        """The layers' labels, dots for what is chosen: ``conv > ...``; by number where all are chosen."""
        labels = [label_of_part(layer) for layer in flat(_listed(self.sym_init_args.layers))]
        if set(labels) <= {CHOSEN}:
            return "sequence" if len(labels) < 2 else f"sequence({len(labels)})"
        return " > ".join(labels)

    def drawn(self) -> Sketch:
        """Return the layers that are there, one after another."""
        return chained(*map(drawn, flat(self.layers)))

    def takes(self, name: str) -> bool:
        """Whether any layer does; of ``n_outputs``, whether the last one does."""
        return takes(self.layers, name)

    def _build(self, place: Place) -> nn.Module:
        return chain(self.layers, place)


class Repeat(Layer):
    """Copies of one layer, one after another, each with its own choices.

    Args:
        layers: the copies.
    """

    layers: list[Any]

    takes_any_width = True
    _parts = ("layers",)

    @property
    def label(self) -> str:
        """How many: ``3x``."""
        return f"{len(_listed(self.sym_init_args.layers))}x"

    def drawn(self) -> Sketch:
        """Return the copies, one after another."""
        return chained(*map(drawn, flat(self.layers)))

    def takes(self, name: str) -> bool:
        """Whether any layer does; of ``n_outputs``, whether the last one does."""
        return takes(self.layers, name)

    def _build(self, place: Place) -> nn.Module:
        return chain(self.layers, place)


class Residual(Layer):
    """A body and a way around it, summed (He et al., CVPR 2016).

    The shortcut is the identity; a 1x1 projection makes another width, and average pooling a smaller size.

    Args:
        body: any layer, or a list of layers.
        width: channels out; by default what the parent asks for, else the body's.
        stride: told to the body; by default what the parent asks for.
        activation: what follows the sum: a name in ``ACTIVATIONS``, or ``none``.
    """

    body: Any
    width: int | None = None
    stride: int | None = None
    activation: str = ABSENT

    _parts = ("body",)
    _takes = frozenset({"c_out"})

    def drawn(self) -> Sketch:
        """Return the body, and an arrow around it to where both are summed."""
        whole = around(drawn(self.body), _join("add", self._told(), "body", "activation"))
        return whole if self.activation == ABSENT else chained(whole, box(self.activation))

    def takes(self, name: str) -> bool:
        """The width and the stride; a shape where the body does."""
        return name == "stride" or super().takes(name) or (name == "input_shape" and takes(self.body, name))

    def _build(self, place: Place) -> nn.Module:
        from torch import nn

        from archloom.nn import Project
        from archloom.nn import Residual as Module

        body = part(self.body, place, self.sym_path + "body")
        out = fixed_width(body)
        shortcut = nn.Identity() if out == place.c_in else Project(place.c_in, out)
        return Module(body, shortcut, made_activation(self.activation), out=out)


class Parallel(Layer):
    """Branches over one input, summed or side by side.

    Args:
        branches: layers or lists of layers.
        join: ``sum`` or ``concat``.
        width: channels out; by default what the parent asks for. For a ``sum`` each branch is asked for it,
            after a ``concat`` a 1x1 projection makes it.
    """

    branches: list[Any]
    join: Literal["sum", "concat"] = "sum"
    width: int | None = None

    _parts = ("branches",)
    _takes = frozenset({"c_out"})

    def drawn(self) -> Sketch:
        """Return the branches, and where they are joined."""
        branches = [None if branch in (None, ABSENT) else drawn(branch) for branch in self.branches]
        return joined(
            branches, _join("add" if self.join == "sum" else "concat", self._told(), "branches", "join")
        )

    def takes(self, name: str) -> bool:
        """The width; a stride or a shape where any branch does."""
        inner = name in ("stride", "input_shape") and takes(self.branches, name)
        return inner or super().takes(name)

    def _build(self, place: Place) -> nn.Module:
        if not is_shared() and not self.branches:
            raise SpaceError("parallel needs at least one branch, got none")
        asked = place if self.join == "sum" else replace(place, c_out=None)

        def joined(branches: Any) -> nn.Module:
            return self._joined(row(branches, lambda branch, at: part(branch, asked, at)))

        return fitted(routed(self.branches, joined), place, takes_stride=self.takes("stride"))

    def _joined(self, branches: list[nn.Module]) -> nn.Module:
        from archloom.nn import Parallel as Module
        from archloom.nn.routed import RoutedParallel

        widths = [width for branch in branches for width in [fixed_width(branch)] * n_slots(branch)]
        if self.join == "sum" and len(set(widths)) > 1:
            raise SpaceError(f"branches that are summed have one width, got {widths}; set `width`")
        out = widths[0] if self.join == "sum" else sum(widths)
        return (RoutedParallel if is_shared() else Module)(branches, self.join, out=out)


def _join(how: str, told: dict[str, Any], *known: str) -> str:
    """Return what stands where branches meet: how, and the fields that are not seen otherwise."""
    rest = [f"{key}={value}" for key, value in told.items() if key not in known]
    return "\n".join(filter(None, [how, ", ".join(rest)]))


def _listed(layers: Any) -> list[Any]:
    """Return layers, or the one placeholder that stands for all of them, as a list."""
    return list(layers) if isinstance(layers, list) else [layers]
