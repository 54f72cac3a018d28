# SPDX-License-Identifier: Apache-2.0
"""Trials from a CSV file: one that ``write_csv`` wrote, or a table of somebody else's."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from archloom.contracts import Objective
from archloom.errors import ConfigError, DataError
from archloom.store.exchange.cells import unguarded
from archloom.store.exchange.columns import LEADING, Layout
from archloom.store.exchange.foreign import Claims, read_foreign
from archloom.store.exchange.goals import constraints_in
from archloom.store.exchange.incoming import Incoming
from archloom.store.exchange.own import read_own
from archloom.store.exchange.row import Row

__all__ = ["read_csv"]

_DELIMITERS = ",;\t"


def read_csv(
    path: Path,
    objectives: Sequence[Objective],
    claims: Claims | None = None,
    *,
    constraints: Sequence[str] = (),
) -> Incoming:
    """Read the trials of a CSV file.

    Args:
        path: UTF-8; cells are divided by commas, semicolons or tabs.
        objectives: as a person writes them, ``accuracy`` for ``validation/accuracy``.
        claims: what the columns of a table are that archloom did not write.
        constraints: as a person writes them, ``params <= 1000``. Where a table has no column
            ``violation``, they are what makes its trials infeasible.

    Raises:
        ConfigError: no such file, columns that nothing is known of, or an objective that is no column.
        DataError: a cell that is not what its column holds; the message names line and column.
    """
    text = _text(path)
    header, rows = _parsed(text, path)
    if not header:
        raise DataError(f"{path} is empty: a table begins with the names of its columns")
    layout = Layout.of([unguarded(name) for name in header])
    if layout is not None:
        if claims is not None and claims.are_made:
            raise ConfigError(
                f"{path} was written by archloom and says itself what its columns are: "
                "leave --decisions, --metrics and --ignore out"
            )
        found = read_own(layout, rows, objectives, source=str(path))
        rules = constraints_in(layout.metrics, constraints, str(path))
        return replace(found, constraints=tuple(map(str, rules)))
    is_ours = tuple(header[: len(LEADING)]) == LEADING
    claims = claims or Claims()
    return read_foreign(header, rows, objectives, claims, constraints, is_changed=is_ours, source=str(path))


def _text(path: Path) -> str:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            return file.read()
    except UnicodeDecodeError as error:
        if path.read_bytes()[:4] == b"PAR1":
            raise DataError(
                f"{path} is a Parquet file; what comes in is CSV or an Optuna storage (export it --to csv)"
            ) from None
        raise DataError(f"{path} is not UTF-8 text: {error.reason} at byte {error.start}") from None
    except OSError as error:
        raise ConfigError(f"cannot read {path}: {error.strerror}") from None


def _parsed(text: str, path: Path) -> tuple[list[str], list[Row]]:
    """Return the header and the rows below it, but for empty lines."""
    before = csv.field_size_limit(max(csv.field_size_limit(), len(text)))  # is everybody's
    try:
        records = [(line, cells) for line, cells in _records(text, path) if cells]
    finally:
        csv.field_size_limit(before)
    if not records:
        return [], []
    (_, header), *rest = records
    return header, [Row(str(path), line, cells, header) for line, cells in rest]


def _records(text: str, path: Path) -> Iterator[tuple[int, list[str]]]:
    """Yield each record with the number of its first line."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text), strict=True)
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise DataError(f"{path}, line {line}: this is not CSV ({error})") from None
        yield line, cells


def _delimiter(text: str) -> str:
    """Return what divides the header into most cells; of equal ones, the comma."""
    first = text.partition("\n")[0]
    return max(_DELIMITERS, key=lambda mark: len(next(csv.reader([first], delimiter=mark), [])))
