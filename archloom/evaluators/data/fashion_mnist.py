# SPDX-License-Identifier: Apache-2.0
"""Fashion-MNIST: 70,000 grey images of clothes, 28 x 28 pixels, ten classes (Xiao et al. 2017)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from archloom.errors import DataError
from archloom.evaluators.data.idx import read_idx
from archloom.evaluators.data.splits import SPLIT_SEED, Splits, as_tensors, first, stratified_order
from archloom.evaluators.files import locate, locate_in_data_folder

__all__ = ["fashion_mnist"]

_HOW_TO_GET = (
    "Put the four files train-images-idx3-ubyte.gz, train-labels-idx1-ubyte.gz, t10k-images-idx3-ubyte.gz "
    "and t10k-labels-idx1-ubyte.gz there: https://github.com/zalandoresearch/fashion-mnist, Debian's "
    "dataset-fashion-mnist or torchvision's FashionMNIST(download=True) has them"
)


def fashion_mnist(
    *,
    root: str | Path | None = None,
    n_train: int | None = None,
    n_validation: int | None = None,
    n_test: int | None = None,
) -> Splits:
    """Return 50,000 images to train on, 10,000 to validate and the 10,000 test images.

    Validation is the last sixth of the official training images in a fixed order that is stratified
    by class. Pixels are divided by 255, then normalised with the mean and standard deviation of the
    training split (of all of it, also where ``n_train`` takes a part).

    Args:
        root: the folder of the four gzipped IDX files; ``None`` for ``$ARCHLOOM_DATA/fashion_mnist``.
        n_train: take this many training samples (stratified), ``None`` for all.
        n_validation: the same for validation.
        n_test: the same for the test.

    Raises:
        DataError: the files are missing or malformed; the message says where it looked.
        ConfigError: a split has fewer samples than were asked for.
    """
    folder = _folder(root)
    images, labels = _read(folder, "train")
    test_images, test_labels = _read(folder, "t10k")
    order = stratified_order(labels)
    n_all = len(order) - len(order) // 6
    mean, deviation = _moments(images[order[:n_all]])
    train = first(order[:n_all], n_train, "train")
    validation = first(order[n_all:], n_validation, "validation")
    test = first(stratified_order(test_labels), n_test, "test")

    def normalised(pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        return ((pixels.astype(np.float32) / 255.0 - mean) / deviation).astype(np.float32)[:, None]

    return Splits(
        train=as_tensors(normalised(images[train]), labels[train]),
        validation=as_tensors(normalised(images[validation]), labels[validation]),
        test=as_tensors(normalised(test_images[test]), test_labels[test]),
        input_shape=(1, *images.shape[1:]),
        n_outputs=10,
        description={
            "source": "Fashion-MNIST (Xiao, Rasul, Vollgraf 2017)",
            "split": f"last sixth of train for validation, stratified, permutation seed {SPLIT_SEED}",
            "normalisation": f"(x / 255 - {mean:.6f}) / {deviation:.6f}",
            "n_train": len(train),
            "n_validation": len(validation),
            "n_test": len(test),
        },
    )


def _folder(root: str | Path | None) -> Path:
    what = "the folder of Fashion-MNIST"
    if root is None:
        return locate_in_data_folder("fashion_mnist", what, _HOW_TO_GET)
    return locate(root, what, _HOW_TO_GET)


def _read(folder: Path, part: str) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8]]:
    images = read_idx(folder / f"{part}-images-idx3-ubyte.gz", 3)
    labels = read_idx(folder / f"{part}-labels-idx1-ubyte.gz", 1)
    if len(images) != len(labels) or not len(labels):
        raise DataError(
            f"{folder}: {part} has {len(images)} images and {len(labels)} labels; need as many, and some"
        )
    return images, labels


def _moments(pixels: npt.NDArray[np.uint8]) -> tuple[float, float]:
    """Mean and standard deviation of ``pixels / 255``, exactly, from the histogram of the bytes."""
    counts = np.zeros(256, dtype=np.int64)
    for image in pixels:  # one at a time: bincount widens its input eightfold
        counts += np.bincount(image.ravel(), minlength=256)
    levels = np.arange(256) / 255.0
    mean = float(levels @ counts / counts.sum())
    variance = float((levels - mean) ** 2 @ counts / counts.sum())
    return mean, variance**0.5 or 1.0
