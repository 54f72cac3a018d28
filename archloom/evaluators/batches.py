# SPDX-License-Identifier: Apache-2.0
"""Batches of a data set, on the device where they are needed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence, Sized
from typing import Any, Protocol, cast

import torch
from torch.utils.data import DataLoader, Dataset, TensorDataset

__all__ = ["Batches", "batches", "to_device"]


class Batches(Protocol):
    """A pass over a split, which may be made again and again."""

    def __len__(self) -> int:
        """The number of batches."""

    def __iter__(self) -> Iterator[Any]:
        """Yield one batch after the other, on the device."""


def batches(
    dataset: Dataset[Any],
    *,
    batch_size: int,
    device: torch.device,
    shuffle: torch.Generator | None = None,
    n_workers: int = 0,
    collate: Callable[[Sequence[Any]], Any] | None = None,
) -> Batches:
    """Return the batches of a data set.

    Tensors in memory are moved to the device once and indexed there; everything else goes through
    torch's ``DataLoader``. When shuffled (for training), a last batch of a single sample is dropped,
    since batch normalisation cannot learn from one, unless it is the only batch.

    Args:
        dataset: a map-style data set.
        batch_size: samples in a batch; the last may have fewer.
        device: where the batches are wanted.
        shuffle: draws a new order for each pass; ``None`` keeps the data set's own.
        n_workers: processes that load data which is not in memory; 0 loads in this one.
        collate: how samples are joined; ``None`` for torch's own way.
    """
    n = len(cast(Sized, dataset))
    drop_last = shuffle is not None and n > batch_size > 1 and n % batch_size == 1
    if isinstance(dataset, TensorDataset) and collate is None:
        tensors = tuple(tensor.to(device) for tensor in dataset.tensors)
        return _InMemory(tensors, batch_size, n - 1 if drop_last else n, shuffle)
    loader = DataLoader(
        dataset,
        batch_size=batch_size,
        shuffle=shuffle is not None,
        generator=shuffle,
        drop_last=drop_last,
        num_workers=n_workers,
        persistent_workers=n_workers > 0,
        collate_fn=collate,
    )
    return _Loaded(loader, device)


def to_device(batch: Any, device: torch.device) -> Any:
    """Move tensors, and all that has a ``to``, inside tuples, lists and mappings."""
    if isinstance(batch, tuple | list):
        return type(batch)(to_device(part, device) for part in batch)
    if isinstance(batch, Mapping):
        return {name: to_device(part, device) for name, part in batch.items()}
    move = getattr(batch, "to", None)
    return batch if move is None else move(device)


class _InMemory:
    def __init__(
        self, tensors: tuple[torch.Tensor, ...], batch_size: int, n_used: int, shuffle: torch.Generator | None
    ):
        self._tensors = tensors
        self._batch_size = batch_size
        self._n_used = n_used
        self._shuffle = shuffle

    def __len__(self) -> int:
        return -(-self._n_used // self._batch_size)

    def __iter__(self) -> Iterator[tuple[torch.Tensor, ...]]:
        order = None
        if self._shuffle is not None:
            order = torch.randperm(len(self._tensors[0]), generator=self._shuffle).to(self._tensors[0].device)
        for start in range(0, self._n_used, self._batch_size):
            rows = slice(start, min(start + self._batch_size, self._n_used))
            yield tuple(tensor[rows if order is None else order[rows]] for tensor in self._tensors)


class _Loaded:
    def __init__(self, loader: DataLoader[Any], device: torch.device):
        self._loader = loader
        self._device = device

    def __len__(self) -> int:
        return len(self._loader)

    def __iter__(self) -> Iterator[Any]:
        for batch in self._loader:
            yield to_device(batch, self._device)
