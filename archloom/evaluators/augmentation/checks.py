# SPDX-License-Identifier: Apache-2.0
"""The check of an augmentation's options, which come from a file."""

from __future__ import annotations

import math
from typing import Any

from archloom.errors import ConfigError

__all__ = ["check_count", "check_number"]


def check_count(option: str, value: Any, augmentation: str) -> None:
    """Refuse what is no whole number from 1.

    Raises:
        ConfigError: naming option, rule and value.
    """
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ConfigError(
            f"{option} of the augmentation {augmentation!r} must be a whole number from 1; got {value!r}"
        )


def check_number(
    option: str, value: Any, augmentation: str, *, above: float = -math.inf, most: float = math.inf
) -> None:
    """Refuse what is no finite number in ``(above, most]``.

    Raises:
        ConfigError: naming option, rule and value.
    """
    is_number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    if not is_number or not above < value <= most:
        rule = "" if above == -math.inf else f" above {above:g}"
        rule += "" if most == math.inf else f" and at most {most:g}"
        raise ConfigError(
            f"{option} of the augmentation {augmentation!r} must be a finite number{rule}; got {value!r}"
        )
