# SPDX-License-Identifier: Apache-2.0
"""Files that are there whole, or not at all."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from archloom.errors import ConfigError

__all__ = ["check_free", "replacing"]


@contextlib.contextmanager
def replacing(path: Path, *, overwrite: bool) -> Iterator[Path]:
    """Yield a file to write in place of ``path``; it takes that name when all is written.

    Args:
        path: where the file shall be.
        overwrite: whether one may be there already.

    Raises:
        ConfigError: one is there, or there is no folder to write it to.
    """
    check_free(path, overwrite=overwrite)
    try:
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
    except OSError as error:
        raise ConfigError(f"cannot write {path}: {error.strerror}") from None
    os.close(handle)
    part = Path(name)
    try:
        yield part
        part.chmod(_mode(path))
        part.replace(path)
    except OSError as error:
        raise ConfigError(f"cannot write {path}: {error.strerror or error}") from None
    finally:
        part.unlink(missing_ok=True)


def check_free(path: Path, *, overwrite: bool) -> None:
    """Refuse a place that no file can, or may, be written to; to be asked before anything dear is done.

    Raises:
        ConfigError: as ``replacing``.
    """
    if path.is_dir():
        raise ConfigError(f"{path} is a folder: name a file in it")
    if path.exists() and not overwrite:
        raise ConfigError(f"{path} is there already: choose another file, or --overwrite it")
    if not path.parent.is_dir():
        raise ConfigError(f"cannot write {path}: there is no folder {path.parent}")


def _mode(path: Path) -> int:
    """Return the permissions of the file that is replaced, or those that a new one is given."""
    if path.exists():
        return path.stat().st_mode & 0o777
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask
