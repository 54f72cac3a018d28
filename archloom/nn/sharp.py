# SPDX-License-Identifier: Apache-2.0
"""The separable convolution of sharpDARTS, whose middle may be wider or narrower than its ends.

Notation: ``b`` images, ``c`` channels, ``h x w`` pixels; stride 2 gives ``ceil(h / 2) x ceil(w / 2)``.
"""

from __future__ import annotations

from torch import Tensor, nn

__all__ = ["SharpSeparableConv"]


class SharpSeparableConv(nn.Module):
    """Two depthwise-separable convolutions with a middle of its own width: sharpDARTS' SharpSepConv.

    ReLU, depthwise ``k x k`` with the stride and the dilation, pointwise to ``c_mid``, batch norm; then ReLU,
    depthwise ``k x k`` without either, pointwise to ``c_out``, batch norm. The middle has ``c_mid = c_out *
    multiplier`` channels, or ``bottleneck``. With depthwise weights for each kernel, pointwise ones, and a
    scale and a shift for either norm it has
    ``k^2 (c_in + c_mid) + c_mid (c_in + c_out) + 2 (c_mid + c_out)`` parameters
    (Hundt, Jain and Hager, "sharpDARTS: faster and more accurate differentiable architecture search", 2019,
    arXiv:1903.09900).

    Padding follows from the kernel and its dilation. The authors' code writes it out for each operation, and
    for their 5x5 dilated flood convolution writes half of what it takes: there, images become smaller.

    Args:
        c_in: channels in.
        c_out: channels out.
        kernel_size: odd side of both depthwise kernels.
        stride: 1 or 2, applied by the first.
        dilation: spacing of the first.
        multiplier: channels in the middle for each channel out.
        bottleneck: channels in the middle, whatever goes out; ``None`` for the multiple.
        affine: whether the batch norms learn a scale and a shift.
    """

    def __init__(
        self,
        c_in: int,
        c_out: int,
        kernel_size: int = 3,
        stride: int = 1,
        dilation: int = 1,
        multiplier: int = 1,
        bottleneck: int | None = None,
        affine: bool = True,
    ):
        super().__init__()
        if bottleneck is not None and multiplier != 1:
            raise ValueError(
                "the width of the middle is a multiple or fixed, "
                f"got multiplier={multiplier} and bottleneck={bottleneck}"
            )
        self.c_in = c_in
        self.c_out = c_out
        self.kernel_size = kernel_size
        self.stride = stride
        self.dilation = dilation
        self.multiplier = multiplier
        self.bottleneck = bottleneck
        self.affine = affine
        c_mid = c_out * multiplier if bottleneck is None else bottleneck
        half = kernel_size // 2
        self.body = nn.Sequential(
            nn.ReLU(),
            nn.Conv2d(c_in, c_in, kernel_size, stride, dilation * half, dilation, groups=c_in, bias=False),
            nn.Conv2d(c_in, c_mid, 1, bias=False),
            nn.BatchNorm2d(c_mid, affine=affine),
            nn.ReLU(),
            nn.Conv2d(c_mid, c_mid, kernel_size, padding=half, groups=c_mid, bias=False),
            nn.Conv2d(c_mid, c_out, 1, bias=False),
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
