# SPDX-License-Identifier: Apache-2.0
"""Columns of a parquet or CSV file: texts to match rows by, and numbers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

import numpy as np
import numpy.typing as npt
import pandas as pd

from archloom.errors import ConfigError, DataError, did_you_mean, require

__all__ = ["column_names", "read_columns"]

_EMPTY_WORDS = ("", "nan", "NaN")


def column_names(path: Path) -> list[str]:
    """Return the names of the columns without reading the rows.

    Raises:
        ConfigError: the file is neither ``.parquet`` nor ``.csv`` (also ``.csv.gz``).
        MissingExtraError: parquet without pyarrow.
    """
    if _is_parquet(path):
        return list(_pyarrow().read_schema(path).names)
    try:
        return [str(name) for name in pd.read_csv(path, nrows=0).columns]
    except pd.errors.EmptyDataError:
        raise DataError(f"{path.name}: the table is empty; it needs a header line and rows") from None


def read_columns(
    path: Path, texts: Sequence[str], numbers: Sequence[str]
) -> tuple[list[list[str]], npt.NDArray[np.float64]]:
    """Read ``texts`` as ``len(texts)`` lists of words, ``numbers`` as an ``n x len(numbers)`` array.

    A missing text is ``""``; a missing number is NaN.

    Raises:
        ConfigError: a column does not exist; the message names the nearest.
        DataError: a column of numbers holds something else.
    """
    names = column_names(path)
    for name in (*texts, *numbers):
        if name not in names:
            raise ConfigError(f"{path.name} has no column {name!r}{did_you_mean(name, names)}")
    wanted = list(dict.fromkeys((*texts, *numbers)))
    frame = _read_parquet(path, wanted) if _is_parquet(path) else _read_csv(path, wanted)
    words = [["" if value is None else str(value) for value in frame[name]] for name in texts]
    values = [_as_numbers(frame[name], path) for name in numbers]
    return words, np.column_stack(values) if values else np.empty((len(frame), 0))


def _is_parquet(path: Path) -> bool:
    if path.suffix == ".parquet":
        return True
    if path.name.endswith((".csv", ".csv.gz")):
        return False
    raise ConfigError(f"a table is a .parquet, .csv or .csv.gz file; got {path.name!r}")


def _pyarrow() -> ModuleType:
    return require("pyarrow.parquet", "parquet", "reading a parquet table")


def _read_parquet(path: Path, names: list[str]) -> pd.DataFrame:
    table = _pyarrow().read_table(path, columns=names)
    # Python objects, so that an integer column with gaps does not turn into 3.0 and NaN.
    return pd.DataFrame({name: pd.Series(table[name].to_pylist(), dtype=object) for name in names})


def _read_csv(path: Path, names: list[str]) -> pd.DataFrame:
    # As text, so that a label "none" or "NA" stays a label and "1.0" stays "1.0".
    try:
        return pd.read_csv(path, usecols=names, dtype=str, keep_default_na=False)
    except (pd.errors.ParserError, UnicodeDecodeError) as error:
        raise DataError(f"{path.name}: this is no CSV table: {error}") from None


def _as_numbers(column: pd.Series, path: Path) -> npt.NDArray[np.float64]:
    is_empty = column.isna() | column.isin(_EMPTY_WORDS)
    numbers = pd.to_numeric(column.where(~is_empty), errors="coerce")
    wrong = np.flatnonzero(numbers.isna() & ~is_empty)
    if len(wrong):
        raise DataError(
            f"{path.name}: column {column.name!r} must hold numbers; "
            f"row {wrong[0]} holds {column.iloc[wrong[0]]!r:.80}"
        )
    return numbers.to_numpy(dtype=np.float64, na_value=np.nan)
