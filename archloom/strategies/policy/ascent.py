# SPDX-License-Identifier: Apache-2.0
"""Adam for one array, so that the simplest policy needs no torch."""

from __future__ import annotations

from typing import final

import numpy as np

from archloom.contracts import FloatArray

__all__ = ["Adam"]


@final
class Adam:
    """Steps of about one length, whatever the scale of the gradient.

    Kingma, Ba: Adam: A Method for Stochastic Optimization, ICLR 2015, arXiv:1412.6980.

    Args:
        shape: of the array.
        lr: learning rate.
    """

    def __init__(self, shape: tuple[int, ...], lr: float):
        self._lr = lr
        self._n_steps = 0
        self._mean, self._square = np.zeros(shape), np.zeros(shape)

    def step(self, gradient: FloatArray) -> FloatArray:
        """Return what to add to the array to go up a gradient."""
        self._n_steps += 1
        self._mean += (1.0 - _DECAY) * (gradient - self._mean)
        self._square += (1.0 - _SQUARE_DECAY) * (gradient**2 - self._square)
        mean = self._mean / (1.0 - _DECAY**self._n_steps)
        square = self._square / (1.0 - _SQUARE_DECAY**self._n_steps)
        return np.asarray(self._lr * mean / (np.sqrt(square) + 1e-8))


_DECAY, _SQUARE_DECAY = 0.9, 0.999
