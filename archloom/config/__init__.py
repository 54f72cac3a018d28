# SPDX-License-Identifier: Apache-2.0
"""The YAML study file -> validated objects."""

from __future__ import annotations

from archloom.config._schema import schema
from archloom.config.study_file import (
    RunOptions,
    StudyFile,
    default_store,
    import_paths,
    load,
    locate,
    restore,
)

__all__ = ["RunOptions", "StudyFile", "default_store", "import_paths", "load", "locate", "restore", "schema"]
