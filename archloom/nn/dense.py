# SPDX-License-Identifier: Apache-2.0
"""Fully connected layers and networks."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

__all__ = ["MLP", "DenseLayer"]


class DenseLayer(nn.Module):
    """``y = dropout(activation(W x + b))``.

    Args:
        c_in: features in.
        c_out: features out.
        activation: the nonlinearity.
        dropout: probability of dropping a feature while training.
    """

    def __init__(self, c_in: int, c_out: int, activation: nn.Module, dropout: float = 0.0):
        super().__init__()
        self.c_in = c_in
        self.c_out = c_out
        self.linear = nn.Linear(c_in, c_out)
        self.activation = activation
        self.dropout = dropout
        self.drop = nn.Dropout(dropout)

    @property
    def out(self) -> int:
        """Features out."""
        return self.c_out

    def forward(self, x: Tensor) -> Tensor:
        """Map vectors ``b x c_in`` or tokens ``b x t x c_in`` to ``c_out`` features.

        Raises:
            ValueError: an image came, whose last dimension is no width.
        """
        if x.ndim > 3:
            raise ValueError(
                f"a linear layer takes vectors or tokens, got {tuple(x.shape)}: flatten or pool before it"
            )
        y: Tensor = self.drop(self.activation(self.linear(x)))
        return y


class MLP(nn.Module):
    """Layers one after another and a linear head; images are flattened.

    Args:
        layers: modules from ``b x c`` to ``b x c'``.
        head: last linear layer.
    """

    def __init__(self, layers: Sequence[nn.Module], head: nn.Linear):
        super().__init__()
        self.layers = nn.ModuleList(layers)
        self.head = head

    @property
    def out(self) -> int:
        """Number of outputs."""
        return self.head.out_features

    def forward(self, x: Tensor) -> Tensor:
        """Map ``b x ...`` to ``b x out``."""
        x = x.flatten(1)
        for layer in self.layers:
            x = layer(x)
        y: Tensor = self.head(x)
        return y
