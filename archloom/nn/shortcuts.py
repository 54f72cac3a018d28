# SPDX-License-Identifier: Apache-2.0
"""Operations that compute little: nothing, the identity, pooling, and the residual reduction.

As in ``blocks``, stride 2 gives ``ceil(h / 2) x ceil(w / 2)``, down to a single pixel.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from archloom.nn.blocks import ReluConvBN

__all__ = ["FactorizedReduce", "Pool", "ResidualReduction", "Skip", "Zero"]


class Zero(nn.Module):
    """No connection: zeros of the shape that any other operation would give.

    Args:
        c_in: channels in.
        c_out: channels out.
        stride: 1 or 2.
    """

    def __init__(self, c_in: int, c_out: int, stride: int = 1):
        super().__init__()
        self.c_in = c_in
        self.c_out = c_out
        self.stride = stride

    @property
    def out(self) -> int:
        """Channels out."""
        return self.c_out

    def forward(self, x: Tensor) -> Tensor:
        """Map ``b x c_in x h x w`` to zeros, ``b x c_out x h' x w'``."""
        height, width = (-(-size // self.stride) for size in x.shape[-2:])
        return x.new_zeros(x.shape[0], self.c_out, height, width)


class FactorizedReduce(nn.Module):
    """Halve the spatial size by two 1x1 convolutions, one of them shifted by a pixel.

    Together they see half of the pixels, where a single strided one would see a quarter (Liu et al.,
    "DARTS", ICLR 2019). The shift pads below and to the right, so that odd sizes and single pixels pass.

    Args:
        c_in: channels in.
        c_out: channels out; half of them (rounded down) come from the unshifted convolution.
        affine: whether the batch norm learns a scale and a shift.
    """

    def __init__(self, c_in: int, c_out: int, affine: bool = True):
        super().__init__()
        self.c_in = c_in
        self.c_out = c_out
        self.affine = affine
        self.relu = nn.ReLU()
        self.straight = nn.Conv2d(c_in, c_out // 2, 1, stride=2, bias=False)
        self.shifted = nn.Conv2d(c_in, c_out - c_out // 2, 1, stride=2, bias=False)
        self.pad = nn.ConstantPad2d((0, 1, 0, 1), 0.0)
        self.norm = nn.BatchNorm2d(c_out, affine=affine)

    @property
    def out(self) -> int:
        """Channels out."""
        return self.c_out

    def forward(self, x: Tensor) -> Tensor:
        """Map ``b x c_in x h x w`` to ``b x c_out x ceil(h / 2) x ceil(w / 2)``."""
        x = self.relu(x)
        halves = [self.straight(x), self.shifted(self.pad(x)[:, :, 1:, 1:])]
        y: Tensor = self.norm(torch.cat(halves, dim=1))
        return y


class Skip(nn.Module):
    """A skip connection: the identity where shapes allow, else the cheapest map that fits.

    Stride 2 takes a ``FactorizedReduce``, a mere change of width a 1x1 ``ReluConvBN``.

    Args:
        c_in: channels in.
        c_out: channels out.
        stride: 1 or 2.
        affine: whether the batch norm, where there is one, learns a scale and a shift.
    """

    def __init__(self, c_in: int, c_out: int, stride: int = 1, affine: bool = True):
        super().__init__()
        self.c_in = c_in
        self.c_out = c_out
        self.stride = stride
        self.affine = affine
        self.body: nn.Module
        if stride == 2:
            self.body = FactorizedReduce(c_in, c_out, affine)
        elif c_in != c_out:
            self.body = ReluConvBN(c_in, c_out, 1, affine=affine)
        else:
            self.body = nn.Identity()

    @property
    def out(self) -> int:
        """Channels out."""
        return self.c_out

    def forward(self, x: Tensor) -> Tensor:
        """Map ``b x c_in x h x w`` to ``b x c_out x h' x w'``."""
        y: Tensor = self.body(x)
        return y


class Pool(nn.Module):
    """Average or maximum pooling; padding is not counted in an average.

    A change of width is made by a 1x1 ``ReluConvBN`` before it (Dong and Yang, "NAS-Bench-201", ICLR
    2020). Neither that benchmark nor DARTS' final networks normalise what was pooled; DARTS' supernet
    does, by a batch norm without scale and shift (``norm=True, affine=False``).

    Args:
        c_in: channels in.
        c_out: channels out.
        mode: ``avg`` or ``max``.
        kernel_size: side of the window; where it is even, it is also the stride.
        stride: step of the window.
        norm: whether a batch norm ends the block.
        affine: whether batch norms learn a scale and a shift.
    """

    def __init__(
        self,
        c_in: int,
        c_out: int,
        mode: str,
        kernel_size: int = 3,
        stride: int = 1,
        norm: bool = False,
        affine: bool = True,
    ):
        super().__init__()
        if mode not in ("avg", "max"):
            raise ValueError(f"mode must be 'avg' or 'max', got {mode!r}")
        if kernel_size % 2 == 0 and stride != kernel_size:
            raise ValueError(
                f"a window of even side {kernel_size} moves by its own side, got stride {stride}"
            )
        self.c_in = c_in
        self.c_out = c_out
        self.mode = mode
        self.kernel_size = kernel_size
        self.stride = stride
        self.norm = norm
        self.affine = affine
        is_odd = kernel_size % 2 == 1
        padding = kernel_size // 2 if is_odd else 0
        self.body = nn.Sequential(
            nn.Identity() if c_in == c_out else ReluConvBN(c_in, c_out, 1, affine=affine),
            nn.AvgPool2d(kernel_size, stride, padding, ceil_mode=not is_odd, count_include_pad=False)
            if mode == "avg"
            else nn.MaxPool2d(kernel_size, stride, padding, ceil_mode=not is_odd),
            nn.BatchNorm2d(c_out, affine=affine) if norm else nn.Identity(),
        )

    @property
    def out(self) -> int:
        """Channels out."""
        return self.c_out

    def forward(self, x: Tensor) -> Tensor:
        """Map ``b x c_in x h x w`` to ``b x c_out x h' x w'``."""
        y: Tensor = self.body(x)
        return y


class ResidualReduction(nn.Module):
    """The residual block of stride 2 between the stages of NAS-Bench-201 (Dong and Yang, ICLR 2020).

    ``y = pool_and_project(x) + conv3x3(conv3x3(x, stride 2))``, each convolution a ``ReluConvBN``.

    Args:
        c_in: channels in.
        c_out: channels out.
        affine: whether batch norms learn a scale and a shift.
    """

    def __init__(self, c_in: int, c_out: int, affine: bool = True):
        super().__init__()
        self.c_in = c_in
        self.c_out = c_out
        self.affine = affine
        self.residual = nn.Sequential(
            ReluConvBN(c_in, c_out, 3, stride=2, affine=affine), ReluConvBN(c_out, c_out, 3, affine=affine)
        )
        self.shortcut = nn.Sequential(
            # ceil_mode: an odd size rounds up, as the strided convolution beside it does.
            nn.AvgPool2d(2, ceil_mode=True, count_include_pad=False),
            nn.Conv2d(c_in, c_out, 1, bias=False),
        )

    @property
    def out(self) -> int:
        """Channels out."""
        return self.c_out

    def forward(self, x: Tensor) -> Tensor:
        """Map ``b x c_in x h x w`` to ``b x c_out x ceil(h / 2) x ceil(w / 2)``."""
        y: Tensor = self.shortcut(x) + self.residual(x)
        return y
