# SPDX-License-Identifier: Apache-2.0
"""IDX files, the format of MNIST and its kin.

Two zero bytes, a type (8 = unsigned byte), the number of axes, each axis' length as a big-endian
32-bit integer, then the bytes.
"""

from __future__ import annotations

import gzip
import math
import zlib
from pathlib import Path

import numpy as np
import numpy.typing as npt

from archloom.errors import DataError

__all__ = ["read_idx"]


def read_idx(path: Path, n_axes: int) -> npt.NDArray[np.uint8]:
    """Read a gzipped IDX file of unsigned bytes with ``n_axes`` axes.

    Raises:
        DataError: the file is missing, no gzip, or not of that form and length.
    """
    try:
        with gzip.open(path, "rb") as file:
            content = file.read()
    except FileNotFoundError:
        raise DataError(f"{path} is missing") from None
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{path} is no readable gzip file: {error}") from error
    if content[:4] != bytes((0, 0, 8, n_axes)) or len(content) < 4 + 4 * n_axes:
        raise DataError(
            f"{path} must be an IDX file of unsigned bytes with {n_axes} axes: it should begin with "
            f"{bytes((0, 0, 8, n_axes)).hex()}, but begins with {content[:4].hex() or 'nothing'}"
        )
    shape = [int(length) for length in np.frombuffer(content, dtype=">u4", count=n_axes, offset=4)]
    start = 4 + 4 * n_axes
    if len(content) - start != math.prod(shape):
        raise DataError(
            f"{path} announces {shape}, {math.prod(shape)} bytes, but holds {len(content) - start}"
        )
    return np.frombuffer(content, dtype=np.uint8, offset=start).reshape(shape)
