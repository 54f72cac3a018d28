# SPDX-License-Identifier: Apache-2.0
"""Look an architecture up in a table of finished measurements: a tabular benchmark."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from archloom.contracts import Architecture, Evaluator, Metrics, Trial
from archloom.errors import ConfigError, DataError
from archloom.evaluators.files import locate
from archloom.evaluators.tables import read_columns

__all__ = ["Tabular"]

_SECONDS = "train_seconds"


class Tabular(Evaluator):
    """Answers from a parquet or CSV table, one row an architecture.

    Rows are matched in one of two ways: by ``key``, a column that holds ``architecture.text``; or, without
    it, by the columns named like the decisions of the space, which hold candidate labels (empty where a
    decision is inactive). Labels are compared as text.

    What is optimised and what is reported are never the same column: ``report`` columns come back as
    ``test/<column>``, and no objective may be one of them.

    Args:
        path: the ``.parquet``, ``.csv`` or ``.csv.gz`` file: as given, beside the study file, or under the
            folder that the environment variable ``ARCHLOOM_DATA`` names.
        objective: columns that a search may see; a mapping gives them other names
            (``{accuracy: cifar10_valid_200}``). An empty cell is an error when it is asked for.
        report: columns that a search may not see. An empty cell is left out.
        key: the column that holds ``architecture.text``; ``None`` matches by decisions.
        keyed_by: what makes two trials the same: the ``genotype``, since benchmarks measured isomorphic
            cells apart, or the ``canonical`` architecture.
        seconds: the column of training times in seconds, given as ``train_seconds``. An empty cell is left
            out.

    Raises:
        ConfigError: a column is both searched and reported, or (in ``prepare``) does not exist.
        DataError: (in ``prepare``) the file is missing, or gives one architecture two different rows.
        MissingExtraError: (in ``prepare``) parquet without pyarrow.
    """

    def __init__(
        self,
        *,
        path: str | Path,
        objective: list[str] | dict[str, str],
        report: list[str] | None = None,
        key: str | None = None,
        keyed_by: Literal["genotype", "canonical"] = "genotype",
        seconds: str | None = None,
    ):
        searched = dict(objective) if isinstance(objective, Mapping) else {name: name for name in objective}
        reported = {f"test/{name}": name for name in report or ()}
        _check_apart(searched, reported)
        timed = {} if seconds is None else {_SECONDS: seconds}
        self.keyed_by = keyed_by
        self.gives = (*searched, *reported, *timed)
        self._columns = {**searched, **reported, **timed}
        self._n_searched = len(searched)
        self._path = path
        self._key = key
        self._decisions: tuple[str, ...] = ()
        self._rows: dict[Hashable, int] | None = None
        self._loaded: tuple[Path, tuple[str, ...]] | None = None
        self._numbers: npt.NDArray[np.float64] = np.empty((0, 0))

    def prepare(self, space: Any) -> None:
        """Read the table once and index its rows."""
        if self._key is None:
            outside = tuple(f"{owner}." for owner in space.settings)
            names = [decision.name for decision in space.decisions]
            self._decisions = tuple(name for name in names if not name.startswith(outside))
        self._load()

    def evaluate(self, architecture: Architecture, trial: Trial) -> Metrics:
        """Return the architecture's row.

        Raises:
            DataError: the table has no such row, or an objective's cell is empty.
        """
        return self.evaluate_many([architecture], [trial])[0]

    def evaluate_many(self, architectures: Sequence[Architecture], trials: Sequence[Trial]) -> list[Metrics]:
        """Return the rows of several architectures, from one read of the array."""
        del trials
        positions = [self._position(architecture) for architecture in architectures]
        rows = self._numbers[positions].tolist()
        names = self.gives or ()
        found: list[Metrics] = []
        for architecture, row in zip(architectures, rows, strict=True):
            # NaN is the one number that differs from itself.
            metrics = {name: value for name, value in zip(names, row, strict=True) if value == value}
            if len(metrics) < len(names):
                self._check_searched(architecture, metrics)
            found.append(metrics)
        return found

    def _position(self, architecture: Architecture) -> int:
        if self._rows is None:
            self._load()
        try:
            return (self._rows or {})[self._key_of(architecture)]
        except KeyError:
            raise DataError(f"{Path(self._path).name} has no row for {architecture.text}") from None

    def _key_of(self, architecture: Architecture) -> Hashable:
        if self._key is not None:
            return architecture.text
        choices = architecture.choices
        return tuple(str(choices.get(name, "")) for name in self._decisions)

    def _check_searched(self, architecture: Architecture, metrics: Metrics) -> None:
        for name, column in list(self._columns.items())[: self._n_searched]:
            if name not in metrics:
                raise DataError(
                    f"{Path(self._path).name}: column {column!r} is empty for {architecture.text}, "
                    f"so there is no {name!r}"
                )

    def _load(self) -> None:
        if self._key is None and not self._decisions:
            raise ConfigError(
                "a table without key is matched by the decisions of the space: call prepare(space) first"
            )
        path = locate(self._path, f"the table {str(self._path)!r}")
        matched = self._decisions if self._key is None else (self._key,)
        if self._rows is not None and self._loaded == (path, matched):
            return
        texts, self._numbers = read_columns(path, matched, list(self._columns.values()))
        keys: list[Hashable] = list(texts[0]) if self._key is not None else list(zip(*texts, strict=True))
        self._rows = _index(keys, self._numbers, path)
        self._loaded = path, matched


def _check_apart(searched: Mapping[str, str], reported: Mapping[str, str]) -> None:
    if not searched:
        raise ConfigError("a table needs at least one objective column; got none")
    for name, column in searched.items():
        if column in reported.values():
            raise ConfigError(
                f"column {column!r} is both objective and report: "
                "what is optimised and what is reported must be different columns"
            )
        if name.startswith("test/") or name == _SECONDS:
            raise ConfigError(
                f"an objective cannot be named {name!r}: that name is kept for what is only reported"
            )


def _index(keys: list[Hashable], numbers: npt.NDArray[np.float64], path: Path) -> dict[Hashable, int]:
    rows = dict(zip(reversed(keys), reversed(range(len(keys))), strict=True))
    if len(rows) < len(keys):
        for position, key in enumerate(keys):
            if not np.array_equal(numbers[rows[key]], numbers[position], equal_nan=True):
                raise DataError(
                    f"{path.name}: rows {rows[key]} and {position} are both {key!r} "
                    "but hold different numbers"
                )
    return rows
