# SPDX-License-Identifier: Apache-2.0
"""The space of fully connected networks of one width, each of which holds the narrower ones."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import pyglove as pg

from archloom.errors import ConfigError
from archloom.search_spaces.blueprint import Blueprint, out_of
from archloom.search_spaces.mlp.network import ACTIVATIONS, dense_layer
from archloom.search_spaces.sharing import knob
from archloom.search_spaces.sketch import Sketch, box, chain, framed
from archloom.search_spaces.space import SearchSpace

if TYPE_CHECKING:
    from torch import nn

__all__ = ["SortedMLP", "sorted_mlp"]


class SortedMLP(Blueprint):
    """Hidden layers of one width and a linear head; images are flattened.

    Args:
        width: of every hidden layer.
        layers: how many.
        activation: a name in ``ACTIVATIONS``.
    """

    width: int
    layers: int = 2
    activation: str = "relu"

    elastic = frozenset({"width"})

    def sketches(self) -> list[Sketch]:
        """Return the layers and the head."""
        layer = box(f"dense\n{self.width} {self.activation}")
        return [framed(chain(*[layer] * self.layers, box("linear")), "network")]

    def build(self, c_in: int, n_outputs: int, *, input_shape: Sequence[int] | None = None) -> nn.Module:
        """Build the network, ``b x ...`` to ``b x n_outputs``."""
        from torch import nn

        from archloom.nn import MLP
        from archloom.nn.routed import ElasticLinear, Width

        came = c_in if input_shape is None else math.prod(input_shape)
        width, layers = knob(self.width), list[nn.Module]()
        for _ in range(self.layers):
            layers.append(dense_layer(came, width, ACTIVATIONS.get(self.activation)(), 0.0))
            came = out_of(layers[-1])
        head = ElasticLinear(came, n_outputs) if isinstance(came, Width) else nn.Linear(came, n_outputs)
        return MLP(layers, head)


def sorted_mlp(
    *, width: int = 128, n_widths: int = 16, layers: int = 2, activation: str = "relu"
) -> SearchSpace:
    """Make the space of nested networks: the first share of every hidden layer.

    Its supernet, trained with the sampler ``ordered``, is a SortedNet (Valipour et al., arXiv:2309.00255):
    any of its networks is there to be used, without a search.

    Args:
        width: features of the largest network's hidden layers.
        n_widths: how many networks; a divisor of ``width``.
        layers: hidden layers.
        activation: a name in ``ACTIVATIONS``.

    Raises:
        ConfigError: numbers that do not go together.
        UnknownNameError: an activation that does not exist.

    >>> space = sorted_mlp(width=8, n_widths=4)
    >>> [space.architecture(space.at([i])).text for i in range(4)]
    ['2 x 2', '4 x 4', '6 x 6', '8 x 8']
    """
    if n_widths < 2 or layers < 1 or width < n_widths or width % n_widths:
        raise ConfigError(
            "sorted_mlp needs layers >= 1 and a width that n_widths, at least 2, divides; got "
            f"width={width}, n_widths={n_widths}, layers={layers}"
        )
    ACTIVATIONS.get(activation)
    step = width // n_widths
    widths = [step * (i + 1) for i in range(n_widths)]

    def describe(choices: Mapping[str, str | float]) -> str:
        return " x ".join([str(choices["width"])] * layers)

    template = SortedMLP(width=pg.oneof(widths), layers=layers, activation=activation)
    return SearchSpace(template, text=describe)
