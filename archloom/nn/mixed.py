# SPDX-License-Identifier: Apache-2.0
"""The inverted bottleneck of MixPath: several depthwise kernels, summed.

Notation: ``b`` images, ``c`` channels, ``h x w`` pixels; stride 2 gives ``ceil(h / 2) x ceil(w / 2)``.
"""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

__all__ = ["MixedBottleneck", "MixedConv"]


class MixedConv(nn.Module):
    """The sum of depthwise convolutions of several kernels, ``y = sum_k conv_k(x)``.

    Args:
        width: channels.
        kernel_sizes: odd sides of the kernels.
        stride: 1 or 2.
    """

    def __init__(self, width: int, kernel_sizes: Sequence[int], stride: int = 1):
        super().__init__()
        self.width = width
        self.kernel_sizes = list(kernel_sizes)
        self.stride = stride
        self.convs = nn.ModuleList(
            nn.Conv2d(width, width, k, stride, k // 2, groups=width, bias=False) for k in kernel_sizes
        )

    @property
    def out(self) -> int:
        """Channels out."""
        return self.width

    def forward(self, x: Tensor) -> Tensor:
        """Map ``b x c x h x w`` to ``b x c x h' x w'``."""
        convs = list(self.convs)
        total: Tensor = convs[0](x)
        for conv in convs[1:]:
            total = total + conv(x)
        return total


class MixedBottleneck(nn.Module):
    """Widen by 1x1, sum depthwise kernels, narrow by 1x1; around it a shortcut where shapes allow.

    Chu et al., "MixPath: a unified approach for one-shot neural architecture search", ICCV 2023,
    arXiv:2001.05887.

    Args:
        c_in: channels in.
        c_out: channels out.
        mid: channels inside.
        mixed: from ``mid`` to ``mid`` channels, with the stride.
        norm: what ends the block.
        stride: 1 or 2.
    """

    def __init__(self, c_in: int, c_out: int, mid: int, mixed: nn.Module, norm: nn.Module, stride: int = 1):
        super().__init__()
        self.c_in = c_in
        self.c_out = c_out
        self.mid = mid
        self.stride = stride
        self.expand = nn.Sequential(nn.Conv2d(c_in, mid, 1, bias=False), nn.BatchNorm2d(mid), nn.ReLU())
        self.mixed = mixed
        self.relu = nn.ReLU()  # not ReLU6, which would clip what several kernels add up to
        self.project = nn.Conv2d(mid, c_out, 1, bias=False)
        self.norm = norm

    @property
    def out(self) -> int:
        """Channels out."""
        return self.c_out

    def forward(self, x: Tensor) -> Tensor:
        """Map ``b x c_in x h x w`` to ``b x c_out x h' x w'``."""
        y: Tensor = self.norm(self.project(self.relu(self.mixed(self.expand(x)))))
        return x + y if self.stride == 1 and self.c_in == self.c_out else y
