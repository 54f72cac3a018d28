# SPDX-License-Identifier: Apache-2.0
"""Trials, or their curves, as a CSV file: see ``columns`` for what is in it, ``cells`` for how."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

from archloom.store.exchange.cells import guarded, written
from archloom.store.exchange.columns import Column
from archloom.store.exchange.files import replacing

__all__ = ["write_csv"]


def write_csv(columns: Sequence[Column], path: Path, *, overwrite: bool = False) -> None:
    """Write a CSV file in UTF-8: whole, or not at all.

    Args:
        columns: from ``trial_columns`` or ``curve_columns``.
        path: where to.
        overwrite: whether a file may be there already.

    Raises:
        ConfigError: there is one, or it cannot be written.
    """
    cells = [[written(value, column.kind) for value in column.values] for column in columns]
    with replacing(path, overwrite=overwrite) as part, part.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([guarded(column.name) for column in columns])
        writer.writerows(zip(*cells, strict=True))
