# SPDX-License-Identifier: Apache-2.0
"""What a distribution over the rows of a space can do.

Notation: ``n`` rows, ``d`` columns, ``m`` candidates (of the column that has most).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import TypeAlias

from archloom.contracts import ChoiceArray, FloatArray

__all__ = ["Policy", "Weigh"]

Weigh: TypeAlias = Callable[[FloatArray], FloatArray]
"""Log-probabilities of ``n`` rows to the ``n`` weights by which these are to rise."""


class Policy(ABC):
    """A distribution over finished rows, which are filled from the first column to the last.

    The probability of a row is the product, over its active columns, of that of its choice among what is
    legal there after the choices before: ``p(row) = prod_j p(c_j | c_1 ... c_(j-1))``. Only legal rows have
    any, and all of them have some.
    """

    @abstractmethod
    def sample(self, noise: FloatArray) -> ChoiceArray:
        """Draw rows, ``n x d``; a row depends on its own noise alone.

        Args:
            noise: ``n x d``, uniform on ``[0, 1)``; one number decides one column.
        """

    @abstractmethod
    def log_probabilities(self, rows: ChoiceArray) -> FloatArray:
        """Return ``log p`` of ``n x d`` legal rows, ``n``."""

    @abstractmethod
    def improve(self, rows: ChoiceArray, weigh: Weigh, entropy: float) -> None:
        """Take one step (Adam) up ``mean(w log p) + entropy * mean(H)``.

        ``H`` is the entropy of the choices along a row, summed over its active columns. The weights are held
        fixed while the gradient is taken: with ``w`` an advantage that is REINFORCE, and with the advantage
        times a ratio of probabilities, zero where that is clipped, it is the gradient of PPO's objective.

        Args:
            rows: ``n x d``.
            weigh: what makes ``w``.
            entropy: the weight of the entropy.
        """
