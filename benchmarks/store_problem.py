# SPDX-License-Identifier: Apache-2.0
"""What the store's benchmarks keep: ten decisions with the names of a real network, and three metrics.

Accuracy and parameters are the objectives, latency is the metric beside them. The numbers are drawn
around what the architecture suggests, so that equal architectures differ by noise only and the Pareto
front has some dozens of members.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pyglove as pg

from archloom.contracts import FloatArray, Genotypes, Objective
from archloom.search_spaces import SearchSpace
from archloom.store import StudyRecord

__all__ = [
    "CANDIDATES",
    "METRICS",
    "N_FEW",
    "N_SMALL",
    "OBJECTIVES",
    "SEED",
    "Drawn",
    "draw",
    "space",
    "study_record",
]

OPERATIONS = ["conv_3x3", "conv_5x5", "sep_conv_3x3", "dil_conv_3x3", "max_pool_3x3", "skip_connect"]
CANDIDATES: dict[str, list[str]] = {
    "stem_width": ["16", "32", "48", "64"],
    "stage1_op": OPERATIONS,
    "stage1_depth": ["1", "2", "3", "4"],
    "stage2_op": OPERATIONS,
    "stage2_depth": ["1", "2", "3", "4"],
    "stage3_op": OPERATIONS,
    "stage3_depth": ["1", "2", "3", "4"],
    "activation": ["relu", "gelu", "silu", "hardswish"],
    "normalization": ["batch_norm", "group_norm", "layer_norm"],
    "head_dropout": ["0.0", "0.1", "0.2", "0.3", "0.5"],
}
OBJECTIVES = (Objective("validation/accuracy", "maximize"), Objective("params", "minimize"))
SEED = 0
N_FEW = 2_000
N_SMALL = 10_000
"""How many trials both sides hold."""
METRICS = ("validation/accuracy", "params", "latency_ms")


class Drawn(NamedTuple):
    """Trials that were never run.

    Args:
        genotypes: ``n`` rows.
        values: ``n x 3``, one column a metric in the order of ``METRICS``.
    """

    genotypes: Genotypes
    values: FloatArray

    def choices(self) -> Iterator[dict[str, str]]:
        """Yield each row's decisions by name."""
        names = list(CANDIDATES)
        labels = list(CANDIDATES.values())
        for row in self.genotypes.choices.tolist():
            yield {names[i]: labels[i][choice] for i, choice in enumerate(row)}

    def metrics(self) -> Iterator[dict[str, float]]:
        """Yield each row's metrics by name."""
        for row in self.values.tolist():
            yield dict(zip(METRICS, row, strict=True))


def space() -> SearchSpace:
    """Return the space of 26,542,080 / 2 or so architectures; the labels are text, as people write them."""
    return SearchSpace(pg.Dict({name: pg.oneof(labels) for name, labels in CANDIDATES.items()}))


def study_record(name: str, searched: SearchSpace) -> StudyRecord:
    """Return the study that the trials belong to."""
    return StudyRecord(name, SEED, OBJECTIVES, space=searched.to_json(), fingerprint=searched.fingerprint)


def draw(searched: SearchSpace, n: int, seed: int = 0) -> Drawn:
    """Draw ``n`` architectures and their metrics."""
    rng = np.random.default_rng(seed)
    genotypes = searched.sample(n, rng)
    encoded = searched.one_hot(genotypes)
    n_columns = encoded.shape[1]
    params = np.exp(12 + encoded @ rng.normal(0, 0.5, n_columns)).round()
    quality = encoded @ rng.normal(0, 0.4, n_columns) + 0.25 * np.log(params) + rng.normal(0, 0.3, n)
    accuracy = 1 / (1 + np.exp(-(quality - quality.mean())))
    latency = np.sqrt(params) / 50 * np.exp(rng.normal(0, 0.1, n))
    return Drawn(genotypes, np.column_stack([accuracy, params, latency]))
