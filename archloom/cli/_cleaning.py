# SPDX-License-Identifier: Apache-2.0
"""What ``search clean`` does, each task apart: it says what would go, and then removes just that."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, final

from archloom.cli._leftovers import (
    Leftover,
    drop_empty,
    erase,
    leftovers,
    numbered,
    put_back,
    remains,
    set_aside,
)
from archloom.cli._studies import identity

if TYPE_CHECKING:
    from archloom.store import Store, StudyRecord

__all__ = ["DropStudy", "DropWaiting", "DropWorkers", "Files", "Item", "Remains", "Task", "Vacuum"]

KEEPS = ("all", "pareto", "best")
KEEP_TAG = "keep"


@final
class Item(NamedTuple):
    """Something that goes.

    Args:
        kind: ``files``, ``trials``, ``workers``, ``study`` or ``database``.
        study: whose it is; empty where it is nobody's.
        what: a path, or words.
        why: in words.
        n_bytes: how much room that gives.
    """

    kind: str
    study: str
    what: str
    why: str
    n_bytes: int = 0


class Task(ABC):
    """One kind of cleaning; finding out what goes changes nothing."""

    @abstractmethod
    def items(self) -> list[Item]:
        """Return what would go."""

    @abstractmethod
    def run(self) -> None:
        """Remove what ``items`` has returned, as far as nothing needs it since."""


@final
class Files(Task):
    """Files of a study that no trial names, or whose trials are not to keep theirs.

    Args:
        store: holds the study.
        study: the study.
        folder: where its trials' files are.
        keep: whose files stay: those of ``all`` trials, of the ``pareto`` front and the ``best``, or of that.
    """

    def __init__(self, store: Store, study: StudyRecord, folder: Path, keep: str):
        self._store, self._study, self._folder, self._keep = store, study, folder, keep
        self._shown: list[Leftover] = []

    def items(self) -> list[Item]:
        """Return what would go."""
        self._shown = self._found()
        return [
            Item("files", self._study.name, str(found.path), found.why, found.n_bytes)
            for found in self._shown
        ]

    def run(self) -> None:
        """Forget the rows, then remove the files: an interrupt leaves files without rows at worst."""
        from archloom.store.cleaning import files_of, forget_files

        key, shown = identity(self._study), {found.path for found in self._shown}
        unwanted = self._unwanted(files_of(self._store, key))
        if unwanted:
            forget_files(self._store, key, unwanted, f"search clean --keep {self._keep}")
        with self._store.transaction():
            self._store.lock(key)  # nothing is proposed while what belongs to nobody is moved
            paths = [found.path for found in self._found() if found.path in shown]
            aside = set_aside(paths, self._folder)
        erase(aside)
        drop_empty({path.parent for path in paths} - {self._folder})

    def _found(self) -> list[Leftover]:
        from archloom.store.cleaning import files_of

        there = numbered(self._folder)
        files = files_of(self._store, identity(self._study))
        return leftovers(there, files, self._unwanted(files))

    def _unwanted(self, files: Mapping[int, Mapping[str, str] | None]) -> dict[int, Collection[str]]:
        """Return the names of the files in our folder whose trials are not to keep them."""
        if self._keep == "all":
            return {}
        kept = self._kept()
        return {
            number: [name for name, path in named.items() if self._is_ours(number, name, path)]
            for number, named in files.items()
            if named and number not in kept
        }

    def _kept(self) -> set[int]:
        """Return the trials that keep their files, with those whose results they were served."""
        key = identity(self._study)
        found = self._store.best(key)
        found += self._store.pareto(key) if self._keep == "pareto" else []
        found += self._store.trials(key, where=f"tag = {KEEP_TAG}")
        return {number for t in found for number in (t.number, t.reused_from) if number is not None}

    def _is_ours(self, number: int, name: str, path: str) -> bool:
        import os

        place = (self._folder / str(number)).absolute()
        try:
            own = Path(os.path.normpath(Path(path).absolute()))
            return own.is_relative_to(place) or (place / Path(name).name).exists()
        except (OSError, ValueError):
            return False


@final
class Remains(Task):
    """What an interrupted cleaning has left.

    Args:
        roots: the folders that are looked through, with the folders in them.
    """

    def __init__(self, roots: Collection[Path]):
        self._roots = list(roots)
        self._shown: list[Leftover] = []

    def items(self) -> list[Item]:
        """Return what would go."""
        found = {left.path: left for root in self._roots for left in remains(root)}
        self._shown = list(found.values())
        return [Item("files", "", str(left.path), left.why, left.n_bytes) for left in self._shown]

    def run(self) -> None:
        """Remove it."""
        for found in self._shown:
            erase(found.path)


@final
class DropWaiting(Task):
    """Trials that wait in a study that is done: they end as PRUNED and never count.

    Args:
        store: holds the study.
        study: the study.
    """

    def __init__(self, store: Store, study: StudyRecord):
        self._store, self._study = store, study
        self._shown: list[int] = []

    def items(self) -> list[Item]:
        """Return what would go."""
        from archloom.cli.trials._chosen import listed
        from archloom.contracts import State

        if self._study.status != "done":
            return []
        found = self._store.trials(identity(self._study), states=[State.WAITING])
        self._shown = [trial.number for trial in found]
        if not found:
            return []
        return [Item("trials", self._study.name, listed(self._shown), "wait, though the study is done")]

    def run(self) -> None:
        """End them."""
        from archloom.store.corrections import Corrections

        if self._shown:
            corrections = Corrections(self._store, identity(self._study))
            corrections.withdraw(self._shown, "never evaluated: the study is done (search clean --waiting)")


@final
class DropWorkers(Task):
    """Workers of the past.

    Args:
        store: holds the study.
        study: the study.
    """

    def __init__(self, store: Store, study: StudyRecord):
        self._store, self._study = store, study
        self._shown: list[int] = []

    def items(self) -> list[Item]:
        """Return what would go."""
        from archloom.store.cleaning import past_workers

        self._shown = [worker.id for worker in past_workers(self._store, identity(self._study))]
        if not self._shown:
            return []
        noun = "worker" if len(self._shown) == 1 else "workers"
        told = "ended for good; trials no longer say who evaluated them"
        return [Item("workers", self._study.name, f"{len(self._shown):,} {noun}", told)]

    def run(self) -> None:
        """Forget them."""
        from archloom.store.cleaning import forget_workers

        forget_workers(self._store, identity(self._study), self._shown)


@final
class DropStudy(Task):
    """A whole study, and the files of its trials.

    Args:
        store: holds the study.
        study: the study.
        folder: where its trials' files are, where that is known.
    """

    def __init__(self, store: Store, study: StudyRecord, folder: Path | None):
        self._store, self._study, self._folder = store, study, folder

    def items(self) -> list[Item]:
        """Return what would go."""
        counts = self._store.counts(identity(self._study))
        told = ", ".join(f"{n:,} {state}" for state, n in counts.items() if n) or "none"
        found = [Item("study", self._study.name, f"trials: {told}", "it is deleted, for good")]
        return found + [
            Item("files", self._study.name, str(left.path), "of the study", left.n_bytes)
            for left in self._files()
        ]

    def run(self) -> None:
        """Move the files aside and delete the rows, both or neither; then remove the files."""
        from archloom.store.cleaning import delete_study

        paths = [left.path for left in self._files()]
        aside = None
        try:
            with self._store.transaction():
                delete_study(self._store, self._study)
                aside = set_aside(paths, self._folder) if self._folder else None
        except BaseException:
            put_back(aside, paths)
            raise
        erase(aside)
        if self._folder:
            drop_empty([self._folder])

    def _files(self) -> list[Leftover]:
        return leftovers(numbered(self._folder), {}) if self._folder else []


@final
class Vacuum(Task):
    """Room in the file of a SQLite database that it does not need.

    Args:
        url: of the database.
    """

    def __init__(self, url: str):
        self._url = url

    def items(self) -> list[Item]:
        """Return what would go."""
        from archloom.cli._studies import shown_url
        from archloom.errors import ConfigError
        from archloom.store.cleaning import free_bytes

        n_bytes = free_bytes(self._url)
        if n_bytes is None:
            raise ConfigError("--vacuum is for the file of a SQLite database; PostgreSQL sees to that itself")
        return [Item("database", "", shown_url(self._url), "room that it does not need", n_bytes)]

    def run(self) -> None:
        """Give it back to the disk."""
        from archloom.store.cleaning import vacuum

        vacuum(self._url)
