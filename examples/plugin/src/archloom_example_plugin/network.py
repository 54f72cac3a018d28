# SPDX-License-Identifier: Apache-2.0
"""The network that the space builds, apart from it so that a space needs no torch."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

__all__ = ["StackNetwork"]


class StackNetwork(nn.Module):
    """Layers, the mean over all pixels, a linear classifier.

    Args:
        layers: modules from images to images.
        width: channels that the last of them gives.
        n_outputs: outputs.
    """

    def __init__(self, layers: Sequence[nn.Module], width: int, n_outputs: int):
        super().__init__()
        self.layers = nn.ModuleList(layers)
        self.width = width
        self.n_outputs = n_outputs
        self.head = nn.Linear(width, n_outputs)

    @property
    def out(self) -> int:
        """Outputs."""
        return self.n_outputs

    def forward(self, x: Tensor) -> Tensor:
        """Map ``b x c x h x w`` to ``b x n_outputs``."""
        for layer in self.layers:
            x = layer(x)
        y: Tensor = self.head(x.mean(dim=(2, 3)))
        return y
