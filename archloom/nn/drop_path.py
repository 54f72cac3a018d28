# SPDX-License-Identifier: Apache-2.0
"""Paths of a cell that are dropped at random, and the more so the longer training has gone on."""

from __future__ import annotations

from torch import Tensor, nn

__all__ = ["ScheduledDropPath", "drop_paths", "set_progress"]


class ScheduledDropPath(nn.Module):
    """A path that is left out for some of the examples, on a schedule: NASNet's ScheduledDropPath.

    Each example of a batch keeps the path with probability ``keep``, and what is kept is divided by it, so
    that the expectation stays what it was: ``y = path(x) * mask / keep``. Deeper cells drop more, and so do
    later steps::

        keep = 1 - progress * layer_ratio * (1 - keep_final)

    A constant probability does not help these networks, the schedule does (Zoph et al., "Learning
    transferable architectures for scalable image recognition", CVPR 2018, arXiv:1707.07012, section 4, after
    Larsson et al., "FractalNet", ICLR 2017, arXiv:1605.07648). ``progress`` is 0 until ``set_progress`` sets
    it, so that a network trained elsewhere drops nothing unless it is told to; it is no weight. In evaluation
    mode the path is there for every example.

    Args:
        path: the module that is dropped; an identity should not be.
        keep_final: the probability at the end of training in the last cell: NASNet took 0.6 for CIFAR and 0.7
            for its large ImageNet network.
        layer_ratio: how deep the cell is: its number, from 1, over how many there are.
    """

    def __init__(self, path: nn.Module, keep_final: float, layer_ratio: float = 1.0):
        super().__init__()
        if not 0 < keep_final <= 1 or not 0 <= layer_ratio <= 1:
            raise ValueError(
                "a dropped path needs 0 < keep_final <= 1 and 0 <= layer_ratio <= 1, "
                f"got keep_final={keep_final}, layer_ratio={layer_ratio}"
            )
        self.path = path
        self.keep_final = keep_final
        self.layer_ratio = layer_ratio
        self.progress = 0.0

    @property
    def out(self) -> int:
        """Width of the path's output."""
        return int(self.path.out)  # type: ignore[arg-type]

    @property
    def keep(self) -> float:
        """The probability with which an example keeps the path now."""
        keep = 1 - self.layer_ratio * (1 - self.keep_final)
        return 1 - self.progress * (1 - keep)

    def forward(self, x: Tensor) -> Tensor:
        """Map ``b x ...`` as the path does, ``0`` for the examples that drop it."""
        y: Tensor = self.path(x)
        keep = self.keep
        if not self.training or keep == 1:
            return y
        mask = y.new_empty(y.shape[0], *[1] * (y.ndim - 1)).bernoulli_(keep)
        return y * (mask / keep)


def drop_paths(network: nn.Module) -> list[ScheduledDropPath]:
    """Return the scheduled paths of a network, to be told of its progress."""
    return [module for module in network.modules() if isinstance(module, ScheduledDropPath)]


def set_progress(network: nn.Module, share: float) -> None:
    """Tell every scheduled path of a network how much of the training is done.

    Args:
        network: the network, or a part of it.
        share: steps done over all steps, 0 to 1; more counts as 1.

    >>> network = nn.Sequential(ScheduledDropPath(nn.Identity(), 0.6), ScheduledDropPath(nn.ReLU(), 0.6, 0.5))
    >>> set_progress(network, 0.5)
    >>> [round(path.keep, 3) for path in network]
    [0.8, 0.9]

    Raises:
        ValueError: a negative share.
    """
    if not share >= 0:
        raise ValueError(f"a share of the training is 0 to 1, got {share}")
    for path in drop_paths(network):
        path.progress = min(1.0, share)
