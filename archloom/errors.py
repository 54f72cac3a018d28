# SPDX-License-Identifier: Apache-2.0
"""Everything archloom raises on purpose.

::

    ArchloomError
    ├── SpaceError               a search space that cannot be compiled, built or decoded
    ├── ConfigError              a wrong study file, option or argument
    │   └── UnknownNameError     no such strategy, evaluator, space, metric, ...
    ├── MissingExtraError        an optional library is not installed (the message is the install line)
    ├── DataError                data that is missing or malformed
    └── StoreError               the results database
        ├── StudyExistsError     a second study of the same name
        ├── StudyNotFoundError   no study of that name
        ├── StudyBusyError       another process is running the study
        └── StoreUnavailableError   the database does not answer, is locked or full: later it may do

Each message states the rule, the value that broke it and, where there is one, the nearest right word.
"""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Iterable
from types import ModuleType

__all__ = [
    "ArchloomError",
    "ConfigError",
    "DataError",
    "MissingExtraError",
    "OtherRunError",
    "SpaceError",
    "StoreError",
    "StoreUnavailableError",
    "StudyBusyError",
    "StudyExistsError",
    "StudyNotFoundError",
    "UnknownNameError",
    "did_you_mean",
    "require",
]


class ArchloomError(Exception):
    """The root of archloom's errors."""


class SpaceError(ArchloomError):
    """A search space that cannot be compiled, built or decoded."""


class ConfigError(ArchloomError):
    """A wrong study file, option or argument."""


class UnknownNameError(ConfigError):
    """A name that nothing is registered under."""


class MissingExtraError(ArchloomError):
    """An optional library that is not installed."""


class OtherRunError(ArchloomError):
    """What a run has left is of other terms than the present ones."""


class DataError(ArchloomError):
    """Data that is missing or malformed."""


class StoreError(ArchloomError):
    """A problem with the results database."""


class StudyExistsError(StoreError):
    """A study of that name is already in the store."""


class StudyNotFoundError(StoreError):
    """No study of that name is in the store."""


class StudyBusyError(StoreError):
    """Another process is running the study."""


class StoreUnavailableError(StoreError):
    """The database does not answer, is locked, or has no room: what failed now may do later."""


def did_you_mean(word: str, words: Iterable[str]) -> str:
    """Return ``'; did you mean 'x'?'``, or the list of what there is when nothing is near.

    >>> did_you_mean("randon", ["random", "grid"])
    "; did you mean 'random'?"
    >>> did_you_mean("xyz", ["random", "grid"])
    '; there are: grid, random'
    """
    known = sorted(set(words))
    near = difflib.get_close_matches(word, known, n=1)
    if near:
        return f"; did you mean '{near[0]}'?"
    return f"; there are: {', '.join(known)}" if known else ""


def require(module: str, extra: str, purpose: str) -> ModuleType:
    """Import an optional module, or say which extra brings it.

    Raises:
        MissingExtraError: the module is not installed; the message is the exact install line.
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name is None or error.name.split(".")[0] != module.split(".")[0]:
            raise
        raise MissingExtraError(
            f"{purpose} needs {module!r}, which is not installed: pip install 'archloom[{extra}]'"
        ) from None
