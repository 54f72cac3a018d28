# SPDX-License-Identifier: Apache-2.0
"""Augmentations that blend each image with another of its batch.

Notation as in ``changes``. Where image ``i`` keeps the share ``s`` and takes ``1 - s`` of image ``j``, the
loss is ``s * loss(output_i, target_i) + (1 - s) * loss(output_i, target_j)``. For cross-entropy that is
the same as a blended target, and it needs nothing of a task but its loss.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple, final

import torch
from torch import Tensor

from archloom.evaluators.augmentation.checks import check_number

__all__ = ["CutMix", "Mixed", "Mixup"]


class Mixed(NamedTuple):
    """What an augmentation returns that blends images.

    Args:
        images: ``b x c x h x w``, blended.
        partners: ``b`` rows of the batch: whom each image was blended with.
        share: what each image kept of itself, in ``[0, 1]``; a tensor of no axes, so that no GPU waits.
    """

    images: Tensor
    partners: Tensor
    share: Tensor


@final
@dataclass(frozen=True, kw_only=True)
class Mixup:
    """Blends whole images: ``s * x_i + (1 - s) * x_j`` (Zhang et al. 2018).

    One share ``s ~ Beta(alpha, alpha)`` a batch, as in the paper's code.

    Args:
        alpha: small for shares near 0 and 1 (the paper's 0.1 to 0.4), 1 for uniform ones.

    Raises:
        ConfigError: ``alpha`` is not above 0.
    """

    alpha: float = 0.2

    def __post_init__(self) -> None:
        check_number("alpha", self.alpha, "mixup", above=0)

    def __call__(self, images: Tensor, generator: torch.Generator) -> Mixed:
        """Return the blends."""
        partners = torch.randperm(len(images), generator=generator, device=images.device)
        share = _beta(self.alpha, generator, images.device)
        others = images[partners]
        return Mixed(others + share * (images - others), partners, share)


@final
@dataclass(frozen=True, kw_only=True)
class CutMix:
    """Pastes a box of another image into each (Yun et al. 2019).

    With ``s ~ Beta(alpha, alpha)`` the box has the sides ``h * sqrt(1 - s)`` and ``w * sqrt(1 - s)`` around a
    uniform centre, clipped at the edges; the share is then what was really kept. One box a batch.

    Args:
        alpha: 1, the paper's, draws shares uniformly.

    Raises:
        ConfigError: ``alpha`` is not above 0.
    """

    alpha: float = 1.0

    def __post_init__(self) -> None:
        check_number("alpha", self.alpha, "cutmix", above=0)

    def __call__(self, images: Tensor, generator: torch.Generator) -> Mixed:
        """Return the images, each with its partner's box."""
        b, _, h, w = images.shape
        device = images.device
        partners = torch.randperm(b, generator=generator, device=device)
        side = (1.0 - _beta(self.alpha, generator, device)).sqrt()
        y, x = torch.rand(2, generator=generator, device=device)
        box = _stretch(y * h, side * h, h)[:, None] & _stretch(x * w, side * w, w)
        return Mixed(torch.where(box, images[partners], images), partners, 1.0 - box.float().mean())


def _stretch(centre: Tensor, length: Tensor, n: int) -> Tensor:
    """Return ``n`` truths: which pixels have their middle in a stretch of a line."""
    middles = torch.arange(n, device=centre.device) + 0.5
    return (middles - centre).abs() < length / 2


def _beta(alpha: float, generator: torch.Generator, device: torch.device) -> Tensor:
    """Draw from ``Beta(alpha, alpha)`` by Devroye's one line of code (1996), without a loop to wait for.

    With ``u, v`` uniform, ``t = sqrt(u^(-1/alpha) - 1) cos(2 pi v)`` is Bailey's draw from Student's
    distribution of ``2 alpha`` degrees of freedom, but for its scale; ``(1 + t / sqrt(1 + t^2)) / 2`` is what
    is wanted.
    """
    u, v = torch.rand(2, generator=generator, device=device)
    cosine = torch.cos(2.0 * math.pi * v)
    tail = u.pow(-1.0 / alpha) - 1.0  # may be infinite: the draw is then 0 or 1
    bent: Tensor = cosine.sign() / (1.0 + 1.0 / (tail * cosine.square())).sqrt()
    return 0.5 + 0.5 * bent
