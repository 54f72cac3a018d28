# SPDX-License-Identifier: Apache-2.0
"""How the coefficients of a site come from what is learned of it.

Notation: a site has ``m`` candidates and learns ``alpha``, ``m`` real numbers.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import final

import torch
from torch import Tensor
from torch.nn import functional

from archloom.errors import ConfigError
from archloom.relaxation import Mixture, Progress

__all__ = ["Coefficients", "GumbelSoftmax", "MaxWeight", "Sigmoid", "Softmax"]


class Coefficients(ABC):
    """Makes the coefficients of a site. Write ``__call__``."""

    draws_one = False
    """Whether one candidate is drawn, and no other computed."""

    @abstractmethod
    def __call__(self, alpha: Tensor, progress: Progress, rng: torch.Generator) -> Mixture:
        """Return the coefficients of a step.

        Args:
            alpha: ``m``, what is learned.
            progress: how far the search is.
            rng: of this step and site.
        """

    def worth(self, alpha: Tensor) -> Tensor:
        """Return what each candidate is worth when an architecture is derived, ``m``."""
        return alpha.softmax(dim=0)

    def expected(self, alpha: Tensor) -> Tensor:
        """Return the coefficients without chance and whatever the step, ``m``: by default the worths."""
        return self.worth(alpha)


@final
class Softmax(Coefficients):
    """``w = softmax(alpha / temperature)`` (Liu et al., "DARTS", ICLR 2019, arXiv:1806.09055).

    Args:
        temperature: above 0; below 1 sharpens.

    >>> import torch
    >>> Softmax()(torch.zeros(4), Progress(0, 1), torch.Generator()).weights
    tensor([0.2500, 0.2500, 0.2500, 0.2500])
    """

    def __init__(self, *, temperature: float = 1.0):
        _above_0(temperature=temperature)
        self._temperature = temperature

    def __call__(self, alpha: Tensor, progress: Progress, rng: torch.Generator) -> Mixture:
        """Return the softmax."""
        del progress, rng
        return Mixture((alpha / self._temperature).softmax(dim=0))


@final
class GumbelSoftmax(Coefficients):
    """A draw: ``w = softmax((log softmax(alpha) + g) / t)``, ``g`` of a Gumbel distribution.

    Hard, the candidate of the largest ``w`` has 1 and the others 0, and gradients pass as if they were ``w``
    (Dong and Yang, "GDAS", CVPR 2019, arXiv:1910.04465): only that one is computed. Soft, it is the concrete
    distribution (Xie et al., "SNAS", ICLR 2019, arXiv:1812.09926). ``t`` falls from ``start`` to ``end``.

    Args:
        start: temperature at the start.
        end: temperature at the end.
        is_hard: whether one candidate is drawn.

    >>> import torch
    >>> hard = GumbelSoftmax()(torch.zeros(4), Progress(0, 1), torch.Generator().manual_seed(0))
    >>> hard.active, round(float(hard.weights.sum()), 6)
    ((1,), 1.0)
    """

    def __init__(self, *, start: float = 10.0, end: float = 0.1, is_hard: bool = True):
        _above_0(start=start, end=end)
        self._start, self._end, self.draws_one = start, end, is_hard

    def __call__(self, alpha: Tensor, progress: Progress, rng: torch.Generator) -> Mixture:
        """Draw."""
        share = progress.epoch / max(1, progress.n_epochs - 1)
        temperature = self._start + min(1.0, share) * (self._end - self._start)
        uniform = torch.rand(alpha.shape, generator=rng).clamp_(1e-20, 1 - 1e-7).to(alpha)
        gumbel = -(-uniform.log()).log()
        soft = ((alpha.log_softmax(dim=0) + gumbel) / temperature).softmax(dim=0)
        if not self.draws_one:
            return Mixture(soft)
        index = int(soft.detach().argmax())
        one = functional.one_hot(torch.tensor(index), len(alpha)).to(soft)
        return Mixture(one + (soft - soft.detach()), (index,))


@final
class MaxWeight(Coefficients):
    """``w = 1 - max(p) + p``, ``p = softmax(alpha)``: the leading candidate has 1.

    With it ``none`` gains nothing by weighing the others down (Hundt, Jain and Hager, "sharpDARTS", 2019,
    arXiv:1903.09900).

    Args:
        detaches: whether no gradient flows through the maximum. The authors' code says so in a comment and
            does not do it, so that the leader is told the others' gradients, reversed.

    >>> import torch
    >>> MaxWeight()(torch.tensor([0.0, 1.0]), Progress(0, 1), torch.Generator()).weights
    tensor([0.5379, 1.0000])
    """

    def __init__(self, *, detaches: bool = False):
        self._detaches = detaches

    def __call__(self, alpha: Tensor, progress: Progress, rng: torch.Generator) -> Mixture:
        """Return the coefficients."""
        del progress, rng
        return Mixture(self.expected(alpha))

    def expected(self, alpha: Tensor) -> Tensor:
        """Return the coefficients; worths stay those of the softmax, for here the best of all sites are 1."""
        p = alpha.softmax(dim=0)
        most = p.max()
        return 1 - (most.detach() if self._detaches else most) + p


@final
class Sigmoid(Coefficients):
    """``w = sigmoid(alpha)``: candidates do not compete (Chu et al., "Fair DARTS", ECCV 2020,
    arXiv:1911.12126).

    >>> import torch
    >>> Sigmoid().worth(torch.zeros(2))
    tensor([0.5000, 0.5000])
    """

    def __call__(self, alpha: Tensor, progress: Progress, rng: torch.Generator) -> Mixture:
        """Return the sigmoid."""
        del progress, rng
        return Mixture(alpha.sigmoid())

    def worth(self, alpha: Tensor) -> Tensor:
        """Return the sigmoid."""
        return alpha.sigmoid()


def _above_0(**values: float) -> None:
    for name, value in values.items():
        if not value > 0:
            raise ConfigError(f"{name} must be above 0; got {value}")
