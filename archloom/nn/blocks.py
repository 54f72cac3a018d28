# SPDX-License-Identifier: Apache-2.0
"""Convolution blocks with batch normalisation.

Notation: ``b`` images, ``c`` channels, ``h x w`` pixels. Every block keeps the spatial size at
stride 1 and gives ``ceil(h / stride) x ceil(w / stride)`` otherwise, so that a size never vanishes
and the edges that meet at a node always agree.
"""

from __future__ import annotations

from torch import Tensor, nn

__all__ = ["ConvBN", "ReluConvBN", "SeparableConv"]


class ReluConvBN(nn.Module):
    """ReLU, convolution, batch norm: the order of cell-based search spaces.

    Activation comes first so that the sum at a node is of normalised, unclipped values
    (Liu et al., "DARTS: Differentiable Architecture Search", ICLR 2019).

    Args:
        c_in: channels in.
        c_out: channels out.
        kernel_size: odd side of the kernel.
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
        self.body = nn.Sequential(
            nn.ReLU(),
            nn.Conv2d(c_in, c_out, kernel_size, stride, padding=kernel_size // 2, bias=False),
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


class ConvBN(nn.Module):
    """Convolution, batch norm and, unless ``activation`` is false, ReLU.

    With activation it is the operation of NAS-Bench-101 (Ying et al., ICML 2019); without, a stem.

    Args:
        c_in: channels in.
        c_out: channels out.
        kernel_size: odd side of the kernel.
        stride: 1 or 2.
        affine: whether the batch norm learns a scale and a shift.
        activation: whether a ReLU ends the block.
    """

    def __init__(
        self,
        c_in: int,
        c_out: int,
        kernel_size: int,
        stride: int = 1,
        affine: bool = True,
        activation: bool = True,
    ):
        super().__init__()
        self.c_in = c_in
        self.c_out = c_out
        self.kernel_size = kernel_size
        self.stride = stride
        self.affine = affine
        self.activation = activation
        self.body = nn.Sequential(
            nn.Conv2d(c_in, c_out, kernel_size, stride, padding=kernel_size // 2, bias=False),
            nn.BatchNorm2d(c_out, affine=affine),
            nn.ReLU() if activation else nn.Identity(),
        )

    @property
    def out(self) -> int:
        """Channels out."""
        return self.c_out

    def forward(self, x: Tensor) -> Tensor:
        """Map ``b x c_in x h x w`` to ``b x c_out x h' x w'``."""
        y: Tensor = self.body(x)
        return y


class SeparableConv(nn.Module):
    """ReLU, depthwise and pointwise convolution, batch norm, ``n_repeats`` times.

    DARTS' separable convolution repeats twice, the first time with the stride; its dilated one does
    not repeat and has dilation 2 (Liu et al., ICLR 2019).

    Args:
        c_in: channels in.
        c_out: channels out.
        kernel_size: odd side of the depthwise kernel.
        stride: 1 or 2, applied by the first repeat.
        dilation: spacing of the depthwise kernel.
        n_repeats: how many times; all but the last keep ``c_in`` channels.
        affine: whether the batch norms learn a scale and a shift.
    """

    def __init__(
        self,
        c_in: int,
        c_out: int,
        kernel_size: int,
        stride: int = 1,
        dilation: int = 1,
        n_repeats: int = 1,
        affine: bool = True,
    ):
        super().__init__()
        self.c_in = c_in
        self.c_out = c_out
        self.kernel_size = kernel_size
        self.stride = stride
        self.dilation = dilation
        self.n_repeats = n_repeats
        self.affine = affine
        padding = dilation * (kernel_size // 2)
        layers: list[nn.Module] = []
        for repeat in range(n_repeats):
            width = c_out if repeat == n_repeats - 1 else c_in
            step = stride if repeat == 0 else 1
            layers += [
                nn.ReLU(),
                nn.Conv2d(c_in, c_in, kernel_size, step, padding, dilation, groups=c_in, bias=False),
                nn.Conv2d(c_in, width, 1, bias=False),
                nn.BatchNorm2d(width, affine=affine),
            ]
        self.body = nn.Sequential(*layers)

    @property
    def out(self) -> int:
        """Channels out."""
        return self.c_out

    def forward(self, x: Tensor) -> Tensor:
        """Map ``b x c_in x h x w`` to ``b x c_out x h' x w'``."""
        y: Tensor = self.body(x)
        return y
