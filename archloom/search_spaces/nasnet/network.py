# SPDX-License-Identifier: Apache-2.0
"""The blueprints of a NASNet (Zoph, Vasudevan, Shlens and Le, CVPR 2018, arXiv:1707.07012)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from archloom.errors import SpaceError, did_you_mean
from archloom.search_spaces.blueprint import Blueprint, build, out_of
from archloom.search_spaces.cell.network import counted, dropping, preprocessed, stacked, two_input_sketch
from archloom.search_spaces.nodes import wire
from archloom.search_spaces.sharing import alternatives, is_shared, routed
from archloom.search_spaces.sketch import Sketch
from archloom.search_spaces.sketching import drawn

if TYPE_CHECKING:
    from torch import nn

__all__ = ["COMBINES", "Block", "NasNet", "NasNetCell", "state_names"]

COMBINES = ("add", "concat")
"""The ways to make one state of the results of two operations."""


def state_names(n: int) -> list[str]:
    """Return what the first ``n`` states of a cell are called.

    ``input_0`` is the output of the cell before the last, ``input_1`` that of the last.

    >>> state_names(4)
    ['input_0', 'input_1', 'block_0', 'block_1']
    """
    return [f"input_{i}" if i < 2 else f"block_{i - 2}" for i in range(n)]


class Block(Blueprint):
    """Two operations, each on an earlier state of the cell, and how their results become one state.

    Args:
        source_0: the state that the first operation reads: ``input_0``, ``input_1``, ``block_0``, ...
        op_0: the first operation.
        source_1: the state that the second one reads.
        op_1: the second operation.
        combine: ``add``, or ``concat`` along the channels.
    """

    source_0: Any
    op_0: Any
    source_1: Any
    op_1: Any
    combine: Any = "add"

    def build(
        self,
        c_in: int,
        *,
        widths: Sequence[int],
        stride: int = 1,
        keep_path: float = 1.0,
        layer_ratio: float = 1.0,
    ) -> nn.Module:
        """Build the block; only operations on an input of the cell take the stride.

        Args:
            c_in: channels of the cell's inputs, and of each operation's result.
            widths: channels of the states before this one.
            stride: 2 in a reduction cell.
            keep_path: the final keep of a ``ScheduledDropPath`` on each operation; 1 for none.
            layer_ratio: how deep the cell is, for the same.
        """
        from archloom.nn import PairNode

        if is_shared():
            return self._routed(c_in, widths, stride, keep_path, layer_ratio)
        sources = [_state(source, len(widths)) for source in (self.source_0, self.source_1)]
        operations = [
            build(op, widths[source], c_out=c_in, stride=stride if source < 2 else 1)
            for op, source in zip((self.op_0, self.op_1), sources, strict=True)
        ]
        paths = [dropping(operation, keep_path, layer_ratio) for operation in operations]
        return PairNode(sources, paths, self.combine)

    def _routed(
        self, c_in: int, widths: Sequence[int], stride: int, keep_path: float, layer_ratio: float
    ) -> nn.Module:
        """Build the block of a supernet: an operation for every state that it may read."""
        from archloom.nn.routed import RoutedParallel, RoutedSumNode

        ways = alternatives(self.combine) or [self.combine]
        if len(ways) > 1:
            raise SpaceError(
                f"blocks of different widths ({' or '.join(map(str, ways))}) cannot share what reads them: "
                "give the space one of `combines`"
            )

        def half(source: Any, op: Any) -> nn.Module:
            state = _state(source, len(widths))
            step = stride if state < 2 else 1

            def made(op: Any) -> nn.Module:
                return dropping(build(op, widths[state], c_out=c_in, stride=step), keep_path, layer_ratio)

            return wire(state, routed(op, made))

        halves = [
            routed(self.source_0, lambda source: half(source, self.op_0)),
            routed(self.source_1, lambda source: half(source, self.op_1)),
        ]
        if ways[0] == "add":
            return RoutedSumNode(halves, out=c_in)
        return RoutedParallel(halves, "concat", out=2 * c_in)


class NasNetCell(Blueprint):
    """A cell of two inputs: blocks in order; those that no other block reads are the output, side by side.

    Args:
        blocks: the blocks.
    """

    blocks: list[Any]

    takes_any_width = True

    def drawn(self) -> Sketch:
        """Return the graph: both inputs, a node for each block, an operation on each edge."""
        pairs = [
            [(_state(source, index), op) for source, op in ((b.source_0, b.op_0), (b.source_1, b.op_1))]
            for index, b in enumerate(self.blocks, start=2)
        ]
        read = {source for block in pairs for source, _ in block}
        names = [f"{index} {block.combine}" for index, block in enumerate(self.blocks)]
        ends = [state for state in range(2, len(pairs) + 2) if state not in read]
        return two_input_sketch(pairs, names, ends)

    def sketches(self) -> list[Sketch]:
        """Return the graph alone."""
        return [self.drawn().titled("cell")]

    def build(
        self,
        c_in: int,
        *,
        c_before_last: int,
        c_out: int,
        stride: int = 1,
        stride_before_last: int = 1,
        keep_path: float = 1.0,
        layer_ratio: float = 1.0,
    ) -> nn.Module:
        """Build the cell.

        Args:
            c_in: channels of the last cell's output.
            c_before_last: channels of the output of the cell before it.
            c_out: channels of each operation.
            stride: 2 for a reduction; taken by the operations on the inputs.
            stride_before_last: 2 where the last cell was a reduction, so that the inputs differ in size.
            keep_path: the final keep of a ``ScheduledDropPath`` on each operation; 1 for none.
            layer_ratio: how deep the cell is, for the same.
        """
        from archloom.nn import LooseEndsCell, ReluConvBN
        from archloom.nn.routed import RoutedLooseEndsCell, picking

        widths, nodes = [c_out, c_out], list[Any]()
        for block in self.blocks:
            node = build(
                block, c_out, widths=widths, stride=stride, keep_path=keep_path, layer_ratio=layer_ratio
            )
            nodes.append(node)
            widths.append(out_of(node))
        first, second = preprocessed(c_before_last, c_out, stride_before_last), ReluConvBN(c_in, c_out, 1)
        if not is_shared():
            return LooseEndsCell(first, second, nodes)
        inputs = picking(first, c_before_last), picking(second, c_in)
        return RoutedLooseEndsCell(*inputs, nodes, widths[-1])


class NasNet(Blueprint):
    """Three stages of ``n_cells`` normal cells, with a reduction cell before the second and the third.

    A reduction halves the size and doubles the channels. A 3x3 stem of ``3 * channels`` comes before, global
    pooling and a linear layer after: the paper's network for CIFAR, without its auxiliary head.

    Args:
        normal: the normal cell.
        reduction: the reduction cell.
        channels: channels of an operation in the first stage.
        n_cells: normal cells a stage.
        keep_path: the share of the examples that keep a path in the last cell at the end of training.
    """

    normal: Any
    reduction: Any
    channels: int = 16
    n_cells: int = 1
    keep_path: float = 1.0

    def sketches(self) -> list[Sketch]:
        """Return both cells."""
        titles = counted(3 * self.n_cells + 2, {self.n_cells, 2 * self.n_cells + 1})
        return [
            drawn(cell).titled(title)
            for cell, title in zip((self.normal, self.reduction), titles, strict=True)
        ]

    def build(self, c_in: int, n_outputs: int, *, input_shape: Sequence[int] | None = None) -> nn.Module:
        """Build the network for images of ``c_in`` channels, ``b x c_in x h x w`` to ``b x n_outputs``."""
        del input_shape
        stage = [(self.normal, 1)] * self.n_cells
        parts = [*stage, (self.reduction, 2), *stage, (self.reduction, 2), *stage]
        return stacked(parts, c_in, n_outputs, channels=self.channels, keep_path=self.keep_path)


def _state(name: Any, n: int) -> int:
    """Return the number of a state by its name."""
    known = state_names(n)
    if name not in known:
        hint = did_you_mean(str(name), known)
        raise SpaceError(
            f"a block reads an earlier state of its cell, {', '.join(known)}; got {name!r}{hint}"
        )
    return known.index(name)
