# SPDX-License-Identifier: Apache-2.0
"""What networks are built for: a shape that was given, or one read off a data set."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, final

from archloom.errors import ConfigError
from archloom.evaluators.data.loading import load_splits
from archloom.evaluators.networks import NetworkShape

__all__ = ["ShapeSource"]


@final
class ShapeSource:
    """Tells the shape of the networks of a study, reading the data set on the first call only.

    Args:
        owner: the evaluator that asks, for messages.
        data: the data set, as for ``training``.
        data_options: the data set's options.
        input_shape: instead of ``data``: one sample's shape.
        n_outputs: with ``input_shape``: how wide the output is.

    Raises:
        ConfigError: not exactly one of ``data`` and ``input_shape``, or a shape with no positive numbers.

    Example:
        >>> ShapeSource(owner="costs", input_shape=[3, 32, 32]).shape()
        NetworkShape(input_shape=(3, 32, 32), n_outputs=10)
    """

    def __init__(
        self,
        *,
        owner: str,
        data: str | Any | None = None,
        data_options: Mapping[str, Any] | None = None,
        input_shape: list[int] | None = None,
        n_outputs: int = 10,
    ):
        if (data is None) == (input_shape is None):
            came = "both" if data is not None else "neither"
            raise ConfigError(
                f"{owner} needs either data or input_shape, to know what the networks take; got {came}"
            )
        if input_shape is not None and (not input_shape or min(input_shape) < 1):
            raise ConfigError(f"input_shape must hold positive numbers, like [3, 32, 32]; got {input_shape}")
        self._data = data
        self._data_options = data_options
        self._shape = None if input_shape is None else NetworkShape(tuple(input_shape), n_outputs)

    def shape(self) -> NetworkShape:
        """Return the shape.

        Raises:
            DataError: the data set is missing or malformed.
        """
        if self._shape is None:
            splits = load_splits(self._data, self._data_options)
            self._shape = NetworkShape(splits.input_shape, splits.n_outputs)
        return self._shape
