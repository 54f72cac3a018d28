# SPDX-License-Identifier: Apache-2.0
"""Where the files lie that a study file names: here, or beside the study file."""

from __future__ import annotations

import sys
from pathlib import Path

__all__ = ["beside_study"]


def beside_study(word: str) -> str:
    """Return the path of a file beside the study file if only that exists, else the word as it is.

    While a study is read and run, its folder comes first on Python's import path, as that of a script
    does; so a table and a command are found there as the user's own modules are.

    >>> beside_study("no/such.csv")
    'no/such.csv'
    """
    path = Path(word).expanduser()
    beside = Path(sys.path[0] if sys.path else "") / path
    return str(beside) if not path.is_file() and beside.is_file() else word
