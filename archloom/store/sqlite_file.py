# SPDX-License-Identifier: Apache-2.0
"""What a SQLite file says about itself before anything opens it."""

from __future__ import annotations

import os
import struct
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from sqlalchemy import URL

from archloom.errors import StoreError

__all__ = ["check_companions", "check_file", "companion", "is_quiet", "is_wal", "path_of", "state_of"]

_MAGIC = b"SQLite format 3\0"
_N_HEADER = 100
_N_LOOKS = 10


def path_of(url: URL) -> Path | None:
    """Return the file of a SQLite database; ``None`` where it is in memory, or is none of SQLite's.

    >>> from sqlalchemy import make_url
    >>> path_of(make_url("sqlite:///runs/a.db")).name, path_of(make_url("sqlite://"))
    ('a.db', None)
    """
    name = url.database if url.get_backend_name() == "sqlite" else None
    if not name or name == ":memory:" or name.startswith("file:"):
        return None
    return Path(name)


def companion(path: Path, suffix: str) -> Path:
    """Return the file beside a database that SQLite keeps for itself: ``-wal``, ``-shm`` or ``-journal``."""
    return path.with_name(path.name + suffix)


def check_file(path: Path, label: str) -> None:
    """Say in words what is wrong with a file that should be a database.

    Args:
        path: the file.
        label: the database in the message.

    Raises:
        StoreError: it is missing, a folder, empty, unreadable, of another kind, or cut short.
    """
    try:
        if path.is_dir():
            raise StoreError(f"cannot open {label}: {path} is a folder; name a file in it")
        if not path.exists():
            raise StoreError(f"cannot open {label}: there is no file {path}")
        if not path.is_file():
            raise StoreError(f"cannot open {label}: {path} is neither a file nor a folder")
        header, size = _header(path)
    except (OSError, ValueError) as error:
        raise StoreError(f"cannot open {label}: {getattr(error, 'strerror', None) or error}") from None
    if not header:
        raise StoreError(f"{label} holds no archloom store: {path} is empty")
    if not header.startswith(_MAGIC):
        raise StoreError(
            f"{label} is no database: {path} begins with {header[:16].decode('latin-1')!r}, "
            "not as SQLite's files do"
        )
    for look in range(_N_LOOKS):
        n_bytes = _n_bytes(header)
        if size >= n_bytes or _holds_pages(companion(path, "-wal")):
            return
        if look < _N_LOOKS - 1:  # the first page of a transaction that is being written tells of all of them
            time.sleep(0.1)
            header, size = _header(path)
    raise StoreError(
        f"{label} is cut short: {path} has {size:,} of {n_bytes:,} bytes; "
        f"copy it anew, or take a backup in its place"
    )


def check_companions(path: Path, label: str) -> None:
    """Refuse a database whose last transactions are gone: SQLite itself would go on without them, in silence.

    Of the two files beside a database, ``-wal`` is made first and removed first, at the same moment as
    ``-shm`` but for an instant.

    Raises:
        StoreError: its ``-shm`` file is there, left by a process that was killed, and its ``-wal`` is not.
    """
    wal, shm = companion(path, "-wal"), companion(path, "-shm")
    for _ in range(5):
        if wal.exists() or not shm.exists():
            return
        time.sleep(0.05)
    raise StoreError(
        f"{label} has lost the file {wal.name}, which holds its last trials: put it back beside {path}; "
        f"or delete {shm.name}, to go on without them"
    )


def is_wal(path: Path) -> bool:
    """Whether a database file is in write-ahead mode: readers and a writer do not wait for each other."""
    header, _ = _header(path)
    return header[18:20] == b"\x02\x02"


def is_quiet(path: Path) -> bool:
    """Whether a file in write-ahead mode has nobody at work in it."""
    return is_wal(path) and not companion(path, "-wal").exists()


def state_of(path: Path) -> tuple[object, ...]:
    """Return what changes whenever anybody writes to a database file or begins to."""
    found = path.stat()
    header, _ = _header(path)
    companions = [companion(path, suffix).exists() for suffix in ("-wal", "-journal")]
    return found.st_ino, found.st_size, found.st_mtime_ns, header, *companions


def _header(path: Path) -> tuple[bytes, int]:
    """Return the first bytes of a file and its size.

    The file is kept open: when a process closes any descriptor of a file, POSIX takes from it all locks that
    it has there, those of its SQLite connections too; another process would then, when it closes, remove the
    ``-wal`` file that ours goes on writing to.
    """
    with _lock:
        found = path.stat()
        key = found.st_dev, found.st_ino
        if key not in _kept:
            _close_idle()
            number = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
            opened = os.fstat(number)
            key = opened.st_dev, opened.st_ino  # it may have been replaced a moment ago
            if key in _kept:
                _spare.append(number)
            else:
                _kept[key] = number
        os.lseek(_kept[key], 0, os.SEEK_SET)
        return os.read(_kept[key], _N_HEADER), os.fstat(_kept[key]).st_size


_kept: dict[tuple[int, int], int] = {}
"""Device and inode to the file's number."""
_spare: list[int] = []
_lock = threading.Lock()
_MOST_KEPT = 16


def _close_idle() -> None:
    """Close files that nothing else in this process has open, where there are many."""
    if len(_kept) < _MOST_KEPT:
        return
    in_use = Counter(_open_files())
    for key in [key for key in _kept if in_use[key] == 1]:
        os.close(_kept.pop(key))


def _open_files() -> Iterator[tuple[int, int]]:
    """Yield device and inode of each file that this process has open; of none where it cannot be seen."""
    for folder in ("/proc/self/fd", "/dev/fd"):
        if os.path.isdir(folder):
            for name in os.listdir(folder):
                with suppress(OSError, ValueError):
                    found = os.fstat(int(name))
                    yield found.st_dev, found.st_ino
            return


def _n_bytes(header: bytes) -> int:
    """Return how long the file should be by its own header; 0 where that does not say."""
    if len(header) < _N_HEADER:
        return _N_HEADER
    (page_size,) = struct.unpack(">H", header[16:18])
    change_counter, n_pages = struct.unpack(">II", header[24:32])
    (valid_for,) = struct.unpack(">I", header[92:96])
    if change_counter != valid_for:  # by a SQLite too old to write the number of pages
        return 0
    return int(n_pages) * (65536 if page_size == 1 else int(page_size))


def _holds_pages(wal: Path) -> bool:
    return wal.exists() and wal.stat().st_size > 0
