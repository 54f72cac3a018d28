# SPDX-License-Identifier: Apache-2.0
"""Where the words of a command lie that are files: here, or beside the study file."""

from __future__ import annotations

from pathlib import Path

from archloom.evaluators import files

__all__ = ["beside_study"]


def beside_study(word: str) -> str:
    """Return the path of a file beside the study file if only that exists, else the word as it is.

    >>> beside_study("no/such.csv")
    'no/such.csv'
    """
    beside = files.beside_study(word)
    return str(beside) if not Path(word).expanduser().is_file() and beside.is_file() else word
