# SPDX-License-Identifier: Apache-2.0
"""Read a study file from disk, or again from what a store kept of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from archloom.config._document import from_mapping, read
from archloom.config._overrides import override
from archloom.config._trust import foreign_code
from archloom.config.study_file import StudyFile
from archloom.errors import ConfigError


def load(path: str | Path, overrides: Sequence[str] = ()) -> StudyFile:
    """Read and check a study file.

    Args:
        path: the YAML file.
        overrides: ``key.path=value`` each, such as ``budget.trials=3`` or ``strategy=random``; the
            values are YAML.

    Raises:
        ConfigError: all that is wrong with it, one problem a line, each with file and line.
    """
    document = read(Path(path))
    override(document, overrides)
    return StudyFile(document, Path(path).absolute().parent)


def restore(
    config: Mapping[str, Any],
    *,
    source: str,
    trusted: Sequence[str] = (),
    overrides: Sequence[str] = (),
    store: str | None = None,
    folder: Path | None = None,
) -> StudyFile:
    """Make the study file of a study again from the configuration kept in its store.

    Args:
        config: what ``StudyFile.resolved`` gave.
        source: names the study in messages.
        trusted: the import paths and commands that may be imported and run; ``["*"]`` for all.
        overrides: as in ``load``.
        store: the database it was found in, which a configuration does not name.
        folder: where what is trusted lies, in place of the folder that the database names.

    Raises:
        ConfigError: it names one that is not trusted. What a database says is shown, never imported or
            run unasked.
    """
    data = dict(config)
    recorded = Path(data.pop("folder", "."))
    strange = sorted(foreign_code(data) - set(trusted))
    if strange and "*" not in trusted:
        named = ", ".join(path if path.isprintable() else repr(path) for path in strange)
        raise ConfigError(
            f"{source}: the database asks to import or run {named} (folder {recorded}): "
            "if you trust it, say so with --trust"
        )
    if store is not None:
        data["store"] = store
    document = from_mapping(data, source)
    override(document, overrides)
    return StudyFile(document, folder or recorded, imports=folder is not None or "*" in trusted)
