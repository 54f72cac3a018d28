# SPDX-License-Identifier: Apache-2.0
"""Latency as a sum over operations that were measured one by one."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any, final

from archloom.contracts import Architecture, Genotypes, Metrics, Trial
from archloom.errors import ConfigError
from archloom.evaluators.files import locate
from archloom.evaluators.latency.prices import Prices, price
from archloom.evaluators.latency.rows import read_rows

__all__ = ["OperationTable"]


@final
class OperationTable:
    """Adds up the rows that an architecture's active decisions choose; no network is built.

    Args:
        path: the table.
    """

    gives = ("latency_ms",)

    def __init__(self, path: str):
        self._path = path
        self._prices: Prices | None = None
        self._conditions: dict[str, str] = {}

    def prepare(self, space: Any) -> None:
        """Read the table and find the row of every candidate that it speaks of.

        Raises:
            ConfigError: a column is missing or misspelt.
            DataError: the file is missing or malformed, or does not fit the space.
        """
        path = locate(self._path, f"the table {self._path!r}", "Beside the study file is fine")
        self._prices = price(read_rows(path), space.decisions, path.name)
        self._conditions = {
            "table": str(path.absolute()),
            "table_sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
            "table_decisions": f"{len(self._prices.decisions)} of {len(space.decisions)}",
        }

    def measure_many(self, architectures: Sequence[Architecture], trials: Sequence[Trial]) -> list[Metrics]:
        """Return the sums, from one look-up in the arrays."""
        del trials
        if self._prices is None:
            raise ConfigError("a table of operations is laid out by the space: call prepare(space) first")
        if not architectures:
            return []
        rows = Genotypes.concatenate([architecture.genotype for architecture in architectures])
        return [{"latency_ms": ms} for ms in self._prices.total(rows).tolist()]

    def measure(self, architecture: Architecture, trial: Trial) -> Metrics:
        """Return the sum of one architecture."""
        return self.measure_many([architecture], [trial])[0]

    def conditions(self) -> dict[str, str]:
        """Name the table, its contents' hash, and of how many decisions it speaks."""
        return dict(self._conditions)
