# SPDX-License-Identifier: Apache-2.0
"""A row of a CSV file, whose wrong cells are named by line and column."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NoReturn

from archloom.contracts import State
from archloom.errors import DataError, did_you_mean
from archloom.store.exchange.cells import number_of
from archloom.store.exchange.times import utc

__all__ = ["Row"]

_N_BITS = 63


@dataclass(frozen=True)
class Row:
    """A row and where it stands.

    Args:
        source: the file.
        line: number of its first line there, from 1.
        cells: as they are.
        header: the names of the columns.

    Raises:
        DataError: it has not as many cells as the header.
    """

    source: str
    line: int
    cells: Sequence[str]
    header: Sequence[str]

    def __post_init__(self) -> None:
        if len(self.cells) != len(self.header):
            raise DataError(
                f"{self.source}, line {self.line}: a row has a cell for each of the {len(self.header)} "
                f"columns, got {len(self.cells)}"
            )

    def refuse(self, column: int, wanted: str, hint: str = "") -> NoReturn:
        """Say what a cell should be.

        Raises:
            DataError: always.
        """
        raise DataError(
            f"{self.source}, line {self.line}, column {self.header[column]!r}: {wanted} is wanted, "
            f"got {self.cells[column]!r:.80}{hint}"
        )

    def number(self, column: int) -> float | None:
        """Return a number, ``None`` from an empty cell."""
        cell = self.cells[column].strip()
        found = number_of(cell)
        if cell and found is None:
            self.refuse(column, "a number")
        return found

    def finite(self, column: int, *, least: float = -math.inf) -> float | None:
        """Return a finite number, ``None`` from an empty cell."""
        found = self.number(column)
        if found is not None and not (math.isfinite(found) and found >= least):
            self.refuse(column, "a finite number" + (f" of at least {least:g}" if least > -math.inf else ""))
        return found

    def integer(self, column: int, *, least: int = -(2**_N_BITS)) -> int | None:
        """Return a whole number, ``None`` from an empty cell."""
        cell = self.cells[column].strip()
        if not cell:
            return None
        try:
            found = int(cell)
        except ValueError:
            found = self._whole(column)
        if not least <= found < 2**_N_BITS:
            self.refuse(
                column, f"a whole number of at least {least}" if found < least else "a smaller number"
            )
        return found

    def flag(self, column: int) -> bool:
        """Return whether a cell says true; an empty one says false."""
        words = {"true": True, "1": True, "false": False, "0": False, "": False}
        cell = self.cells[column].strip().lower()
        if cell not in words:
            self.refuse(column, "true or false")
        return words[cell]

    def state(self, column: int) -> State:
        """Return the state of a trial."""
        cell = self.cells[column].strip().upper()
        if cell not in list(State):
            self.refuse(column, "a trial's state", did_you_mean(cell, State))
        return State(cell)

    def time(self, column: int) -> str | None:
        """Return a time in the store's form, ``None`` from an empty cell."""
        cell = self.cells[column].strip()
        try:
            return utc(cell) if cell else None
        except (ValueError, OverflowError):
            self.refuse(column, "a time such as 2026-11-21T09:55:46Z")

    def _whole(self, column: int) -> int:
        """Return the whole number that a cell spells as 3.0, as spreadsheets and data frames do."""
        found = number_of(self.cells[column])
        if found is None or not found.is_integer():
            self.refuse(column, "a whole number")
        return int(found)
