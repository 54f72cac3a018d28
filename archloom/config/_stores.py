# SPDX-License-Identifier: Apache-2.0
"""Where a study is: the store that its file names, or the one that is used where none is named."""

from __future__ import annotations

import os
from pathlib import Path

DEFAULT_STORE = "sqlite:///archloom.db"


def default_store() -> str:
    """Return the store where none is named: ``$ARCHLOOM_STORE``, else ``sqlite:///archloom.db``."""
    return os.environ.get("ARCHLOOM_STORE") or DEFAULT_STORE


def locate(path: str | Path) -> tuple[str, str]:
    """Return the study's name and the store of a study file, without importing what it names.

    Raises:
        ConfigError: the file cannot be read, or its keys are wrong.
    """
    from archloom.config._document import Problems, read
    from archloom.config._options import check
    from archloom.config._sections import Sections

    document = read(Path(path))
    problems = Problems(document)
    sections = check(Sections, document.data, (), problems)
    problems.check()
    return sections.study, sections.store or default_store()
