# SPDX-License-Identifier: Apache-2.0
"""The YAML study file -> validated objects."""

from __future__ import annotations

from archloom.config._schema import schema
from archloom.config._stores import default_store
from archloom.config._trust import foreign_code, import_paths
from archloom.config.reading import load, locate, restore
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
