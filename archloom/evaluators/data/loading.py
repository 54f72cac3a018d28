# SPDX-License-Identifier: Apache-2.0
"""Turn what a study names as its data into ``Splits``."""

from __future__ import annotations

import json
import os
from collections import OrderedDict
from collections.abc import Mapping, Sequence, Sized
from typing import Any, cast

import torch
from torch.utils.data import Dataset, IterableDataset, TensorDataset, random_split

from archloom.errors import ConfigError, DataError
from archloom.evaluators.data.splits import SPLIT_SEED, Splits
from archloom.evaluators.options import call_with_options, known
from archloom.evaluators.registries import DATASETS

__all__ = ["forget_splits", "load_splits"]

_PARTS = ["train", "validation", "test"]

MAX_KEPT = 3

_Key = tuple[int, str, str, str]

_kept: OrderedDict[_Key, tuple[Any, Splits]] = OrderedDict()
"""What was loaded last, with the object it came from, so that no other takes over its id."""


def load_splits(data: str | Any, options: Mapping[str, Any] | None = None) -> Splits:
    """Load data by name, by import path, or from a live object.

    What is found may be ``Splits``; a mapping of data sets named train, validation and (if any) test; a
    tuple of two or three data sets in that order; a single data set, which is split 60/20/20 by a fixed
    permutation; or a callable that returns one of these. Where the shape of an input and the number of
    outputs are not told by ``Splits``, they are read off: the shape from the first training sample, the
    outputs from its target (real numbers: their count) or from the targets of all
    splits (class numbers: the largest plus one), for which every sample is read once.

    The last three results are kept, so that evaluators that measure on the same data read them once a
    process (not where an option is more than plain JSON, nor tensors and containers that may change in
    place). ``forget_splits`` has them read again.

    Args:
        data: a registered name (``digits``), an import path ``package.module:name``, or the thing itself.
        options: keyword arguments for the callable.

    Raises:
        UnknownNameError: nothing is registered under the name.
        ConfigError: an option is unknown, or there is no callable to take it.
        DataError: the data are missing, empty, or of none of these forms.
    """
    name = f"the data set {data!r}" if isinstance(data, str) else f"the data set {type(data).__name__}"
    found: Any = DATASETS.get(data) if isinstance(data, str) else data
    options = dict(options or {})
    key = _key(found, options)
    if key is not None and key in _kept:
        _kept.move_to_end(key)
        return _kept[key][1]
    splits = _load(found, options, name)
    if key is not None:
        _kept[key] = (found, splits)
        while len(_kept) > MAX_KEPT:
            _kept.popitem(last=False)
    return splits


def forget_splits() -> None:
    """Forget what ``load_splits`` keeps: data that changed on disk are read again."""
    _kept.clear()


def _key(found: Any, options: Mapping[str, Any]) -> _Key | None:
    """Return what tells one result from another, ``None`` where it is not to be kept."""
    is_dear = callable(found) or isinstance(found, tuple | Dataset)
    if not is_dear or isinstance(found, TensorDataset):
        return None
    try:
        text = json.dumps(options, sort_keys=True)
    except (TypeError, ValueError):
        return None
    if json.loads(text) != options:  # a tuple, a key that is no string
        return None
    return id(found), text, os.environ.get("ARCHLOOM_DATA", ""), os.getcwd()


def _load(found: Any, options: dict[str, Any], name: str) -> Splits:
    if callable(found) and not isinstance(found, Dataset):
        found = call_with_options(found, options, name)
    elif options:
        raise ConfigError(
            f"{name} takes no options, since it is no callable; got {', '.join(sorted(options))}"
        )
    splits = found if isinstance(found, Splits) else _from_parts(_parts(found, name), name)
    _check_sizes(splits, name)
    return splits


def _parts(found: Any, name: str) -> dict[str, Dataset[Any]]:
    if isinstance(found, Mapping):
        for word in found:
            known(str(word), _PARTS, f"split of {name}")
        parts = dict(found)
    elif isinstance(found, Dataset):
        parts = _cut(found, name)
    elif isinstance(found, Sequence) and not isinstance(found, str) and len(found) in (2, 3):
        parts = dict(zip(_PARTS, found, strict=False))
    else:
        raise DataError(
            f"{name} must be or return a Dataset, Splits, a mapping of {', '.join(_PARTS)}, "
            f"or a tuple of two or three Datasets; got {type(found).__name__}"
        )
    for part in _PARTS[:2]:
        if part not in parts:
            raise DataError(f"{name} has no {part} split; there are: {', '.join(parts)}")
    for part, dataset in parts.items():
        if not isinstance(dataset, Dataset):
            raise DataError(f"{name}: the {part} split must be a Dataset; got {type(dataset).__name__}")
    return parts


def _length(dataset: Dataset[Any], name: str) -> int:
    if isinstance(dataset, IterableDataset) or not isinstance(dataset, Sized):
        raise DataError(
            f"{name} must have a length and an index: a map-style Dataset; got {type(dataset).__name__}"
        )
    return len(dataset)


def _cut(dataset: Dataset[Any], name: str) -> dict[str, Dataset[Any]]:
    n = _length(dataset, name)
    counts = [round(0.6 * n), round(0.8 * n) - round(0.6 * n), n - round(0.8 * n)]
    subsets = random_split(dataset, counts, torch.Generator().manual_seed(SPLIT_SEED))
    if isinstance(dataset, TensorDataset):  # stays a block of tensors, which trains fastest
        return {
            part: TensorDataset(*dataset[list(s.indices)]) for part, s in zip(_PARTS, subsets, strict=True)
        }
    return dict(zip(_PARTS, cast("list[Dataset[Any]]", subsets), strict=True))


def _from_parts(parts: Mapping[str, Dataset[Any]], name: str) -> Splits:
    sizes = {f"n_{part}": _length(dataset, f"{name} ({part})") for part, dataset in parts.items()}
    if not sizes["n_train"]:
        raise DataError(f"{name}: the train split is empty")
    train = parts["train"]
    inputs, target = _sample(train, name)
    return Splits(
        train=train,
        validation=parts["validation"],
        test=parts.get("test"),
        input_shape=tuple(inputs.shape),
        n_outputs=_n_outputs(parts, torch.as_tensor(target)),
        description={"source": name, **sizes},
    )


def _sample(dataset: Dataset[Any], name: str) -> tuple[torch.Tensor, Any]:
    sample = dataset[0]
    if not isinstance(sample, tuple | list) or len(sample) != 2 or not isinstance(sample[0], torch.Tensor):
        raise DataError(
            f"{name}: a sample must be a pair (input tensor, target) for its shapes to be read off; "
            f"got {type(sample).__name__}. Return Splits to tell them yourself"
        )
    return sample[0], sample[1]


def _n_outputs(parts: Mapping[str, Dataset[Any]], target: torch.Tensor) -> int:
    if target.is_floating_point():
        return max(1, target.numel())
    return max(_largest_class(dataset) for dataset in parts.values()) + 1


def _largest_class(dataset: Dataset[Any]) -> int:
    if isinstance(dataset, TensorDataset):
        return int(dataset.tensors[1].max()) if len(dataset) else 0
    targets = (dataset[i][1] for i in range(len(cast(Sized, dataset))))
    return max((int(torch.as_tensor(target).max()) for target in targets), default=0)


def _check_sizes(splits: Splits, name: str) -> None:
    for part in _PARTS:
        dataset = getattr(splits, part)
        if dataset is not None and not _length(dataset, f"{name} ({part})"):
            raise DataError(f"{name}: the {part} split is empty")
