# SPDX-License-Identifier: Apache-2.0
"""Convolutions in the order of ordinary networks: convolution, normalisation, activation.

Notation: ``b`` images, ``c`` channels, ``h x w`` pixels. Padding is "same": any kernel gives
``ceil(h / stride) x ceil(w / stride)``, so that branches that meet always agree.
"""

from __future__ import annotations

from torch import Tensor, nn

__all__ = ["ConvLayer"]


class ConvLayer(nn.Module):
    """Convolution, normalisation, activation.

    Args:
        c_in: channels in.
        c_out: channels out.
        kernel_size: side of the kernel.
        stride: step of the kernel.
        dilation: spacing of the kernel.
        groups: how many parts the channels are cut into, each seeing only itself.
        bias: whether the convolution has one.
        norm: what follows the convolution.
        activation: what comes last.
    """

    def __init__(
        self,
        c_in: int,
        c_out: int,
        kernel_size: int = 3,
        stride: int = 1,
        dilation: int = 1,
        groups: int = 1,
        bias: bool = False,
        *,
        norm: nn.Module,
        activation: nn.Module,
    ):
        super().__init__()
        self.c_in = c_in
        self.c_out = c_out
        self.kernel_size = kernel_size
        self.stride = stride
        self.dilation = dilation
        self.groups = groups
        self.bias = bias
        total = dilation * (kernel_size - 1)
        # An even kernel needs one pixel more after than before, which a convolution cannot pad itself.
        self.pad = nn.ZeroPad2d((0, total % 2, 0, total % 2)) if total % 2 else nn.Identity()
        self.conv = nn.Conv2d(
            c_in, c_out, kernel_size, stride, total // 2, dilation=dilation, groups=groups, bias=bias
        )
        self.norm = norm
        self.activation = activation

    @property
    def out(self) -> int:
        """Channels out."""
        return self.c_out

    def forward(self, x: Tensor) -> Tensor:
        """Map ``b x c_in x h x w`` to ``b x c_out x h' x w'``.

        Raises:
            ValueError: no images came; torch would take tokens for a single image.
        """
        if x.ndim != 4:
            raise ValueError(f"a convolution takes images, got {tuple(x.shape)}")
        y: Tensor = self.activation(self.norm(self.conv(self.pad(x))))
        return y
