# SPDX-License-Identifier: Apache-2.0
"""The space of Liu, Simonyan and Yang, "DARTS: differentiable architecture search" (ICLR 2019)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from archloom.errors import ConfigError
from archloom.search_spaces.blueprint import Blueprint
from archloom.search_spaces.cell.network import counted, stacked
from archloom.search_spaces.cell.space import canonical_cell, chosen_cell, read_nodes, spell_nodes
from archloom.search_spaces.operations import DARTS, OPERATIONS
from archloom.search_spaces.sketch import Sketch
from archloom.search_spaces.sketching import drawn
from archloom.search_spaces.space import SearchSpace

if TYPE_CHECKING:
    from torch import nn

__all__ = ["DARTS_V2", "DartsNetwork", "darts"]

_CELLS = ("normal", "reduction")


class DartsNetwork(Blueprint):
    """Normal cells, with a reduction cell at one and at two thirds of the depth.

    Args:
        normal: the normal cell.
        reduction: the reduction cell.
        channels: channels of a node in the first cells.
        n_cells: how many cells, the reductions included.
        keep_path: the share of the examples that keep a path in the last cell at the end of training.
        auxiliary: the weight of the auxiliary head's loss; 0 for no such head.
    """

    normal: Any
    reduction: Any
    channels: int = 16
    n_cells: int = 8
    keep_path: float = 1.0
    auxiliary: float = 0.0

    def sketches(self) -> list[Sketch]:
        """Return both cells."""
        titles = counted(self.n_cells, self._reductions())
        return [
            drawn(cell).titled(title)
            for cell, title in zip((self.normal, self.reduction), titles, strict=True)
        ]

    def build(self, c_in: int, n_outputs: int, *, input_shape: Sequence[int] | None = None) -> nn.Module:
        """Build the network for images of ``c_in`` channels, ``b x c_in x h x w`` to ``b x n_outputs``."""
        del input_shape
        reductions = self._reductions()
        parts = [
            (self.reduction, 2) if index in reductions else (self.normal, 1) for index in range(self.n_cells)
        ]
        return stacked(
            parts,
            c_in,
            n_outputs,
            channels=self.channels,
            keep_path=self.keep_path,
            auxiliary=self.auxiliary,
        )

    def _reductions(self) -> set[int]:
        return {self.n_cells // 3, 2 * self.n_cells // 3}


def darts(
    *,
    nodes: int = 4,
    operations: Sequence[str] | None = None,
    channels: int = 16,
    n_cells: int = 8,
    keep_path: float = 1.0,
    auxiliary: float = 0.0,
) -> SearchSpace:
    """Make the space of DARTS (Liu et al., ICLR 2019, arXiv:1806.09055): a normal and a reduction cell.

    Each cell has two inputs and four nodes; a node sums two of the edges from all states before it, fourteen
    in all, by one of eight operations each, ``none`` included. The defaults are the network of the search;
    the paper's final one has ``channels: 36, n_cells: 20, keep_path: 0.8, auxiliary: 0.4`` and is trained
    with cutout. Cells that differ only in the order of their nodes share a key.

    Args:
        nodes: nodes of a cell.
        operations: names of the operations to choose from; ``None`` for DARTS' eight. Those of sharpDARTS
            (Hundt et al., 2019, arXiv:1903.09900) are ``archloom.search_spaces.operations.SHARP``.
        channels: channels of a node in the first cells.
        n_cells: cells in the network, of which two are reductions.
        keep_path: below 1, edges other than skip connections are dropped while a network is trained, on a
            schedule (``ScheduledDropPath``).
        auxiliary: the weight of the loss of an auxiliary head at two thirds of the depth; 0 for none.

    Raises:
        ConfigError: a number out of its range, or no operation.
        UnknownNameError: an operation that does not exist.

    >>> space = darts()
    >>> len(space.decisions), f"{space.size:.2e}"
    (44, '9.12e+18')
    """
    names = ["none", *DARTS] if operations is None else list(operations)
    if nodes < 1 or channels < 1 or n_cells < 3 or not names:
        raise ConfigError(
            "darts needs nodes >= 1, channels >= 1, n_cells >= 3 and at least one operation, "
            f"got nodes={nodes}, channels={channels}, n_cells={n_cells}, operations={names}"
        )
    if not 0 < keep_path <= 1 or auxiliary < 0:
        raise ConfigError(
            f"darts needs 0 < keep_path <= 1 and auxiliary >= 0, got keep_path={keep_path}, "
            f"auxiliary={auxiliary}"
        )
    for name in names:
        OPERATIONS.get(name)
    template = DartsNetwork(
        **{cell: chosen_cell(nodes, names) for cell in _CELLS},
        channels=channels,
        n_cells=n_cells,
        keep_path=float(keep_path),
        auxiliary=float(auxiliary),
    )

    def canonical(choices: Mapping[str, str | float]) -> str:
        return " | ".join(canonical_cell(read_nodes(choices, nodes, cell)) for cell in _CELLS)

    def text(choices: Mapping[str, str | float]) -> str:
        return " | ".join(f"{cell}: {spell_nodes(read_nodes(choices, nodes, cell))}" for cell in _CELLS)

    return SearchSpace(template, canonical=canonical, text=text)


_FOUND = {
    "normal": (
        (("input_0", "sep_conv_3x3"), ("input_1", "sep_conv_3x3")),
        (("input_0", "sep_conv_3x3"), ("input_1", "sep_conv_3x3")),
        (("input_0", "skip_connect"), ("input_1", "sep_conv_3x3")),
        (("input_0", "skip_connect"), ("node_0", "dil_conv_3x3")),
    ),
    "reduction": (
        (("input_0", "max_pool_3x3"), ("input_1", "max_pool_3x3")),
        (("input_1", "max_pool_3x3"), ("node_0", "skip_connect")),
        (("input_0", "max_pool_3x3"), ("node_0", "skip_connect")),
        (("input_1", "max_pool_3x3"), ("node_0", "skip_connect")),
    ),
}

DARTS_V2: dict[str, str] = {
    key: value
    for cell, found in _FOUND.items()
    for node, edges in enumerate(found)
    for slot, (source, op) in enumerate(edges)
    for path in [f"{cell}.nodes[{node}]"]
    for key, value in ((f"{path}[{slot}]", source), (f"{path}({source}).op", op))
}
"""The choices that the paper's second-order search found, for ``darts().from_choices``."""
