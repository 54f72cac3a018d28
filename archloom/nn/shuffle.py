# SPDX-License-Identifier: Apache-2.0
"""The units of ShuffleNetV2, as single-path search spaces choose among them.

Notation: ``b`` images, ``c`` channels, ``h x w`` pixels; stride 2 gives ``ceil(h / 2) x ceil(w / 2)``.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

__all__ = ["ShuffleUnit"]


class ShuffleUnit(nn.Module):
    """A unit of ShuffleNetV2 (Ma et al., ECCV 2018, arXiv:1807.11164): half of the channels pass by.

    At stride 1 every second channel passes by, ``y = [x_odd, branch(x_even)]``; the others are what mixes the
    halves (the "shuffle"). At stride 2 both see all channels, ``y = [shortcut(x), branch(x)]``.

    The branch is 1x1, depthwise, 1x1; with ``n_depthwise`` 3 it is depthwise and 1x1 three times over, the
    "Xception-like" choice of Guo et al. (ECCV 2020, arXiv:1904.00420).

    Args:
        c_in: channels in; even at stride 1.
        c_out: channels out; at stride 1 ``c_in``, at stride 2 more.
        mid: channels inside the branch.
        kernel_size: odd side of the depthwise kernels.
        stride: 1 or 2.
        n_depthwise: 1 or 3.
    """

    def __init__(
        self, c_in: int, c_out: int, mid: int, kernel_size: int = 3, stride: int = 1, n_depthwise: int = 1
    ):
        super().__init__()
        if stride == 1 and (c_in != c_out or c_in % 2):
            raise ValueError(f"a unit of stride 1 keeps an even width, got {c_in} and {c_out}")
        if stride == 2 and c_out <= c_in:
            raise ValueError(f"a unit of stride 2 makes more channels, got {c_in} and {c_out}")
        if n_depthwise not in (1, 3):
            raise ValueError(f"a unit has 1 or 3 depthwise convolutions, got {n_depthwise}")
        self.c_in = c_in
        self.c_out = c_out
        self.mid = mid
        self.kernel_size = kernel_size
        self.stride = stride
        self.n_depthwise = n_depthwise
        came = c_in // 2 if stride == 1 else c_in
        if n_depthwise == 1:
            inner = [*_pointwise(came, mid), *_depthwise(mid, kernel_size, stride)]
        else:
            inner = [
                *_depthwise(came, kernel_size, stride),
                *_pointwise(came, mid),
                *_depthwise(mid, kernel_size, 1),
                *_pointwise(mid, mid),
                *_depthwise(mid, kernel_size, 1),
            ]
        self.inner = nn.Sequential(*inner)
        self.end = nn.Sequential(*_pointwise(mid, c_out - came))
        passing = [*_depthwise(came, kernel_size, 2), *_pointwise(came, came)] if stride == 2 else []
        self.shortcut = nn.Sequential(*passing)

    @property
    def out(self) -> int:
        """Channels out."""
        return self.c_out

    def forward(self, x: Tensor) -> Tensor:
        """Map ``b x c_in x h x w`` to ``b x c_out x h' x w'``."""
        passing, taken = (x, x) if self.stride == 2 else (x[:, 0::2], x[:, 1::2])
        return torch.cat([self.shortcut(passing), self.end(self.inner(taken))], dim=1)


def _pointwise(c_in: int, c_out: int) -> list[nn.Module]:
    return [nn.Conv2d(c_in, c_out, 1, bias=False), nn.BatchNorm2d(c_out), nn.ReLU()]


def _depthwise(width: int, kernel_size: int, stride: int) -> list[nn.Module]:
    conv = nn.Conv2d(width, width, kernel_size, stride, kernel_size // 2, groups=width, bias=False)
    return [conv, nn.BatchNorm2d(width)]
