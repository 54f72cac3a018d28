# SPDX-License-Identifier: Apache-2.0
"""Files in a study's folder of artifacts that nothing names, found and removed.

Only what lies where archloom writes is looked at: ``<folder>/<number of a trial>/``. Links are never
followed, and a path that stands in a database only ever saves a file, never points at one to be removed.

Removing is two steps: what goes is moved into a folder of its own name, at once and while no trial can
begin; then that folder is removed, at leisure. What an interrupt leaves of it goes the next time.
"""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple, final

__all__ = ["Leftover", "erase", "leftovers", "remains", "set_aside"]

REMOVED = ".archloom-removed-"
"""What the name of a folder begins with that is being removed."""


@final
class Leftover(NamedTuple):
    """A file or folder that may go.

    Args:
        path: where it is.
        why: in words.
        n_bytes: its size, with all that is in it.
    """

    path: Path
    why: str
    n_bytes: int


def numbered(folder: Path) -> dict[int, Path]:
    """Return what lies in a study's folder under the number of a trial; nothing, where it is a link."""
    if folder.is_symlink() or not folder.is_dir():
        return {}
    return {int(path.name): path for path in sorted(folder.iterdir()) if _is_number(path.name)}


def leftovers(
    found: Mapping[int, Path], files: Mapping[int, Mapping[str, str] | None], unwanted: Collection[int] = ()
) -> list[Leftover]:
    """Return what of a study's folder belongs to nothing.

    Args:
        found: from ``numbered``, before the database was read: a trial that began since is not there.
        files: by number those that a trial names; ``None`` for one that has not ended.
        unwanted: numbers of trials whose files may go although they name them.
    """
    gone: list[Leftover] = []
    for number, path in found.items():
        if number not in files:
            gone.append(Leftover(path, f"there is no trial {number}", n_bytes_of(path)))
            continue
        named = files[number]
        if named is None or path.is_symlink() or not path.is_dir():
            continue
        why = f"not named by trial {number}"
        if number in unwanted:
            named, why = {}, f"of trial {number}, which is not to keep its files"
        gone += _unnamed(path, named, why)
    return gone


def remains(root: Path) -> list[Leftover]:
    """Return what an interrupted cleaning has left in the folder of a study, or in those of all studies."""
    places = [root, *(path for path in _listed(root) if path.is_dir() and not path.is_symlink())]
    return [
        Leftover(path, "left by an interrupted cleaning", n_bytes_of(path))
        for place in places
        for path in _listed(place)
        if path.name.startswith(REMOVED)
    ]


def set_aside(paths: Collection[Path], folder: Path) -> Path | None:
    """Move files and folders of a study's folder into one that is to be removed, and return that.

    Raises:
        OSError: one cannot be moved; what was moved is back in its place.
    """
    if not paths:
        return None
    real = folder.resolve()
    aside = folder / f"{REMOVED}{uuid.uuid4().hex}"
    aside.mkdir()
    moved: list[tuple[Path, Path]] = []
    try:
        for i, path in enumerate(paths):
            if not path.parent.resolve().is_relative_to(real):  # a folder has become a link meanwhile
                continue
            path.rename(aside / str(i))
            moved.append((path, aside / str(i)))
    except BaseException:
        for path, place in moved:
            place.rename(path)
        aside.rmdir()
        raise
    return aside


def put_back(aside: Path | None, paths: Collection[Path]) -> None:
    """Undo ``set_aside``."""
    if aside is None:
        return
    for i, path in enumerate(paths):
        if os.path.lexists(aside / str(i)):
            (aside / str(i)).rename(path)
    aside.rmdir()


def erase(path: Path | None) -> None:
    """Remove what was set aside; links in it are removed, not followed."""
    if path is None:
        return
    if path.is_symlink() or not path.is_dir():
        path.unlink(missing_ok=True)
    else:
        shutil.rmtree(path)


def drop_empty(folders: Collection[Path]) -> None:
    """Remove folders that have become empty."""
    for folder in folders:
        with suppress(OSError):
            folder.rmdir()


def n_bytes_of(path: Path) -> int:
    """Return the size of a file, or of all files in a folder; links count as themselves."""
    with suppress(OSError):
        if path.is_symlink() or not path.is_dir():
            return path.lstat().st_size
        return sum(n_bytes_of(Path(entry.path)) for entry in os.scandir(path))
    return 0


def _unnamed(folder: Path, named: Mapping[str, str], why: str) -> list[Leftover]:
    """Return what lies in a trial's folder and is not named: the whole folder, where nothing is."""
    saved = {Path(name).parts for name in named} | set(_inside(folder, named.values()))
    loose = [path for path in _files(folder) if not _is_saved(path.relative_to(folder).parts, saved)]
    if all(path in set(loose) for path in _files(folder)):
        return [Leftover(folder, why, n_bytes_of(folder))]
    return [Leftover(path, why, n_bytes_of(path)) for path in loose]


def _inside(folder: Path, paths: Collection[str]) -> Iterator[tuple[str, ...]]:
    """Yield of paths that lead into a folder what comes after it."""
    for text in paths:
        with suppress(ValueError):
            yield Path(os.path.normpath(Path(text).absolute())).relative_to(folder.absolute()).parts


def _is_saved(parts: tuple[str, ...], saved: Collection[tuple[str, ...]]) -> bool:
    """Whether a file or a folder above it is among those that are named."""
    return any(parts[: i + 1] in saved for i in range(len(parts)))


def _files(folder: Path) -> list[Path]:
    """Return all files and links below a folder, and the folders that are empty."""
    found: list[Path] = []
    for path in _listed(folder):
        if path.is_symlink() or not path.is_dir():
            found.append(path)
        else:
            found += _files(path) or [path]
    return found


def _listed(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError:
        return []


def _is_number(name: str) -> bool:
    return name.isascii() and name.isdecimal() and len(name) < 10 and name == str(int(name))
