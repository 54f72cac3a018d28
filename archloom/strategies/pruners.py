# SPDX-License-Identifier: Apache-2.0
"""When to stop a running trial: judged by its curve against those that finished."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Mapping
from typing import final

from archloom.contracts import Pruner
from archloom.errors import ConfigError

__all__ = ["MedianPruner"]


@final
class MedianPruner(Pruner):
    """Stop a trial whose best cost so far is above the median at the same step; NaN is worst of all.

    Golovin et al.: Google Vizier, KDD 2017 (the median stopping rule). Curves hold costs: lower is
    better.

    Args:
        n_startup: finished curves that must reach the step before any trial is stopped.
        n_warmup: steps a trial may run in peace.
    """

    def __init__(self, *, n_startup: int = 5, n_warmup: int = 0):
        if n_startup < 1 or n_warmup < 0:
            raise ConfigError(
                f"n_startup must be at least 1 and n_warmup at least 0, got {n_startup}, {n_warmup}"
            )
        self._n_startup = n_startup
        self._n_warmup = n_warmup

    def stop(self, curve: Mapping[int, float], curves: Iterable[Mapping[int, float]]) -> bool:
        """Decide from this trial's costs a step and the finished trials'."""
        step = max(curve)
        if step < self._n_warmup:
            return False
        others = [_cost(other[step]) for other in curves if step in other]
        own = min(_cost(value) for value in curve.values())
        return len(others) >= self._n_startup and own > statistics.median(others)


def _cost(value: float) -> float:
    return math.inf if math.isnan(value) else value
