# SPDX-License-Identifier: Apache-2.0
"""Where data lies: as given, or under the folder that ``ARCHLOOM_DATA`` names."""

from __future__ import annotations

import os
from pathlib import Path

from archloom.errors import DataError

__all__ = ["VARIABLE", "locate", "locate_in_data_folder"]

VARIABLE = "ARCHLOOM_DATA"
"""The environment variable that names the folder of data sets."""


def locate(path: str | Path, what: str, how_to_get: str = "") -> Path:
    """Find a file or folder: as given, then (where relative) under ``$ARCHLOOM_DATA``.

    Raises:
        DataError: it is in neither place; the message names both, and ``how_to_get``.
    """
    return _first([Path(path).expanduser(), *_in_data_folder(path)], what, how_to_get)


def locate_in_data_folder(path: str, what: str, how_to_get: str = "") -> Path:
    """Find ``path`` under ``$ARCHLOOM_DATA`` and nowhere else.

    Raises:
        DataError: it is not there.
    """
    return _first(_in_data_folder(path), what, how_to_get)


def _in_data_folder(path: str | Path) -> list[Path]:
    folder = os.environ.get(VARIABLE)
    return [Path(folder).expanduser() / path] if folder and not Path(path).expanduser().is_absolute() else []


def _first(places: list[Path], what: str, how_to_get: str) -> Path:
    for place in places:
        if place.exists():
            return place
    looked = " and ".join(str(place.absolute()) for place in places) or "nowhere"
    folder = os.environ.get(VARIABLE)
    state = f"{VARIABLE} is {folder}" if folder else f"set {VARIABLE} to your folder of data; it is unset"
    advice = f". {how_to_get}" if how_to_get else ""
    raise DataError(f"{what} is missing: looked at {looked} ({state}){advice}")
