# SPDX-License-Identifier: Apache-2.0
"""Look a graph neural network up in NAS-Bench-Graph, the tables of the package ``nas-bench-graph``.

The package's code is never imported. Its tables are pickles, which could call anything while they are read:
here they are read by an unpickler that knows two names, those by which numpy's numbers are written, and means
by them two classes of this module that can do nothing but make a number.
"""

from __future__ import annotations

import io
import pickle
import struct
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Any, Literal, final

import numpy as np
import numpy.typing as npt

from archloom.contracts import Architecture, Evaluator, FloatArray, Metrics, Trial
from archloom.errors import ConfigError, DataError, MissingExtraError
from archloom.evaluators.files import locate
from archloom.search_spaces.nasbenchgraph import (
    ALL_SKIP,
    DECISIONS,
    OPERATIONS,
    PROTEINS_OPERATIONS,
    canonical_keys,
    encode,
)

__all__ = ["Dataset", "NasBenchGraph", "read_bench"]

Dataset = Literal["cora", "citeseer", "pubmed", "cs", "physics", "photo", "computers", "arxiv", "proteins"]

_PACKAGE = "nas-bench-graph"
_INSTALL = "pip install 'archloom[graphs]'"
_FIELDS = ("valid_perf", "perf", "latency", "para")
_FORMATS = {"f4": "f", "f8": "d", "i4": "i", "i8": "q"}
_UNITS = np.array([1.0, 1.0, 1.0, 1e6])


@final
class NasBenchGraph(Evaluator):
    """Answers from NAS-Bench-Graph: 26,206 graph neural networks, each trained on nine datasets.

    Qin, Zhang, Wang, Zhang and Zhu, "NAS-Bench-Graph: Benchmarking Graph Neural Architecture Search", NeurIPS
    2022 (datasets and benchmarks), arXiv:2206.09166. The numbers are means of three seeds.

    It gives ``validation/accuracy``, ``test/accuracy``, ``latency`` (as the table has it: seconds, to judge
    by its size) and ``params``. On ``proteins`` the score is not accuracy but the area under the ROC curve,
    ``roc_auc``. Four skips are no network: to evaluate them fails, and the trial says why.

    The searches that come with the benchmark are rewarded with the *test* score. Here, as everywhere, the
    test is reported and cannot be an objective: compare with searches on validation only.

    Args:
        dataset: ``cora``, ``citeseer``, ``pubmed``, ``cs``, ``physics``, ``photo``, ``computers``, ``arxiv``
            or ``proteins``; the last knows the operations of ``PROTEINS_OPERATIONS`` only.
        path: the ``.bench`` file, or a folder that holds ``<dataset>.bench``: as given, beside the study
            file, or under the folder that ``ARCHLOOM_DATA`` names; ``None`` takes the installed package's.
        keyed_by: what makes two trials the same: the ``canonical`` network, since that is what was
            measured, or the ``genotype``, its encoding, of which a network has six on average.

    Raises:
        ConfigError: (in ``prepare``) another space, or operations that the dataset's table lacks.
        MissingExtraError: (in ``prepare``) no ``path``, and the package is not installed.
        DataError: (in ``prepare``) the file is missing, or is no such table.
    """

    def __init__(
        self,
        *,
        dataset: Dataset = "cora",
        path: str | Path | None = None,
        keyed_by: Literal["canonical", "genotype"] = "canonical",
    ):
        score = "roc_auc" if dataset == "proteins" else "accuracy"
        self.keyed_by = keyed_by
        self.gives = (f"validation/{score}", f"test/{score}", "latency", "params")
        self._dataset: str = dataset
        self._path = path
        self._table: tuple[npt.NDArray[np.int64], FloatArray] | None = None

    def prepare(self, space: Any) -> None:
        """Check that the space is the benchmark's, and read the table."""
        self._check(space)
        self._load()

    def evaluate(self, architecture: Architecture, trial: Trial) -> Metrics:
        """Return the network's row.

        Raises:
            DataError: all four operations are skip, or the table has no such network.
        """
        return self.evaluate_many([architecture], [trial])[0]

    def evaluate_many(self, architectures: Sequence[Architecture], trials: Sequence[Trial]) -> list[Metrics]:
        """Return the rows of several networks, found together."""
        del trials
        if not architectures:
            return []
        known, numbers = self._load()
        links, operations = zip(
            *(encode(architecture.choices) for architecture in architectures), strict=True
        )
        keys = canonical_keys(links, operations)
        rows = np.searchsorted(known, keys).clip(max=len(known) - 1)
        for missing in np.flatnonzero(known[rows] != keys).tolist():
            raise DataError(self._reason(architectures[missing], int(keys[missing])))
        return [dict(zip(self.gives or (), row, strict=True)) for row in numbers[rows].tolist()]

    def _reason(self, architecture: Architecture, key: int) -> str:
        if key == ALL_SKIP:
            return f"{architecture.text}: four skips are no network, and were not measured"
        return f"NAS-Bench-Graph has no row for {architecture.text} on {self._dataset} (key {key:05d})"

    def _load(self) -> tuple[npt.NDArray[np.int64], FloatArray]:
        if self._table is None:
            self._table = read_bench(_bench_file(self._dataset, self._path))
        return self._table

    def _check(self, space: Any) -> None:
        candidates = {decision.name: decision.candidates for decision in space.decisions}
        for name in DECISIONS:
            if name not in candidates:
                raise ConfigError(
                    "NAS-Bench-Graph knows the networks of the space 'nasbenchgraph'; "
                    f"this space has no decision {name!r}: {', '.join(candidates)}"
                )
        known = PROTEINS_OPERATIONS if self._dataset == "proteins" else OPERATIONS
        offered = {str(label) for name in DECISIONS if "operation" in name for label in candidates[name]}
        if not offered <= set(known):
            raise ConfigError(
                f"NAS-Bench-Graph has not measured {', '.join(sorted(offered - set(known)))} on "
                f"{self._dataset}: give the space nasbenchgraph `operations: [{', '.join(known)}]`"
            )


def read_bench(path: Path) -> tuple[npt.NDArray[np.int64], FloatArray]:
    """Read a table of NAS-Bench-Graph without running what it may ask for.

    Returns:
        ``n`` keys in ascending order, and ``n x 4`` numbers: validation and test score, latency, parameters.

    Raises:
        DataError: the file asks for anything but containers and numbers, or is no such table.
    """
    try:
        table = _Reader(io.BytesIO(path.read_bytes())).load()
    except Exception as error:  # a broken pickle raises whatever it likes
        raise DataError(f"{path}: no table of NAS-Bench-Graph is read from this file: {error}") from error
    if not isinstance(table, dict) or not table:
        raise DataError(f"{path}: a table of NAS-Bench-Graph is a mapping, got {type(table).__name__}")
    rows = [_row(key, entry, path) for key, entry in table.items()]
    keys = np.array([key for key, _ in rows], dtype=np.int64)
    order = np.argsort(keys)
    numbers = np.array([numbers for _, numbers in rows]) * _UNITS
    numbers[:, -1] = numbers[:, -1].round()  # whole parameters again
    return keys[order], numbers[order]


def _row(key: Any, entry: Any, path: Path) -> tuple[int, list[float]]:
    if not isinstance(key, int) or not 0 <= key <= ALL_SKIP or not isinstance(entry, Mapping):
        raise DataError(
            f"{path}: a table of NAS-Bench-Graph maps keys of five digits to mappings, "
            f"got {type(key).__name__} to {type(entry).__name__}"
        )
    for field in _FIELDS:
        if not isinstance(entry.get(field), float):
            got = type(entry.get(field)).__name__
            raise DataError(f"{path}: row {key:05d} needs a float {field!r}, got {got}")
    return key, [entry[field] for field in _FIELDS]


def _bench_file(dataset: str, path: str | Path | None) -> Path:
    """Find the table: where the path leads, else among the files of the installed package."""
    if path is not None:
        found = locate(path, f"the NAS-Bench-Graph table {str(path)!r}", f"{_INSTALL} brings all nine")
        found = found / f"{dataset}.bench" if found.is_dir() else found
    else:
        try:
            installed = distribution(_PACKAGE)
        except PackageNotFoundError:
            raise MissingExtraError(
                f"the tables of NAS-Bench-Graph come with {_PACKAGE!r}, which is not installed: {_INSTALL}"
            ) from None
        found = Path(str(installed.locate_file(f"nas_bench_graph/light/{dataset}.bench")))
    if not found.is_file():
        raise DataError(f"the NAS-Bench-Graph table of {dataset!r} is missing: looked at {found}")
    return found


@final
class _Reader(pickle.Unpickler):
    """Unpickles Python's containers and numbers, and numpy's numbers; refuses every other name."""

    def find_class(self, module: str, name: str) -> Any:
        """Return what a name in the pickle means here."""
        if (module, name) == ("numpy", "dtype"):
            return _DtypeMaker()
        if (module, name) in (("numpy.core.multiarray", "scalar"), ("numpy._core.multiarray", "scalar")):
            return _ScalarMaker()
        raise pickle.UnpicklingError(
            f"it asks for {f'{module}.{name}'!r:.80}, and only plain numbers and containers are allowed"
        )


# What a pickle gets hold of, it may also try to change. These have no attributes that it could set.


@final
class _Dtype:
    """The type of a number: ``f8``, once it is told the order of bytes ``<f8``."""

    __slots__ = ("_code", "_order")

    def __init__(self, code: Any):
        self._code, self._order = code, "="

    def __setstate__(self, state: Any) -> None:
        self._order = state[1]

    def number(self, raw: bytes) -> float:
        """Return the number that these bytes are."""
        if self._code not in _FORMATS or self._order not in ("<", ">", "="):
            raise pickle.UnpicklingError("it holds a number that is neither a float nor an integer")
        return float(struct.unpack(self._order + _FORMATS[self._code], raw)[0])


@final
class _DtypeMaker:
    """What stands for ``numpy.dtype``."""

    __slots__ = ()

    def __call__(self, code: Any, align: bool = False, copy: bool = False) -> _Dtype:
        del align, copy
        return _Dtype(code)


@final
class _ScalarMaker:
    """What stands for numpy's maker of scalars."""

    __slots__ = ()

    def __call__(self, dtype: _Dtype, raw: bytes) -> float:
        if not isinstance(dtype, _Dtype):
            raise pickle.UnpicklingError("it makes a number without saying of which type")
        return dtype.number(raw)
