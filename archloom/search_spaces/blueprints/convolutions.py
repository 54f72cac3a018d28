# SPDX-License-Identifier: Apache-2.0
"""Convolutions of images."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

from archloom.errors import SpaceError
from archloom.search_spaces.blueprints.layer import Layer, Place, made_activation, sliced, widest
from archloom.search_spaces.sharing import knob, routed

if TYPE_CHECKING:
    from torch import nn

__all__ = ["Conv", "Depthwise", "Separable"]


class Conv(Layer):
    """A convolution, a norm and an activation. Padding keeps the size at stride 1.

    Args:
        width: channels out; by default what the parent asks for, else as many as come in.
        kernel_size: side of the kernel.
        stride: step of the kernel; by default what the parent asks for, else 1.
        dilation: spacing of the kernel.
        groups: how many parts the channels are cut into; a divisor of the widths in and out.
        norm: ``batch`` or ``none``; without it the convolution has a bias.
        activation: a name in ``ACTIVATIONS``, or ``none``.
    """

    width: int | None = None
    kernel_size: int = 3
    stride: int | None = None
    dilation: int = 1
    groups: int = 1
    norm: Literal["batch", "none"] = "batch"
    activation: str = "relu"

    elastic = frozenset({"width", "kernel_size", "activation"})
    takes_any_width = True
    _takes = frozenset({"c_out", "stride"})

    def _build(self, place: Place) -> nn.Module:
        c_out = place.c_out or place.c_in
        if place.c_in % self.groups or widest(c_out) % self.groups:
            raise SpaceError(
                f"groups must divide the widths, got {self.groups} groups of {place.c_in} channels in "
                f"and {widest(c_out)} out"
            )
        return _conv(place, c_out, self.kernel_size, self.dilation, self.groups, self.norm, self.activation)


class Depthwise(Layer):
    """A convolution of each channel by itself, a norm and an activation.

    Args:
        multiplier: channels out for each channel in.
        kernel_size: side of the kernel.
        stride: step of the kernel; by default what the parent asks for, else 1.
        dilation: spacing of the kernel.
        norm: ``batch`` or ``none``; without it the convolution has a bias.
        activation: a name in ``ACTIVATIONS``, or ``none``.
    """

    multiplier: int = 1
    kernel_size: int = 3
    stride: int | None = None
    dilation: int = 1
    norm: Literal["batch", "none"] = "batch"
    activation: str = "relu"

    elastic = frozenset({"kernel_size", "activation"})
    _least = Layer._least | {"multiplier": 1}
    _takes = frozenset({"stride"})

    @property
    def takes_any_width(self) -> bool:  # type: ignore[override]
        """Where each channel makes one: of several, the first are no slice."""
        return self.multiplier == 1

    def _build(self, place: Place) -> nn.Module:
        c_out = place.c_in if self.multiplier == 1 else place.c_in * self.multiplier
        return _conv(place, c_out, self.kernel_size, self.dilation, place.c_in, self.norm, self.activation)


class Separable(Layer):
    """A depthwise convolution and a 1x1 convolution, then a norm and an activation (Chollet, CVPR 2017).

    Args:
        width: channels out; by default what the parent asks for, else as many as come in.
        kernel_size: side of the depthwise kernel.
        stride: step of the depthwise kernel; by default what the parent asks for, else 1.
        dilation: spacing of the depthwise kernel.
        norm: ``batch`` or ``none``; without it the 1x1 convolution has a bias.
        activation: a name in ``ACTIVATIONS``, or ``none``.
    """

    width: int | None = None
    kernel_size: int = 3
    stride: int | None = None
    dilation: int = 1
    norm: Literal["batch", "none"] = "batch"
    activation: str = "relu"

    elastic = frozenset({"width", "kernel_size", "activation"})
    takes_any_width = True
    _takes = frozenset({"c_out", "stride"})

    def _build(self, place: Place) -> nn.Module:
        from torch import nn

        depthwise = _conv(
            place, place.c_in, self.kernel_size, self.dilation, place.c_in, "none", "none", bias=False
        )
        pointwise = _conv(
            Place(place.c_in, affine=place.affine),
            place.c_out or place.c_in,
            norm=self.norm,
            activation=self.activation,
        )
        return nn.Sequential(depthwise, pointwise)


def _conv(
    place: Place,
    c_out: Any,
    kernel_size: Any = 1,
    dilation: int = 1,
    groups: int = 1,
    norm: str = "batch",
    activation: Any = "none",
    *,
    bias: bool = True,
) -> nn.Module:
    """Make a convolution; in a supernet width and kernel may be chosen, and any width may come in."""
    from torch import nn

    from archloom.nn import ConvLayer

    kernel, width = knob(kernel_size), widest(c_out)
    module = ConvLayer(
        place.c_in,
        width,
        widest(kernel),
        place.stride or 1,
        dilation,
        groups,
        bias=bias and norm == "none",
        norm=nn.BatchNorm2d(width, affine=place.affine) if norm == "batch" else nn.Identity(),
        activation=routed(activation, made_activation),
    )
    return sliced(module, replace(place, c_out=c_out), kernel)
