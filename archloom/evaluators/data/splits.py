# SPDX-License-Identifier: Apache-2.0
"""Training, validation and test data, and how to cut one set into them.

Every split here is fixed: it depends on the data alone, never on a trial's seed, so that all trials
of all studies are measured on the same samples.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch.utils.data import Dataset, TensorDataset

from archloom.errors import ConfigError

__all__ = [
    "SPLIT_SEED",
    "Splits",
    "as_tensors",
    "first",
    "image_splits",
    "sixty_twenty_twenty",
    "stratified_order",
]

SPLIT_SEED = 20_260_101
"""Seed of every permutation that decides which sample lies in which split."""

Rows = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Splits:
    """The data of a study.

    Args:
        train: what networks learn from.
        validation: what the search sees.
        test: what is measured once, after training, and never used for a decision; ``None`` where there
            is none.
        input_shape: of one sample, ``(channels, height, width)`` for images, ``(d,)`` for rows.
        n_outputs: how wide a network's output must be: the number of classes, or of targets.
        description: source, split rule and normalisation, for the model card.
    """

    train: Dataset[Any]
    validation: Dataset[Any]
    test: Dataset[Any] | None
    input_shape: tuple[int, ...]
    n_outputs: int
    description: Mapping[str, Any] = field(default_factory=dict)


def stratified_order(labels: npt.NDArray[Any], seed: int = SPLIT_SEED) -> Rows:
    """Shuffle ``n`` rows so that any stretch of the order holds the classes in their shares.

    Sample ``j`` (in random order) of a class with ``k`` samples is put at ``(j + u) / k``, where ``u`` is
    uniform on ``[0, 1)``, one for each class; the order is that of these places.

    >>> labels = np.array([0] * 30 + [1] * 10)
    >>> [int((labels[stratified_order(labels)[:n]] == 1).sum()) for n in (4, 20, 40)]
    [1, 5, 10]
    """
    rng = np.random.default_rng(seed)
    places = np.empty(len(labels))
    for label in np.unique(labels):
        members = rng.permutation(np.flatnonzero(labels == label))
        places[members] = (np.arange(len(members)) + rng.random()) / len(members)
    return np.argsort(places, kind="stable")


def first(rows: Rows, n: int | None, split: str) -> Rows:
    """Return the first ``n`` of a split's rows, or all for ``None``.

    Raises:
        ConfigError: ``n`` is below one or above what there is.
    """
    if n is None:
        return rows
    if not 1 <= n <= len(rows):
        raise ConfigError(
            f"n_{split} must be between 1 and {len(rows)}, the size of the {split} split; got {n}"
        )
    return rows[:n]


def as_tensors(inputs: npt.NDArray[Any], labels: npt.NDArray[Any]) -> TensorDataset:
    """Join float inputs (``n x ...``) and ``n`` class numbers to a data set in memory."""
    return TensorDataset(
        torch.from_numpy(np.ascontiguousarray(inputs, dtype=np.float32)),
        torch.from_numpy(np.ascontiguousarray(labels, dtype=np.int64)),
    )


def sixty_twenty_twenty(labels: npt.NDArray[Any]) -> dict[str, Rows]:
    """Cut ``n`` rows into train, validation and test, stratified by class.

    >>> [len(rows) for rows in sixty_twenty_twenty(np.array([0, 1] * 50)).values()]
    [60, 20, 20]
    """
    order = stratified_order(labels)
    n = len(order)
    parts = np.split(order, [round(0.6 * n), round(0.8 * n)])
    return dict(zip(("train", "validation", "test"), parts, strict=True))


def image_splits(
    images: npt.NDArray[Any],
    labels: npt.NDArray[Any],
    rows: Mapping[str, Rows],
    sizes: Mapping[str, int | None],
    description: Mapping[str, Any],
) -> Splits:
    """Make the splits of a set of images that was cut by ``sixty_twenty_twenty``.

    Args:
        images: ``n x channels x height x width``, normalised.
        labels: ``n`` class numbers.
        rows: of each split.
        sizes: how many of a split's rows to take, ``None`` for all.
        description: source and normalisation.

    Raises:
        ConfigError: a split has fewer samples than were asked for.
    """
    taken = {split: first(rows[split], sizes[split], split) for split in rows}
    parts = {split: as_tensors(images[these], labels[these]) for split, these in taken.items()}
    return Splits(
        **parts,
        input_shape=images.shape[1:],
        n_outputs=len(np.unique(labels)),
        description={
            **description,
            "split": f"60/20/20, stratified by class, permutation seed {SPLIT_SEED}",
            **{f"n_{split}": len(these) for split, these in taken.items()},
        },
    )
