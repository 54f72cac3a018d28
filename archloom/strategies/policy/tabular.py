# SPDX-License-Identifier: Apache-2.0
"""The simplest policy: one number a candidate."""

from __future__ import annotations

from typing import NamedTuple, final

import numpy as np

from archloom.contracts import ChoiceArray, FloatArray
from archloom.search_spaces.filling import Filling
from archloom.strategies.policy.ascent import Adam
from archloom.strategies.policy.choices import draw, is_chosen, legal_choices
from archloom.strategies.policy.policy import Policy, Weigh

__all__ = ["TabularPolicy"]


class _Read(NamedTuple):
    """What the table says of ``n`` rows.

    Args:
        is_chosen: ``n x d x m``.
        log_p: ``n x d x m``, 0 where a candidate is not legal.
        p: ``n x d x m``, 0 where a candidate is not legal.
    """

    is_chosen: FloatArray
    log_p: FloatArray
    p: FloatArray

    @property
    def log_probabilities(self) -> FloatArray:
        return np.asarray((self.log_p * self.is_chosen).sum(axis=(1, 2)))


@final
class TabularPolicy(Policy):
    """A softmax in each column over what is legal there, independent of all else that was chosen.

    Args:
        filling: of the space.
        logits: ``d x m``, where it starts.
        lr: learning rate.
    """

    def __init__(self, filling: Filling, logits: FloatArray, *, lr: float):
        self._filling = filling
        self._logits = logits.copy()
        self._adam = Adam(logits.shape, lr)

    def sample(self, noise: FloatArray) -> ChoiceArray:
        """Draw rows."""
        state = self._filling.empty(len(noise))
        for column, m in enumerate(self._filling.sizes):
            legal = self._filling.next(state, column)
            state[:, column] = draw(self._logits[column, :m], legal, noise[:, column])
        return state

    def log_probabilities(self, rows: ChoiceArray) -> FloatArray:
        """Return ``log p`` of rows."""
        return self._read(rows).log_probabilities

    def improve(self, rows: ChoiceArray, weigh: Weigh, entropy: float) -> None:
        """Take one step up."""
        read = self._read(rows)
        weights = weigh(read.log_probabilities)[:, None, None]
        gradient = weights * (read.is_chosen - read.p)
        if entropy:
            left = -(read.p * read.log_p).sum(axis=2, keepdims=True)
            gradient -= entropy * read.p * (read.log_p + left)
        self._logits += self._adam.step(gradient.mean(axis=0))

    def _read(self, rows: ChoiceArray) -> _Read:
        legal = legal_choices(self._filling, rows)
        highest = np.where(legal, self._logits, -np.inf).max(axis=2, keepdims=True, initial=-1e300)
        heights = np.where(legal, np.exp(np.where(legal, self._logits - highest, 0.0)), 0.0)
        total = heights.sum(axis=2, keepdims=True)
        total[total == 0.0] = 1.0
        log_p = np.where(legal, self._logits - highest - np.log(total), 0.0)
        return _Read(is_chosen(self._filling, rows).astype(float), log_p, heights / total)
