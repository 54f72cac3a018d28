# SPDX-License-Identifier: Apache-2.0
"""Trials, or their curves, as a Parquet file: the columns of the CSV file, with their types."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from archloom.errors import require
from archloom.store.exchange.columns import Column
from archloom.store.exchange.files import replacing

__all__ = ["write_parquet"]


def write_parquet(
    columns: Sequence[Column],
    path: Path,
    *,
    notes: Mapping[str, str] | None = None,
    overwrite: bool = False,
) -> None:
    """Write a Parquet file: whole, or not at all.

    Args:
        columns: from ``trial_columns`` or ``curve_columns``.
        path: where to.
        notes: kept in the file's own metadata.
        overwrite: whether a file may be there already.

    Raises:
        ConfigError: there is one, or it cannot be written.
        MissingExtraError: pyarrow is not installed.
    """
    pa = require("pyarrow", "parquet", "a Parquet file")
    pq = require("pyarrow.parquet", "parquet", "a Parquet file")
    types = {"text": pa.string(), "integer": pa.int64(), "number": pa.float64(), "flag": pa.bool_()}
    fields = [pa.field(column.name, types[column.kind]) for column in columns]
    arrays = [pa.array(column.values, types[column.kind]) for column in columns]
    table = pa.Table.from_arrays(arrays, schema=pa.schema(fields, metadata=dict(notes or {})))
    with replacing(path, overwrite=overwrite) as part:
        pq.write_table(table, part)
