# SPDX-License-Identifier: Apache-2.0
"""The YAML study file -> validated objects."""

from __future__ import annotations

from typing import TYPE_CHECKING

from archloom.lazy import lazy_face

if TYPE_CHECKING:
    from archloom.config._schema import schema
    from archloom.config._stores import default_store, locate
    from archloom.config._trust import foreign_code, import_paths
    from archloom.config.reading import load, restore
    from archloom.config.study_file import RunOptions, StudyFile

__all__ = [
    "RunOptions",
    "StudyFile",
    "default_store",
    "foreign_code",
    "import_paths",
    "load",
    "locate",
    "restore",
    "schema",
]

_HOME = {
    "RunOptions": "study_file",
    "StudyFile": "study_file",
    "default_store": "_stores",
    "foreign_code": "_trust",
    "import_paths": "_trust",
    "load": "reading",
    "locate": "_stores",
    "restore": "reading",
    "schema": "_schema",
}

__getattr__, __dir__ = lazy_face(__name__, _HOME, __all__)
