# SPDX-License-Identifier: Apache-2.0
"""The blueprints of a fully connected network."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from archloom.registry import Registry
from archloom.search_spaces.blueprint import Blueprint, build, out_of, sized
from archloom.search_spaces.sharing import is_shared, knob, routed
from archloom.search_spaces.sketch import Sketch, box, chain, framed
from archloom.search_spaces.sketching import drawn

if TYPE_CHECKING:
    from torch import nn

__all__ = ["ABSENT", "ACTIVATIONS", "MLP", "Dense"]

ABSENT = "none"
"""What stands for a layer that is not there."""

ACTIVATIONS = Registry(
    "activations",
    {
        "elu": "torch.nn:ELU",
        "gelu": "torch.nn:GELU",
        "leaky_relu": "torch.nn:LeakyReLU",
        "mish": "torch.nn:Mish",
        "relu": "torch.nn:ReLU",
        "selu": "torch.nn:SELU",
        "sigmoid": "torch.nn:Sigmoid",
        "silu": "torch.nn:SiLU",
        "tanh": "torch.nn:Tanh",
    },
)
"""Activation name to module class."""


class Dense(Blueprint):
    """A linear layer, an activation and dropout.

    Args:
        width: features out.
        activation: a name in ``ACTIVATIONS``.
        dropout: probability of dropping a feature while training.
    """

    width: int
    activation: str = "relu"
    dropout: float = 0.0

    elastic = frozenset({"width", "activation", "dropout"})
    takes_any_width = True

    def drawn(self) -> Sketch:
        """Return a box with the width, the activation and the dropout, where there is any."""
        dropped = f", dropout {self.dropout:g}" if self.dropout else ""
        return box(f"dense\n{self.width} {self.activation}{dropped}")

    @property
    def label(self) -> str:
        """``dense``."""
        return "dense"

    def build(self, c_in: int) -> nn.Module:
        """Build the layer, ``b x c_in`` to ``b x width``."""
        activation = routed(self.activation, lambda name: ACTIVATIONS.get(name)())
        return dense_layer(c_in, knob(self.width), activation, self.dropout)


def dense_layer(c_in: int, width: Any, activation: nn.Module, dropout: Any) -> nn.Module:
    """Make a dense layer; in a supernet its width may be a knob, and its dropout chosen."""
    from torch import nn

    from archloom.nn import DenseLayer
    from archloom.nn.routed import Knob, Width, largest, slicing

    if not is_shared():
        return DenseLayer(c_in, width, activation, dropout)
    wide = Width(largest(width)) if isinstance(width, Knob) else width
    layer = DenseLayer(c_in, wide, activation)
    layer.drop = routed(dropout, nn.Dropout)  # type: ignore[assignment]
    return slicing(layer, width) if isinstance(wide, Width) or isinstance(c_in, Width) else layer


class MLP(Blueprint):
    """Dense layers and a linear head; images are flattened.

    Args:
        layers: the layers; ``none`` stands for one that is not there.

    >>> build(MLP(layers=[Dense(8), "none"]), 1, 10, input_shape=(1, 4, 4)).layers[0].linear
    Linear(in_features=16, out_features=8, bias=True)
    """

    layers: list[Any]

    def sketches(self) -> list[Sketch]:
        """Return the layers that are there, and the head."""
        layers = [drawn(layer) for layer in self.layers if layer != ABSENT]
        return [framed(chain(*layers, box("linear")), "network")]

    def build(self, c_in: int, n_outputs: int, *, input_shape: Sequence[int] | None = None) -> nn.Module:
        """Build the network.

        Args:
            c_in: features in, or channels where ``input_shape`` is given.
            n_outputs: outputs.
            input_shape: the shape of one example; its size is the number of features in.
        """
        from torch import nn

        from archloom.nn import MLP as Network  # noqa: N811
        from archloom.nn.routed import ElasticLinear, Width

        width = c_in if input_shape is None else math.prod(input_shape)
        layers: list[nn.Module] = []
        for layer in self.layers:
            if is_shared() or layer != ABSENT:
                layers.append(routed(layer, partial(_layer, width)))
                width = out_of(layers[-1])
        head = ElasticLinear(width, n_outputs) if isinstance(width, Width) else nn.Linear(width, n_outputs)
        return Network(layers, head)


def _layer(width: int, layer: Any) -> nn.Module:
    """Build a layer; one that is not there passes on whatever comes."""
    from torch import nn

    from archloom.nn.routed import Width

    return sized(nn.Identity(), Width(width)) if layer == ABSENT else build(layer, width)
