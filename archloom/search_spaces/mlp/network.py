# SPDX-License-Identifier: Apache-2.0
"""The blueprints of a fully connected network."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from archloom.registry import Registry
from archloom.search_spaces.blueprint import Blueprint, build, out_of

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

    @property
    def label(self) -> str:
        """``dense``."""
        return "dense"

    def build(self, c_in: int) -> nn.Module:
        """Build the layer, ``b x c_in`` to ``b x width``."""
        from archloom.nn import DenseLayer

        return DenseLayer(c_in, self.width, ACTIVATIONS.get(self.activation)(), self.dropout)


class MLP(Blueprint):
    """Dense layers and a linear head; images are flattened.

    Args:
        layers: the layers; ``none`` stands for one that is not there.

    >>> build(MLP(layers=[Dense(8), "none"]), 1, 10, input_shape=(1, 4, 4)).layers[0].linear
    Linear(in_features=16, out_features=8, bias=True)
    """

    layers: list[Any]

    def build(self, c_in: int, n_outputs: int, *, input_shape: Sequence[int] | None = None) -> nn.Module:
        """Build the network.

        Args:
            c_in: features in, or channels where ``input_shape`` is given.
            n_outputs: outputs.
            input_shape: the shape of one example; its size is the number of features in.
        """
        from torch import nn

        from archloom.nn import MLP as Network  # noqa: N811

        width = c_in if input_shape is None else math.prod(input_shape)
        layers: list[nn.Module] = []
        for layer in self.layers:
            if layer != ABSENT:
                layers.append(build(layer, width))
                width = out_of(layers[-1])
        return Network(layers, nn.Linear(width, n_outputs))
