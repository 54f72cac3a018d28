# SPDX-License-Identifier: Apache-2.0
"""The inverted bottleneck of MobileNets.

Notation: ``b`` images, ``c`` channels, ``h x w`` pixels; stride 2 gives ``ceil(h / 2) x ceil(w / 2)``.
"""

from __future__ import annotations

from torch import Tensor, nn

__all__ = ["InvertedBottleneck"]


class InvertedBottleneck(nn.Module):
    """Widen by 1x1, convolve each channel by itself, narrow by 1x1; around it a shortcut where shapes allow.

    Sandler et al., "MobileNetV2", CVPR 2018, arXiv:1801.04381.

    Args:
        c_in: channels in.
        c_out: channels out.
        mid: channels inside.
        kernel_size: odd side of the depthwise kernel.
        stride: 1 or 2.
    """

    def __init__(self, c_in: int, c_out: int, mid: int, kernel_size: int = 3, stride: int = 1):
        super().__init__()
        self.c_in = c_in
        self.c_out = c_out
        self.mid = mid
        self.kernel_size = kernel_size
        self.stride = stride
        self.expand = nn.Sequential(nn.Conv2d(c_in, mid, 1, bias=False), nn.BatchNorm2d(mid), nn.ReLU6())
        self.depthwise = nn.Sequential(
            nn.Conv2d(mid, mid, kernel_size, stride, kernel_size // 2, groups=mid, bias=False),
            nn.BatchNorm2d(mid),
            nn.ReLU6(),
        )
        self.project = nn.Sequential(nn.Conv2d(mid, c_out, 1, bias=False), nn.BatchNorm2d(c_out))

    @property
    def out(self) -> int:
        """Channels out."""
        return self.c_out

    def forward(self, x: Tensor) -> Tensor:
        """Map ``b x c_in x h x w`` to ``b x c_out x h' x w'``."""
        y: Tensor = self.project(self.depthwise(self.expand(x)))
        return x + y if self.stride == 1 and self.c_in == self.c_out else y
