# SPDX-License-Identifier: Apache-2.0
"""Whole networks for images: a stem, stacked cells, a head."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from torch import Tensor, nn

__all__ = ["Auxiliary", "AuxiliaryHead", "ChainNetwork", "PooledHead", "TwoInputNetwork"]


class Auxiliary(NamedTuple):
    """What a network with an auxiliary head gives while it is trained.

    Args:
        outputs: ``b x n``, of the network.
        auxiliary: ``b x n``, of the auxiliary head.
        weight: of the auxiliary head's loss.
    """

    outputs: Tensor
    auxiliary: Tensor
    weight: float


class AuxiliaryHead(nn.Module):
    """A classifier on what the middle of a network gives, for its gradient (Szegedy et al., CVPR 2015).

    It is that of DARTS for CIFAR, whose 5x5 pooling of stride 3 makes 2x2 pixels of 8x8; here any size
    becomes 2x2 (Liu et al., "DARTS", ICLR 2019).

    Args:
        c_in: channels in.
        n_outputs: outputs (classes).
    """

    def __init__(self, c_in: int, n_outputs: int):
        super().__init__()
        self.c_in = c_in
        self.n_outputs = n_outputs
        self.body = nn.Sequential(
            nn.ReLU(),
            nn.AdaptiveAvgPool2d(2),
            nn.Conv2d(c_in, 128, 1, bias=False),
            nn.BatchNorm2d(128),
            nn.ReLU(),
            nn.Conv2d(128, 768, 2, bias=False),
            nn.BatchNorm2d(768),
            nn.ReLU(),
            nn.Flatten(),
            nn.Linear(768, n_outputs),
        )

    @property
    def out(self) -> int:
        """Number of outputs."""
        return self.n_outputs

    def forward(self, x: Tensor) -> Tensor:
        """Map ``b x c_in x h x w`` to ``b x n_outputs``."""
        y: Tensor = self.body(x)
        return y


class PooledHead(nn.Module):
    """Global average pooling and a linear layer, after batch norm and ReLU if ``norm``.

    Args:
        c_in: channels in.
        n_outputs: outputs (classes).
        norm: whether batch norm and ReLU come first.
    """

    def __init__(self, c_in: int, n_outputs: int, norm: bool = False):
        super().__init__()
        self.c_in = c_in
        self.n_outputs = n_outputs
        self.norm = norm
        self.body = nn.Sequential(
            nn.Sequential(nn.BatchNorm2d(c_in), nn.ReLU()) if norm else nn.Identity(),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            nn.Linear(c_in, n_outputs),
        )

    @property
    def out(self) -> int:
        """Number of outputs."""
        return self.n_outputs

    def forward(self, x: Tensor) -> Tensor:
        """Map ``b x c_in x h x w`` to ``b x n_outputs``."""
        y: Tensor = self.body(x)
        return y


class ChainNetwork(nn.Module):
    """A stem, cells one after another, a head.

    Args:
        stem: first module.
        cells: modules of one input, reductions among them.
        head: last module.
    """

    def __init__(self, stem: nn.Module, cells: Sequence[nn.Module], head: nn.Module):
        super().__init__()
        self.stem = stem
        self.cells = nn.ModuleList(cells)
        self.head = head

    @property
    def out(self) -> int:
        """Number of outputs."""
        return int(self.head.out)  # type: ignore[arg-type]

    def forward(self, x: Tensor) -> Tensor:
        """Map ``b x c x h x w`` to ``b x out``."""
        x = self.stem(x)
        for cell in self.cells:
            x = cell(x)
        y: Tensor = self.head(x)
        return y


class TwoInputNetwork(nn.Module):
    """A stem, cells that each read the outputs of the two before, a head (Liu et al., "DARTS", ICLR 2019).

    Args:
        stem: first module; its output stands for both inputs of the first cell.
        cells: modules of two inputs.
        head: last module.
        auxiliary: a second head, which only training sees; ``None`` for none.
        auxiliary_at: the cell, from 0, whose output it reads.
        auxiliary_weight: of its loss.
    """

    def __init__(
        self,
        stem: nn.Module,
        cells: Sequence[nn.Module],
        head: nn.Module,
        auxiliary: nn.Module | None = None,
        auxiliary_at: int = 0,
        auxiliary_weight: float = 0.4,
    ):
        super().__init__()
        self.stem = stem
        self.cells = nn.ModuleList(cells)
        self.head = head
        self.auxiliary = auxiliary
        self.auxiliary_at = auxiliary_at
        self.auxiliary_weight = auxiliary_weight

    @property
    def out(self) -> int:
        """Number of outputs."""
        return int(self.head.out)  # type: ignore[arg-type]

    def forward(self, x: Tensor) -> Tensor | Auxiliary:
        """Map ``b x c x h x w`` to ``b x out``; in training with an auxiliary head, to ``Auxiliary``."""
        before_last = last = self.stem(x)
        seen = last
        for index, cell in enumerate(self.cells):
            before_last, last = last, cell(before_last, last)
            if index == self.auxiliary_at:
                seen = last
        y: Tensor = self.head(last)
        if self.auxiliary is None or not self.training:
            return y
        return Auxiliary(y, self.auxiliary(seen), self.auxiliary_weight)
