# SPDX-License-Identifier: Apache-2.0
"""An operation: a convolution whose channels are weighed by what the whole image shows."""

from __future__ import annotations

from torch import Tensor, nn

__all__ = ["SqueezeExcite", "squeeze_excite"]


class SqueezeExcite(nn.Module):
    """Convolution, batch norm, ReLU, then a gate on each channel.

    The gate is a sigmoid of two linear layers of the channels' means (Hu, Shen, Sun: Squeeze-and-Excitation
    Networks, CVPR 2018). Every argument is kept under its own name, so that ``search export`` can write the
    module down again.

    Args:
        c_in: channels in.
        c_out: channels out.
        stride: 1 or 2.
        affine: whether the batch norm learns a scale and a shift.
    """

    def __init__(self, c_in: int, c_out: int, stride: int = 1, affine: bool = True):
        super().__init__()
        self.c_in = c_in
        self.c_out = c_out
        self.stride = stride
        self.affine = affine
        narrow = max(1, c_out // 4)
        self.body = nn.Sequential(
            nn.Conv2d(c_in, c_out, 3, stride, padding=1, bias=False),
            nn.BatchNorm2d(c_out, affine=affine),
            nn.ReLU(),
        )
        self.gate = nn.Sequential(
            nn.AdaptiveAvgPool2d(1),
            nn.Conv2d(c_out, narrow, 1),
            nn.ReLU(),
            nn.Conv2d(narrow, c_out, 1),
            nn.Sigmoid(),
        )

    @property
    def out(self) -> int:
        """Channels out: whoever builds upon this module asks for it."""
        return self.c_out

    def forward(self, x: Tensor) -> Tensor:
        """Map ``b x c_in x h x w`` to ``b x c_out x h' x w'``."""
        y: Tensor = self.body(x)
        gate: Tensor = self.gate(y)
        return y * gate


def squeeze_excite(
    c_in: int, *, c_out: int | None = None, stride: int = 1, affine: bool = True
) -> SqueezeExcite:
    """Build the operation; every operation has this signature."""
    return SqueezeExcite(c_in, c_out or c_in, stride, affine)
