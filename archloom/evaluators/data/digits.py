# SPDX-License-Identifier: Apache-2.0
"""Digits: 1,797 handwritten digits of 8 x 8 pixels, which come with scikit-learn."""

from __future__ import annotations

import numpy as np

from archloom.errors import require
from archloom.evaluators.data.splits import Splits, image_splits, sixty_twenty_twenty

__all__ = ["digits"]


def digits(
    *, n_train: int | None = None, n_validation: int | None = None, n_test: int | None = None
) -> Splits:
    """Return the digits: 1,078 to train on, 360 to validate, 359 to test; pixels divided by 16.

    The split is stratified by class and fixed.

    Args:
        n_train: take this many training samples (stratified), ``None`` for all.
        n_validation: the same for validation.
        n_test: the same for the test.

    Raises:
        MissingExtraError: scikit-learn is not installed.
        ConfigError: a split has fewer samples than were asked for.
    """
    sklearn_datasets = require("sklearn.datasets", "digits", "the data set 'digits'")
    pixels, labels = sklearn_datasets.load_digits(return_X_y=True)
    images = (pixels / 16.0).astype(np.float32).reshape(-1, 1, 8, 8)
    rows = sixty_twenty_twenty(labels)
    sizes = {"train": n_train, "validation": n_validation, "test": n_test}
    description = {
        "source": "scikit-learn load_digits (UCI optical recognition of handwritten digits, test part)",
        "normalisation": "x / 16",
    }
    return image_splits(images, labels, rows, sizes, description)
