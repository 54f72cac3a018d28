# SPDX-License-Identifier: Apache-2.0
"""A choice where there is one to make."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pyglove as pg

__all__ = ["among"]


def among(options: Sequence[Any]) -> Any:
    """Return a choice among several options; a single one is no choice.

    >>> among([3]), type(among([3, 5])).__name__
    (3, 'OneOf')
    """
    return pg.oneof(list(options)) if len(options) > 1 else options[0]
