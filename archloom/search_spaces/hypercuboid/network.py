# SPDX-License-Identifier: Apache-2.0
"""The blueprints of a path through a grid of widths and operations (Hundt et al., arXiv:1903.09900)."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import TYPE_CHECKING, Any

from archloom.search_spaces.blueprint import Blueprint, build, placed
from archloom.search_spaces.sharing import alternatives, slab
from archloom.search_spaces.sketch import Sketch, box, chain, framed

if TYPE_CHECKING:
    from torch import nn

__all__ = ["GridLayer", "GridNetwork"]


class GridLayer(Blueprint):
    """An operation to a width, and dropout.

    Args:
        width: channels out.
        operation: from any width to any width: a name in ``OPERATIONS``, or a part.
        dropout: probability of dropping a channel while training.
    """

    width: int
    operation: Any
    dropout: float = 0.0

    def drawn(self) -> Sketch:
        """Return a box such as ``sep_conv_3x3``, its width, and dropout where there is some."""
        lines = [str(self.operation), str(self.width), f"dropout {self.dropout:g}" if self.dropout else ""]
        return box("\n".join(filter(None, lines)))

    def build(self, c_in: int, *, stride: int) -> nn.Module:
        """Build the layer, ``b x c_in x h x w`` to ``b x width x h' x w'``."""
        from torch import nn

        operation = build(self.operation, c_in, c_out=self.width, stride=stride, affine=True)
        return nn.Sequential(operation, nn.Dropout2d(self.dropout)) if self.dropout else operation


class GridNetwork(Blueprint):
    """A 3x3 stem, layers one after another, global pooling and a linear head.

    Its supernet has of each layer every way from each width before to each width after.

    Args:
        layers: the layers.
        strides: of each; 2 halves the size.
        stem: channels of the stem.
    """

    layers: list[GridLayer]
    strides: list[int]
    stem: int = 16

    elastic = frozenset({"layers"})

    def sketches(self) -> list[Sketch]:
        """Return the path."""
        layers = [layer.drawn() for layer in self.layers]
        return [framed(chain(box(f"conv 3x3\n{self.stem}"), *layers, box("pool, linear")), "network")]

    def build(self, c_in: int, n_outputs: int, *, input_shape: Sequence[int] | None = None) -> nn.Module:
        """Build the network for images of ``c_in`` channels, ``b x c_in x h x w`` to ``b x n_outputs``."""
        from torch import nn

        from archloom.nn import ChainNetwork, ConvBN

        del input_shape
        widths, cells = [self.stem], list[nn.Module]()
        for index, (layer, stride) in enumerate(zip(self.layers, self.strides, strict=True)):
            with placed(layer, f"layers[{index}]"):
                cells.append(_layer(layer, f"layers[{index}]", widths, stride))
            widths = _values(layer.width)
        return ChainNetwork(ConvBN(c_in, self.stem, 3), cells, _head(cells[-1], widths, n_outputs))


def _values(field: Any) -> list[Any]:
    """Return the candidates of a field, or what it holds."""
    found = alternatives(field)
    return [field] if found is None else found


def _layer(layer: GridLayer, name: str, before: Sequence[int], stride: int) -> nn.Module:
    """Build a layer; in a supernet, every way through it."""
    from archloom.nn.routed import SlabLayer

    together = slab(name)
    if together is None:
        return layer.build(before[0], stride=stride)
    after = _values(layer.width)
    ways, candidates = list[tuple[int, int]](), list[Any]()
    grid = product(enumerate(before), enumerate(after), _values(layer.operation), _values(layer.dropout))
    for (source, c_in), (target, width), operation, dropout in grid:
        ways.append((source, target))
        candidates.append(GridLayer(width, operation, dropout).build(c_in, stride=stride))
    return SlabLayer(candidates, ways, together, out=after)


def _head(last: nn.Module, widths: Sequence[int], n_outputs: int) -> nn.Module:
    """Build the head; in a supernet, one for each width."""
    from archloom.nn import PooledHead
    from archloom.nn.routed import SlabHead, SlabLayer

    heads = [PooledHead(width, n_outputs) for width in widths]
    return SlabHead(heads, last) if isinstance(last, SlabLayer) and len(heads) > 1 else heads[0]
