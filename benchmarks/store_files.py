# SPDX-License-Identifier: Apache-2.0
"""The databases that the sections share, each made when it is first asked for."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import final

from archloom.search_spaces import SearchSpace
from benchmarks.store_million import differences, fill_straight
from benchmarks.store_problem import N_FEW, N_SMALL, Drawn, draw, space
from benchmarks.store_size import fill_optuna, fill_ours

__all__ = ["Files", "drop_from_memory"]

N_FRAME = 100_000
N_MANY = 1_000_000


@final
class Files:
    """Stores of the same problem in a folder.

    Args:
        folder: where they are put, and left.
    """

    def __init__(self, folder: Path):
        self.folder = folder

    @cached_property
    def searched(self) -> SearchSpace:
        """The space."""
        return space()

    @cached_property
    def small(self) -> Drawn:
        """The trials that both sides hold."""
        return draw(self.searched, N_SMALL)

    @cached_property
    def ours(self) -> Path:
        """Those, by our store's public calls."""
        return self._made("ours.db", lambda path: fill_ours(path, self.searched, self.small))

    @cached_property
    def optunas(self) -> Path:
        """Those, by Optuna's."""
        return self._made("optuna.db", lambda path: fill_optuna(path, self.small))

    @cached_property
    def optunas_integers(self) -> Path:
        """The first of those by Optuna's, the index of each choice instead of its label."""
        few = Drawn(self.small.genotypes[:N_FEW], self.small.values[:N_FEW])
        return self._made("integers.db", lambda path: fill_optuna(path, few, as_integers=True))

    @cached_property
    def hundred_thousand(self) -> Path:
        """Trials enough for a data frame."""
        return self._straight("hundred.db", N_FRAME)

    @cached_property
    def million(self) -> Path:
        """A store of a million trials."""
        return self._straight("million.db", N_MANY)

    def check(self) -> None:
        """Hold what is written straight into the tables to what the public calls write.

        Raises:
            RuntimeError: they differ.
        """
        straight = self._made("straight.db", lambda path: fill_straight(path, self.searched, self.small))
        if found := differences(self.ours, straight):
            raise RuntimeError(f"the rows written straight are not the store's own: {'; '.join(found)}")

    def _straight(self, name: str, n: int) -> Path:
        return self._made(name, lambda path: fill_straight(path, self.searched, draw(self.searched, n)))

    def _made(self, name: str, fill: Callable[[Path], object]) -> Path:
        path = self.folder / name
        if not path.exists():
            fill(path)
        return path


def drop_from_memory(path: Path) -> None:
    """Have the next reader of a file read it from the disk (as ``fincore`` shows)."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
    finally:
        os.close(descriptor)
