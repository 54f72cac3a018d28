# SPDX-License-Identifier: Apache-2.0
"""Whole networks for images: a stem, stacked cells, a head."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

__all__ = ["ChainNetwork", "PooledHead", "TwoInputNetwork"]


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
        before_last = last = self.stem(x)
        for cell in self.cells:
            before_last, last = last, cell(before_last, last)
        y: Tensor = self.head(last)
        return y
