# SPDX-License-Identifier: Apache-2.0
"""What the parts of ``strategy_speed`` share: clocks, and trials that finish at once."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import pyglove as pg

from archloom.contracts import Finished, FloatArray, Genotypes, State
from archloom.search_spaces import SearchSpace
from archloom.search_spaces.cell import cell

__all__ = ["finished", "seconds_of", "two_cells", "worth"]


def seconds_of(step: Callable[[], object], n: int) -> float:
    """Return the seconds that one of ``n`` steps takes, after one that is not timed."""
    step()
    started = time.perf_counter()
    for _ in range(n):
        step()
    return (time.perf_counter() - started) / n


def two_cells() -> SearchSpace:
    """Make DARTS' space: a normal and a reduction cell of four nodes."""
    edge = cell(nodes=4).template.value.cell
    return SearchSpace(pg.Dict(normal=edge.clone(deep=True), reduction=edge.clone(deep=True)))


def worth(rows: Genotypes) -> FloatArray:
    """Return a smooth score of rows, about 0: what is told instead of a trial's result."""
    columns = np.arange(rows.choices.shape[1])
    return np.asarray(np.sin(1.0 + 7.0 * columns + rows.choices).sum(axis=1))


def finished(rows: Genotypes, first: int, values: FloatArray) -> Finished:
    """Return trials that have all gone well."""
    n = len(rows)
    return Finished(
        np.arange(first, first + n), rows, (State.COMPLETE,) * n, values, np.zeros(n), (None,) * n
    )
