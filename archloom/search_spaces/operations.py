# SPDX-License-Identifier: Apache-2.0
"""Named operations for the edges of image cells.

Each is a recipe ``(c_in, *, c_out=None, stride=1, affine=True) -> nn.Module`` for stride 1 or 2:
``c_out`` defaults to ``c_in``, and ``affine`` says whether batch norms learn a scale and a shift.

* ``none``, ``skip_connect``, ``nor_conv_1x1``, ``nor_conv_3x3``, ``avg_pool_3x3``: the five of
  NAS-Bench-201 (Dong and Yang, ICLR 2020); a "nor_conv" is ReLU, convolution, batch norm.
* ``max_pool_3x3``, ``sep_conv_3x3``, ``sep_conv_5x5``, ``dil_conv_3x3``, ``dil_conv_5x5``: with
  ``none``, ``skip_connect`` and ``avg_pool_3x3`` the eight of DARTS (Liu et al., ICLR 2019).
* ``conv_1x1``, ``conv_3x3``: convolution, batch norm, ReLU, those of NAS-Bench-101 (Ying et al., ICML 2019).
* ``conv_1x3_3x1``, ``conv_1x7_7x1``, ``sep_conv_7x7``, ``max_pool_5x5``, ``max_pool_7x7``: with eight of the
  above, ``NASNET``, the thirteen of NASNet (Zoph et al., CVPR 2018).
* ``sharp_sep_conv_3x3``, ``sharp_dil_conv_3x3``, ``flood_conv_3x3``, ``dil_flood_conv_3x3``,
  ``choke_conv_3x3``, ``dil_choke_conv_3x3``: with three of the above ``SHARP``, those of sharpDARTS (Hundt,
  Jain and Hager, 2019).

Plug-ins add names through the entry-point group ``archloom.operations``; an import path
``package.module:function`` stands wherever a name does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from archloom.registry import Registry

if TYPE_CHECKING:
    from torch import nn

__all__ = ["DARTS", "NASBENCH201", "NASNET", "OPERATIONS", "SHARP"]

NASBENCH201 = ("none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3")
"""The operations of NAS-Bench-201, in the benchmark's order."""

DARTS = (
    "max_pool_3x3",
    "avg_pool_3x3",
    "skip_connect",
    "sep_conv_3x3",
    "sep_conv_5x5",
    "dil_conv_3x3",
    "dil_conv_5x5",
)
"""The operations that an architecture of DARTS' space may end with (all of its eight but ``none``)."""

NASNET = (
    "skip_connect",
    "conv_1x3_3x1",
    "conv_1x7_7x1",
    "dil_conv_3x3",
    "avg_pool_3x3",
    "max_pool_3x3",
    "max_pool_5x5",
    "max_pool_7x7",
    "nor_conv_1x1",
    "nor_conv_3x3",
    "sep_conv_3x3",
    "sep_conv_5x5",
    "sep_conv_7x7",
)
"""The operations of NASNet, in the paper's order; its convolutions are ReLU, convolution, batch norm."""

SHARP = (
    "none",
    "max_pool_3x3",
    "skip_connect",
    "sharp_sep_conv_3x3",
    "sharp_dil_conv_3x3",
    "flood_conv_3x3",
    "dil_flood_conv_3x3",
    "choke_conv_3x3",
    "dil_choke_conv_3x3",
)
"""The operations of sharpDARTS, all nine: ``darts(operations=SHARP)`` is its space.

Its first two convolutions are ``sep_conv_3x3`` and ``dil_conv_3x3`` in the paper; here these are DARTS' own.
"""


def none(c_in: int, *, c_out: int | None = None, stride: int = 1, affine: bool = True) -> nn.Module:
    """No connection: zeros."""
    from archloom.nn import Zero

    del affine
    return Zero(c_in, c_out or c_in, stride)


def skip_connect(c_in: int, *, c_out: int | None = None, stride: int = 1, affine: bool = True) -> nn.Module:
    """The identity, or a factorised reduction at stride 2."""
    from archloom.nn import Skip

    return Skip(c_in, c_out or c_in, stride, affine)


def avg_pool_3x3(c_in: int, *, c_out: int | None = None, stride: int = 1, affine: bool = True) -> nn.Module:
    """Average pooling."""
    from archloom.nn import Pool

    return Pool(c_in, c_out or c_in, "avg", stride=stride, affine=affine)


def max_pool_3x3(c_in: int, *, c_out: int | None = None, stride: int = 1, affine: bool = True) -> nn.Module:
    """Maximum pooling."""
    from archloom.nn import Pool

    return Pool(c_in, c_out or c_in, "max", stride=stride, affine=affine)


def max_pool_5x5(c_in: int, *, c_out: int | None = None, stride: int = 1, affine: bool = True) -> nn.Module:
    """Maximum pooling over 5x5."""
    from archloom.nn import Pool

    return Pool(c_in, c_out or c_in, "max", 5, stride, affine=affine)


def max_pool_7x7(c_in: int, *, c_out: int | None = None, stride: int = 1, affine: bool = True) -> nn.Module:
    """Maximum pooling over 7x7."""
    from archloom.nn import Pool

    return Pool(c_in, c_out or c_in, "max", 7, stride, affine=affine)


def nor_conv_1x1(c_in: int, *, c_out: int | None = None, stride: int = 1, affine: bool = True) -> nn.Module:
    """ReLU, 1x1 convolution, batch norm."""
    from archloom.nn import ReluConvBN

    return ReluConvBN(c_in, c_out or c_in, 1, stride, affine)


def nor_conv_3x3(c_in: int, *, c_out: int | None = None, stride: int = 1, affine: bool = True) -> nn.Module:
    """ReLU, 3x3 convolution, batch norm."""
    from archloom.nn import ReluConvBN

    return ReluConvBN(c_in, c_out or c_in, 3, stride, affine)


def sep_conv_3x3(c_in: int, *, c_out: int | None = None, stride: int = 1, affine: bool = True) -> nn.Module:
    """A 3x3 depthwise-separable convolution, applied twice."""
    return _separable(c_in, c_out, 3, stride, affine, n_repeats=2)


def sep_conv_5x5(c_in: int, *, c_out: int | None = None, stride: int = 1, affine: bool = True) -> nn.Module:
    """A 5x5 depthwise-separable convolution, applied twice."""
    return _separable(c_in, c_out, 5, stride, affine, n_repeats=2)


def sep_conv_7x7(c_in: int, *, c_out: int | None = None, stride: int = 1, affine: bool = True) -> nn.Module:
    """A 7x7 depthwise-separable convolution, applied twice."""
    return _separable(c_in, c_out, 7, stride, affine, n_repeats=2)


def dil_conv_3x3(c_in: int, *, c_out: int | None = None, stride: int = 1, affine: bool = True) -> nn.Module:
    """A 3x3 depthwise-separable convolution of dilation 2."""
    return _separable(c_in, c_out, 3, stride, affine, dilation=2)


def dil_conv_5x5(c_in: int, *, c_out: int | None = None, stride: int = 1, affine: bool = True) -> nn.Module:
    """A 5x5 depthwise-separable convolution of dilation 2."""
    return _separable(c_in, c_out, 5, stride, affine, dilation=2)


def sharp_sep_conv_3x3(
    c_in: int, *, c_out: int | None = None, stride: int = 1, affine: bool = True
) -> nn.Module:
    """SharpSepConv: two 3x3 depthwise-separable convolutions, the second of the width that goes out."""
    return _sharp(c_in, c_out, stride, affine)


def sharp_dil_conv_3x3(
    c_in: int, *, c_out: int | None = None, stride: int = 1, affine: bool = True
) -> nn.Module:
    """SharpSepConv whose first kernel has dilation 2."""
    return _sharp(c_in, c_out, stride, affine, dilation=2)


def flood_conv_3x3(c_in: int, *, c_out: int | None = None, stride: int = 1, affine: bool = True) -> nn.Module:
    """SharpSepConv with four times the channels in the middle."""
    return _sharp(c_in, c_out, stride, affine, multiplier=4)


def dil_flood_conv_3x3(
    c_in: int, *, c_out: int | None = None, stride: int = 1, affine: bool = True
) -> nn.Module:
    """SharpSepConv with four times the channels in the middle, its first kernel of dilation 2."""
    return _sharp(c_in, c_out, stride, affine, multiplier=4, dilation=2)


def choke_conv_3x3(c_in: int, *, c_out: int | None = None, stride: int = 1, affine: bool = True) -> nn.Module:
    """SharpSepConv with 32 channels in the middle."""
    return _sharp(c_in, c_out, stride, affine, bottleneck=32)


def dil_choke_conv_3x3(
    c_in: int, *, c_out: int | None = None, stride: int = 1, affine: bool = True
) -> nn.Module:
    """SharpSepConv with 32 channels in the middle, its first kernel of dilation 2."""
    return _sharp(c_in, c_out, stride, affine, bottleneck=32, dilation=2)


def conv_1x1(c_in: int, *, c_out: int | None = None, stride: int = 1, affine: bool = True) -> nn.Module:
    """1x1 convolution, batch norm, ReLU."""
    from archloom.nn import ConvBN

    return ConvBN(c_in, c_out or c_in, 1, stride, affine)


def conv_3x3(c_in: int, *, c_out: int | None = None, stride: int = 1, affine: bool = True) -> nn.Module:
    """3x3 convolution, batch norm, ReLU."""
    from archloom.nn import ConvBN

    return ConvBN(c_in, c_out or c_in, 3, stride, affine)


def conv_1x3_3x1(c_in: int, *, c_out: int | None = None, stride: int = 1, affine: bool = True) -> nn.Module:
    """ReLU, 1x3 convolution, 3x1 convolution, batch norm."""
    from archloom.nn import FactorizedConv

    return FactorizedConv(c_in, c_out or c_in, 3, stride, affine)


def conv_1x7_7x1(c_in: int, *, c_out: int | None = None, stride: int = 1, affine: bool = True) -> nn.Module:
    """ReLU, 1x7 convolution, 7x1 convolution, batch norm."""
    from archloom.nn import FactorizedConv

    return FactorizedConv(c_in, c_out or c_in, 7, stride, affine)


def _separable(
    c_in: int, c_out: int | None, kernel_size: int, stride: int, affine: bool, **options: Any
) -> nn.Module:
    from archloom.nn import SeparableConv

    return SeparableConv(c_in, c_out or c_in, kernel_size, stride, affine=affine, **options)


def _sharp(c_in: int, c_out: int | None, stride: int, affine: bool, **options: Any) -> nn.Module:
    from archloom.nn import SharpSeparableConv

    return SharpSeparableConv(c_in, c_out or c_in, 3, stride, affine=affine, **options)


OPERATIONS = Registry(
    "operations",
    {
        recipe.__name__: f"{__name__}:{recipe.__name__}"
        for recipe in (
            none,
            skip_connect,
            avg_pool_3x3,
            max_pool_3x3,
            max_pool_5x5,
            max_pool_7x7,
            nor_conv_1x1,
            nor_conv_3x3,
            sep_conv_3x3,
            sep_conv_5x5,
            sep_conv_7x7,
            dil_conv_3x3,
            dil_conv_5x5,
            sharp_sep_conv_3x3,
            sharp_dil_conv_3x3,
            flood_conv_3x3,
            dil_flood_conv_3x3,
            choke_conv_3x3,
            dil_choke_conv_3x3,
            conv_1x1,
            conv_3x3,
            conv_1x3_3x1,
            conv_1x7_7x1,
        )
    },
)
"""Operation name to recipe."""
