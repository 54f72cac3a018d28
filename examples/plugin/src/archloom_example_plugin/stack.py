# SPDX-License-Identifier: Apache-2.0
"""A search space: operations one after another."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import pyglove as pg

from archloom.errors import ConfigError
from archloom.search_spaces import Blueprint, SearchSpace, build, out_of

if TYPE_CHECKING:
    from torch import nn

__all__ = ["Stack", "stack"]

OPERATIONS = ("conv_1x1", "conv_3x3", "squeeze_excite")


class Stack(Blueprint):
    """Operations one after another, and a linear classifier of their means.

    Args:
        channels: the width of every operation.
        operations: names of operations.
    """

    channels: int
    operations: list[Any]

    def build(self, c_in: int, n_outputs: int, *, input_shape: Sequence[int] | None = None) -> nn.Module:
        """Build the network; parents ask the built child for its width."""
        del input_shape
        from .network import StackNetwork

        layers: list[nn.Module] = []
        width = c_in
        for operation in self.operations:
            layers.append(build(operation, width, c_out=self.channels))
            width = out_of(layers[-1])
        return StackNetwork(layers, width, n_outputs)


def stack(
    *, layers: int = 3, channels: Sequence[int] = (4, 8, 16), operations: Sequence[str] = OPERATIONS
) -> SearchSpace:
    """Make the space; its keyword-only options are the keys below ``space:`` in a study file.

    Args:
        layers: operations in a network.
        channels: widths to choose from.
        operations: names of operations to choose from.

    Raises:
        ConfigError: no layer, or fewer than two choices of something.
    """
    if layers < 1 or len(channels) < 2 or len(operations) < 2:
        raise ConfigError(
            "stack needs layers >= 1 and at least two channels and operations, "
            f"got layers={layers}, channels={list(channels)}, operations={list(operations)}"
        )
    chosen = [pg.oneof(list(operations)) for _ in range(layers)]
    return SearchSpace(Stack(channels=pg.oneof(list(channels)), operations=chosen))
