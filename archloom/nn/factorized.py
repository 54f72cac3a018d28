# SPDX-License-Identifier: Apache-2.0
"""A square convolution taken apart into a row and a column."""

from __future__ import annotations

from torch import Tensor, nn

__all__ = ["FactorizedConv"]


class FactorizedConv(nn.Module):
    """ReLU, a ``1 x k`` convolution, a ``k x 1`` convolution, batch norm.

    The two see as much as a ``k x k`` one with ``2 / k`` of its weights (Szegedy et al., "Rethinking the
    Inception architecture", CVPR 2016, arXiv:1512.00567). Each takes the stride along its own side.

    Args:
        c_in: channels in.
        c_out: channels out, and between the two.
        kernel_size: odd length of the row and of the column.
        stride: 1 or 2.
        affine: whether the batch norm learns a scale and a shift.
    """

    def __init__(self, c_in: int, c_out: int, kernel_size: int, stride: int = 1, affine: bool = True):
        super().__init__()
        self.c_in = c_in
        self.c_out = c_out
        self.kernel_size = kernel_size
        self.stride = stride
        self.affine = affine
        half = kernel_size // 2
        self.body = nn.Sequential(
            nn.ReLU(),
            nn.Conv2d(c_in, c_out, (1, kernel_size), (1, stride), (0, half), bias=False),
            nn.Conv2d(c_out, c_out, (kernel_size, 1), (stride, 1), (half, 0), bias=False),
            nn.BatchNorm2d(c_out, affine=affine),
        )

    @property
    def out(self) -> int:
        """Channels out."""
        return self.c_out

    def forward(self, x: Tensor) -> Tensor:
        """Map ``b x c_in x h x w`` to ``b x c_out x h' x w'``."""
        y: Tensor = self.body(x)
        return y
