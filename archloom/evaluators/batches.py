# SPDX-License-Identifier: Apache-2.0
"""Batches of a data set, on the device where they are needed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence, Sized
from contextlib import contextmanager
from typing import Any, Protocol, cast

import torch
from torch.utils.data import DataLoader, Dataset, Subset, TensorDataset

from archloom.errors import ArchloomError

__all__ = ["Batches", "batches", "enough_samples", "first_batch", "to_device"]

_CHUNK_BYTES = 2**21
"""How much of a shuffled pass is gathered at a time: one gather for many small batches costs a fraction of
one for each, and this much still lies in a processor's cache."""


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


def first_batch(
    dataset: Dataset[Any],
    *,
    n: int,
    device: torch.device,
    collate: Callable[[Sequence[Any]], Any] | None = None,
) -> Any:
    """Return the first ``n`` samples (or as many as there are) as one batch."""
    n = min(n, len(cast(Sized, dataset)))
    if isinstance(dataset, TensorDataset):
        few: Dataset[Any] = TensorDataset(*(tensor[:n] for tensor in dataset.tensors))
    else:
        few = Subset(dataset, range(n))
    return next(iter(batches(few, batch_size=n, device=device, collate=collate)))


def to_device(batch: Any, device: torch.device) -> Any:
    """Move tensors, and all that has a ``to``, inside tuples, lists and mappings."""
    if isinstance(batch, tuple | list):
        return type(batch)(to_device(part, device) for part in batch)
    if isinstance(batch, Mapping):
        return {name: to_device(part, device) for name, part in batch.items()}
    move = getattr(batch, "to", None)
    return batch if move is None else move(device)


@contextmanager
def enough_samples() -> Iterator[None]:
    """Say what to do where a batch norm gets one value of each channel, of which torch refuses to learn.

    Raises:
        ArchloomError: it did.
    """
    try:
        yield
    except ValueError as error:
        if not str(error).startswith("Expected more than 1 value per channel"):
            raise
        raise ArchloomError(
            f"a batch norm cannot learn from one sample of one value a channel ({error}): take a batch_size "
            "of 2 or more, or another kind of norm"
        ) from error


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
        chunks = self._in_order() if self._shuffle is None else self._shuffled(self._shuffle)
        for chunk in chunks:
            yield from zip(*(torch.split(tensor, self._batch_size) for tensor in chunk), strict=True)

    def _in_order(self) -> Iterator[tuple[torch.Tensor, ...]]:
        for start in range(0, self._n_used, self._batch_size):
            n = min(self._batch_size, self._n_used - start)
            # A copy: a network whose first layer works in place would write into the data.
            yield tuple(tensor.narrow(0, start, n).clone() for tensor in self._tensors)

    def _shuffled(self, shuffle: torch.Generator) -> Iterator[tuple[torch.Tensor, ...]]:
        first = self._tensors[0]
        order = torch.randperm(len(first), generator=shuffle)[: self._n_used].to(first.device)
        n_bytes = sum(t[:1].numel() * t.element_size() for t in self._tensors) * self._batch_size
        for rows in torch.split(order, self._batch_size * max(1, _CHUNK_BYTES // max(1, n_bytes))):
            yield tuple(tensor.index_select(0, rows) for tensor in self._tensors)


class _Loaded:
    def __init__(self, loader: DataLoader[Any], device: torch.device):
        self._loader = loader
        self._device = device

    def __len__(self) -> int:
        return len(self._loader)

    def __iter__(self) -> Iterator[Any]:
        for batch in self._loader:
            yield to_device(batch, self._device)
