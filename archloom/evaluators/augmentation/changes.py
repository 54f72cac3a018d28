# SPDX-License-Identifier: Apache-2.0
"""Augmentations that change each image by itself.

Notation: ``images`` are ``b x c x h x w``; everything random is drawn from ``generator``, which is on
their device; a whole batch is changed at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import torch
from torch import Tensor
from torch.nn import functional

from archloom.errors import ConfigError
from archloom.evaluators.augmentation.checks import check_count, check_number

__all__ = ["Crop", "Cutout", "Flip", "Noise"]


@final
@dataclass(frozen=True, kw_only=True)
class Crop:
    """Pads each image on all sides and cuts its own size out again, anywhere: moves by ``padding`` at most.

    Args:
        padding: pixels on each side; ``None`` for an eighth of the shorter side, which is the 4 of 32 of
            He et al. (2016).
        fill: the value of the padding, on the scale of the data.

    Raises:
        ConfigError: ``padding`` is no whole number from 1, or ``fill`` no number.

    Example:
        >>> images = torch.arange(9.0).reshape(1, 1, 3, 3)
        >>> Crop(padding=1)(images, torch.Generator().manual_seed(1))[0, 0].tolist()
        [[1.0, 2.0, 0.0], [4.0, 5.0, 0.0], [7.0, 8.0, 0.0]]
    """

    padding: int | None = None
    fill: float = 0.0

    def __post_init__(self) -> None:
        check_number("fill", self.fill, "crop")
        if self.padding is not None:
            check_count("padding", self.padding, "crop")

    def __call__(self, images: Tensor, generator: torch.Generator) -> Tensor:
        """Return the images, moved."""
        b, _, h, w = images.shape
        padding = max(1, min(h, w) // 8) if self.padding is None else self.padding
        padded = functional.pad(images, (padding,) * 4, value=self.fill)
        crops = padded.unfold(2, h, 1).unfold(3, w, 1)  # b x c x (2p + 1) x (2p + 1) x h x w, without a copy
        y, x = torch.randint(2 * padding + 1, (2, b), generator=generator, device=images.device)
        return crops[torch.arange(b, device=images.device), :, y, x]


@final
@dataclass(frozen=True, kw_only=True)
class Flip:
    """Mirrors images, left to right.

    Args:
        probability: of an image to be mirrored.

    Raises:
        ConfigError: ``probability`` is outside ``(0, 1]``.

    Example:
        >>> images = torch.tensor([[[[1.0, 2.0, 3.0]]]])
        >>> Flip(probability=1.0)(images, torch.Generator())
        tensor([[[[3., 2., 1.]]]])
    """

    probability: float = 0.5

    def __post_init__(self) -> None:
        check_number("probability", self.probability, "flip", above=0, most=1)

    def __call__(self, images: Tensor, generator: torch.Generator) -> Tensor:
        """Return the images, some of them mirrored."""
        drawn = torch.rand(len(images), 1, 1, 1, generator=generator, device=images.device)
        return torch.where(drawn < self.probability, images.flip(-1), images)


@final
@dataclass(frozen=True, kw_only=True)
class Cutout:
    """Blanks a square of each image (DeVries and Taylor 2017).

    The square's centre is any pixel, so that it may reach over the edge.

    Args:
        size: pixels of its side; ``None`` for half of the shorter side, which is the paper's 16 of 32.
        fill: the value of its pixels, on the scale of the data.

    Raises:
        ConfigError: ``size`` is no whole number from 1 or (on a batch) above the shorter side, or ``fill``
            is no number.

    Example:
        >>> images = torch.ones(1, 1, 3, 4)
        >>> Cutout(size=2)(images, torch.Generator().manual_seed(0))[0, 0].tolist()
        [[1.0, 1.0, 1.0, 1.0], [1.0, 1.0, 0.0, 0.0], [1.0, 1.0, 0.0, 0.0]]
    """

    size: int | None = None
    fill: float = 0.0

    def __post_init__(self) -> None:
        check_number("fill", self.fill, "cutout")
        if self.size is not None:
            check_count("size", self.size, "cutout")

    def __call__(self, images: Tensor, generator: torch.Generator) -> Tensor:
        """Return the images, each with its square."""
        b, _, h, w = images.shape
        side = min(h, w)
        size = max(1, side // 2) if self.size is None else self.size
        if size > side:
            raise ConfigError(
                f"size of the augmentation 'cutout' must be at most {side}, the shorter side of the images; "
                f"got {size}"
            )
        rows, columns = (_stretches(b, n, size, generator, images.device) for n in (h, w))
        return images.masked_fill(rows[:, None, :, None] & columns[:, None, None, :], self.fill)


@final
@dataclass(frozen=True, kw_only=True)
class Noise:
    """Adds Gaussian noise to each pixel: ``x + deviation * n``, ``n ~ N(0, 1)``.

    Args:
        deviation: its standard deviation, on the scale of the data.

    Raises:
        ConfigError: ``deviation`` is not above 0.

    Example:
        >>> noisy = Noise(deviation=0.5)(torch.zeros(100, 1, 8, 8), torch.Generator().manual_seed(0))
        >>> round(float(noisy.std()), 2)
        0.5
    """

    deviation: float = 0.1

    def __post_init__(self) -> None:
        check_number("deviation", self.deviation, "noise", above=0)

    def __call__(self, images: Tensor, generator: torch.Generator) -> Tensor:
        """Return the images with noise."""
        noise = torch.empty_like(images).normal_(generator=generator)
        return images.add(noise, alpha=self.deviation)


def _stretches(b: int, n: int, size: int, generator: torch.Generator, device: torch.device) -> Tensor:
    """Return ``b x n`` truths: a stretch of ``size`` around a uniform centre in each row."""
    start = torch.randint(n, (b, 1), generator=generator, device=device) - size // 2
    place = torch.arange(n, device=device)
    return (place >= start) & (place < start + size)
