# SPDX-License-Identifier: Apache-2.0
"""The space of paths through a grid of widths, operations and dropout."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from archloom.errors import ConfigError
from archloom.search_spaces.choosing import among
from archloom.search_spaces.hypercuboid.network import GridLayer, GridNetwork
from archloom.search_spaces.space import SearchSpace

__all__ = ["hypercuboid"]

_AXES = ("width", "operation", "dropout")


def hypercuboid(
    *,
    widths: Sequence[int] = (32, 64, 128, 256, 512),
    operations: Sequence[Any] = ("max_pool_3x3", "sharp_sep_conv_3x3"),
    strides: Sequence[int] = (1, 2, 1, 2),
    dropouts: Sequence[float] = (0.0,),
    stem: int = 16,
) -> SearchSpace:
    """Make the hypercuboid of sharpDARTS: for each layer a width, an operation, and how much is dropped.

    Hundt, Jain, Hager: sharpDARTS, 2019, arXiv:1903.09900: a grid search by gradients. A strategy that
    follows them weighs all combinations of a layer's numbers with the width before it (a *slab*) in one
    softmax, and derives the path whose coefficients sum to the most. Other strategies meet plain choices.

    Args:
        widths: channels of a layer to choose from.
        operations: to choose from: names in ``OPERATIONS``, or parts that take any width and give any.
        strides: of the layers, one each; 2 halves the size.
        dropouts: probabilities to choose from of dropping a channel after the operation.
        stem: channels of the 3x3 stem.

    Raises:
        ConfigError: numbers that do not go together, or one candidate of everything.

    >>> space = hypercuboid(widths=[8, 16, 32], operations=["max_pool_3x3", "nor_conv_3x3"], strides=[1, 2])
    >>> space.size, space.slabs["layers[1]"]
    (36, ('layers[0].width', 'layers[1].width', 'layers[1].operation'))
    >>> space.architecture(space.at([7])).text
    '16 max_pool_3x3, 16 max_pool_3x3'
    """
    axes: tuple[Sequence[Any], ...] = (widths, operations, dropouts)
    _check(axes, strides, stem)

    def layer() -> GridLayer:
        return GridLayer(*(among(list(values)) for values in axes))

    template = GridNetwork([layer() for _ in strides], list(strides), stem)
    chosen = [name for name, values in zip(_AXES, axes, strict=True) if len(values) > 1]

    def describe(choices: Mapping[str, str | float]) -> str:
        layers = ([choices.get(f"layers[{i}].{name}") for name in chosen] for i, _ in enumerate(strides))
        return ", ".join(" ".join(str(label) for label in layer) for layer in layers)

    return SearchSpace(template, text=describe, slabs=_slabs(chosen, len(strides)))


def _slabs(chosen: Sequence[str], n_layers: int) -> dict[str, list[str]]:
    """Return what is weighed together: of each layer what is chosen, and the width before it."""
    found = {}
    for index in range(n_layers):
        before = [f"layers[{index - 1}].width"] if index and "width" in chosen else []
        found[f"layers[{index}]"] = [*before, *(f"layers[{index}].{name}" for name in chosen)]
    return found


def _check(axes: Sequence[Sequence[Any]], strides: Sequence[int], stem: int) -> None:
    widths, operations, dropouts = axes
    if not strides or set(strides) - {1, 2} or stem < 1:
        raise ConfigError(
            f"hypercuboid needs strides of 1 or 2, one a layer, and a stem from 1 on; got "
            f"strides={list(strides)}, stem={stem}"
        )
    if not widths or min(widths) < 1 or len(set(widths)) < len(widths):
        raise ConfigError(f"hypercuboid needs different widths, from 1 on; got {list(widths)}")
    if not dropouts or not all(0 <= p < 1 for p in dropouts) or len(set(dropouts)) < len(dropouts):
        raise ConfigError(f"hypercuboid needs different dropouts in [0, 1); got {list(dropouts)}")
    if not operations:
        raise ConfigError("hypercuboid needs at least one operation")
    if all(len(values) == 1 for values in axes):
        raise ConfigError("hypercuboid has one candidate of everything: there is nothing to choose")
