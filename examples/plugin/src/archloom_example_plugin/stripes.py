# SPDX-License-Identifier: Apache-2.0
"""A dataset: noisy stripes, to be told apart by their direction."""

from __future__ import annotations

import torch
from torch.utils.data import TensorDataset

from archloom.errors import ConfigError
from archloom.evaluators import Splits

__all__ = ["stripes"]

N_CLASSES = 3
SIDE = 8


def stripes(*, n: int = 300, noise: float = 0.5) -> Splits:
    """Return images of horizontal, vertical and diagonal stripes, three fifths of them to train on.

    The images depend on the options alone, so that all trials are measured on the same ones.

    Args:
        n: how many images, at least 15.
        noise: standard deviation of what is added to each pixel.

    Raises:
        ConfigError: too few images.
    """
    if n < 15:
        raise ConfigError(f"n is a whole number of at least 15, got {n}")
    random = torch.Generator().manual_seed(0)
    labels = torch.arange(n) % N_CLASSES
    row, column = torch.arange(SIDE).view(1, SIDE, 1), torch.arange(SIDE).view(1, 1, SIDE)
    down, right = (labels != 1).long().view(n, 1, 1), (labels != 0).long().view(n, 1, 1)
    phase = torch.randint(4, (n, 1, 1), generator=random)
    pixels = ((down * row + right * column + phase) % 4 < 2).float().unsqueeze(1)
    pixels = pixels + noise * torch.randn(pixels.shape, generator=random)
    order = torch.randperm(n, generator=random)
    first, second = 3 * n // 5, 4 * n // 5
    parts = order.tensor_split((first, second))
    train, validation, test = (TensorDataset(pixels[part], labels[part]) for part in parts)
    return Splits(
        train=train,
        validation=validation,
        test=test,
        input_shape=(1, SIDE, SIDE),
        n_outputs=N_CLASSES,
        description={"source": "stripes", "n": n, "noise": noise},
    )
