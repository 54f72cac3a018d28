# SPDX-License-Identifier: Apache-2.0
"""Elastic modules: one weight of which smaller networks use the first channels, or the middle of the kernel.

What comes in tells how many channels there are; a *knob* tells how many go out. Slices are views: training a
smaller network trains that part of the weight (Yu and Huang, "Universally slimmable networks", ICCV 2019; Cai
et al., "Once-for-all", ICLR 2020). The rest of that weight has a gradient of zero, with which momentum and
weight decay go on, as in the code of both; a weight that no part was taken of stays as it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, final

from torch import Tensor, nn
from torch.nn import functional

from archloom.nn.routed.switch import Switch

__all__ = [
    "ElasticBatchNorm",
    "ElasticConv2d",
    "ElasticLinear",
    "Knob",
    "Width",
    "largest",
    "slicing",
    "value_of",
]


@final
@dataclass(frozen=True)
class Knob:
    """A number, or several, that a switch turns.

    Args:
        values: its values, one a candidate: whole numbers, or tuples of such.
        switch: what turns it.
    """

    values: tuple[Any, ...]
    switch: Switch

    def __post_init__(self) -> None:
        self.switch.has_no_mixture = "it is elastic, and has one value at a time"

    @property
    def now(self) -> Any:
        """The value that is chosen now."""
        if self.switch.mixture is not None:
            raise ValueError(f"{self.switch.name} cannot be mixed: {self.switch.has_no_mixture}")
        return self.values[self.switch.chosen[0]]


class Width(int):
    """The largest of several widths that a module's output may have."""


def largest(value: int | Knob) -> int:
    """Return the largest value of a knob, or the number itself."""
    return max(value.values) if isinstance(value, Knob) else int(value)


def value_of(value: int | Knob) -> int:
    """Return the value that a knob has now, or the number itself."""
    return int(value.now) if isinstance(value, Knob) else value


@final
class ElasticLinear(nn.Linear):
    """A linear layer that takes the first ``c`` features, as many as come, and gives the first ``out``.

    Args:
        c_in: features in, at most.
        out_knob: features out.
    """

    def __init__(self, c_in: int, out_knob: int | Knob):
        super().__init__(int(c_in), largest(out_knob))
        self.out_knob = out_knob

    @property
    def out(self) -> int:
        """Features out, at most."""
        return _width(self.out_knob)

    def forward(self, x: Tensor) -> Tensor:
        """Map ``b x ... x c`` to ``b x ... x out``."""
        n, c = value_of(self.out_knob), x.shape[-1]
        if n == self.out_features and c == self.in_features:
            return functional.linear(x, self.weight, self.bias)
        return functional.linear(x, _corner(self.weight, n, c), self.bias[:n])

    def sliced(self, name: str, shape: Sequence[int]) -> Tensor:
        """Return the part of a weight that a plain layer of that shape has."""
        return _first(getattr(self, name), shape)


@final
class ElasticConv2d(nn.Conv2d):
    """A convolution by the first channels of its weight and the middle of its kernel.

    Args:
        largest_conv: a convolution of the largest size, whose settings and weights are taken over. Its groups
            are 1, or as many as its channels in: then each channel that comes is convolved by itself.
        out_knob: channels out.
        kernel: odd side of the kernel.
    """

    def __init__(self, largest_conv: nn.Conv2d, out_knob: int | Knob, kernel: int | Knob):
        c = largest_conv
        is_depthwise = c.groups > 1
        if is_depthwise and (c.groups != c.in_channels or c.out_channels != c.in_channels):
            raise ValueError(f"elastic convolutions have 1 group or one a channel, got {c.groups} groups")
        sides = kernel.values if isinstance(kernel, Knob) else (kernel,)
        if isinstance(kernel, Knob) and any(side % 2 == 0 for side in sides):
            raise ValueError(f"the sides of an elastic kernel are odd, got {sides}")
        super().__init__(
            c.in_channels,
            c.out_channels,
            largest(kernel),
            stride=c.stride,  # type: ignore[arg-type]
            padding=c.padding,  # type: ignore[arg-type]
            dilation=c.dilation,  # type: ignore[arg-type]
            groups=c.groups,
            bias=c.bias is not None,
        )
        self.load_state_dict(c.state_dict())
        self.out_knob, self.kernel, self.is_depthwise = out_knob, kernel, is_depthwise

    @property
    def out(self) -> int:
        """Channels out, at most."""
        return _width(self.out_knob)

    def forward(self, x: Tensor) -> Tensor:
        """Map ``b x c x h x w`` to ``b x out x h' x w'``."""
        c, side = x.shape[1], value_of(self.kernel)
        n = c if self.is_depthwise else value_of(self.out_knob)
        weight = _corner(self.weight, n, 1 if self.is_depthwise else c, side)
        bias = None if self.bias is None else self.bias[:n]
        padding, groups = self.padding, c if self.is_depthwise else 1
        if side != self.kernel_size[0]:
            padding = tuple(d * (side - 1) // 2 for d in self.dilation)
        return functional.conv2d(x, weight, bias, self.stride, padding, self.dilation, groups)

    def sliced(self, name: str, shape: Sequence[int]) -> Tensor:
        """Return the part of a weight that a plain convolution of that shape has."""
        part = _first(getattr(self, name), shape[:2])
        return _middle(part, shape[-1]) if name == "weight" else part


@final
class ElasticBatchNorm(nn.modules.batchnorm._BatchNorm):
    """A batch norm of the first channels, as many as come; images, tokens or vectors.

    The statistics of a channel are shared by all widths: score a network after they were measured anew.

    Args:
        c_in: channels in, at most.
        affine: whether a scale and a shift are learned.
    """

    def __init__(self, c_in: int, affine: bool = True):
        super().__init__(int(c_in), affine=affine)
        self._out = c_in

    @property
    def out(self) -> int:
        """Channels, at most."""
        return self._out

    def _check_input_dim(self, input: Any) -> None:
        del input

    def forward(self, x: Tensor) -> Tensor:
        """Keep the shape."""
        c = x.shape[1]
        if c == self.num_features:
            return super().forward(x)
        mean, var, weight, bias = (
            None if t is None else t[:c]
            for t in (self.running_mean, self.running_var, self.weight, self.bias)
        )
        if self.training and self.num_batches_tracked is not None:
            self.num_batches_tracked.add_(1)
        momentum = self.momentum
        if momentum is None:
            momentum = 1.0 / float(self.num_batches_tracked or 1)
        return functional.batch_norm(x, mean, var, weight, bias, self.training, momentum, self.eps)

    def sliced(self, name: str, shape: Sequence[int]) -> Tensor:
        """Return the part of a weight or statistic that a plain norm of that shape has."""
        return _first(getattr(self, name), shape)


def slicing(module: nn.Module, out: int | Knob | None = None, kernel: int | Knob | None = None) -> nn.Module:
    """Have all linear maps, convolutions and batch norms of a module slice, and return it.

    Args:
        module: a module of the largest size; it is changed, and keeps its weights.
        out: what turns the width of those that are as wide as its largest value.
        kernel: what turns the side of its convolutions.
    """
    for name, child in module.named_children():
        turned = _sliceable(child, out, kernel)
        if turned is None:
            slicing(child, out, kernel)
        else:
            setattr(module, name, turned)
    return module


def _sliceable(module: nn.Module, out: int | Knob | None, kernel: int | Knob | None) -> nn.Module | None:
    def turned(width: int) -> int | Knob:
        return out if isinstance(out, Knob) and largest(out) == width else width

    made: nn.Module
    if isinstance(module, nn.Linear):
        made = ElasticLinear(module.in_features, turned(module.out_features))
    elif isinstance(module, nn.Conv2d):
        side = module.kernel_size[0] if kernel is None else kernel
        return ElasticConv2d(module, turned(module.out_channels), side)
    elif isinstance(module, nn.modules.batchnorm._BatchNorm):
        made = ElasticBatchNorm(module.num_features, module.affine)
    else:
        return None
    made.load_state_dict(module.state_dict())
    return made


def _width(out: int | Knob) -> int:
    return Width(largest(out)) if isinstance(out, Knob) else out


def _first(tensor: Tensor, shape: Sequence[int]) -> Tensor:
    return tensor[tuple(slice(0, n) for n in shape)]


def _corner(weight: Tensor, n: int, c: int, side: int | None = None) -> Tensor:
    """Return the part of a weight for ``n`` channels out and ``c`` in, the middle of its kernels.

    One view, for the gradient of each view is a tensor of the whole weight's size, filled anew in each step.
    """
    if weight.shape[:2] == (n, c) and side in (None, weight.shape[-1]):
        return weight
    stride, start = weight.stride(), weight.storage_offset()
    if side is None:
        return weight.as_strided((n, c, *weight.shape[2:]), stride)
    start += (weight.shape[-1] - side) // 2 * (stride[-2] + stride[-1])
    return weight.as_strided((n, c, side, side), stride, start)


def _middle(weight: Tensor, side: int) -> Tensor:
    start = (weight.shape[-1] - side) // 2
    return weight[..., start : start + side, start : start + side]
