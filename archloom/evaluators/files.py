# SPDX-License-Identifier: Apache-2.0
"""Where data lies: here, beside the study file, or under the folder that ``ARCHLOOM_DATA`` names."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from archloom.errors import DataError

__all__ = ["VARIABLE", "beside_study", "locate", "locate_in_data_folder"]

VARIABLE = "ARCHLOOM_DATA"
"""The environment variable that names the folder of data sets."""


def locate(path: str | Path, what: str, how_to_get: str = "") -> Path:
    """Find a file or folder: as given, then (where relative) beside the study and under ``$ARCHLOOM_DATA``.

    Raises:
        DataError: it is in none of these; the message names each, and ``how_to_get``.
    """
    return _first([Path(path).expanduser(), beside_study(path), *_in_data_folder(path)], what, how_to_get)


def beside_study(path: str | Path) -> Path:
    """Return where a path leads from the folder of the study file.

    While a study is read and run, its folder comes first on Python's import path, as that of a script
    does; so a table and a command are found there as the user's own modules are.
    """
    return Path(sys.path[0] if sys.path else "") / Path(path).expanduser()


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
        if os.path.exists(place):  # which says no, where Path.exists raises at a name that is too long
            return place
    *others, last = dict.fromkeys(str(place.absolute()) for place in places) or ["nowhere"]
    looked = f"{', '.join(others)} and {last}" if others else last
    folder = os.environ.get(VARIABLE)
    state = f"{VARIABLE} is {folder}" if folder else f"set {VARIABLE} to your folder of data; it is unset"
    advice = f". {how_to_get}" if how_to_get else ""
    raise DataError(f"{what} is missing: looked at {looked} ({state}){advice}")
