# SPDX-License-Identifier: Apache-2.0
"""What is wished of ``search clean``, made into tasks; and where a study keeps its files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, final

if TYPE_CHECKING:
    from archloom.cli._cleaning import Task
    from archloom.store import Store, StudyRecord

__all__ = ["Wishes"]

_SQLITE = b"SQLite format 3\0"


@final
@dataclass
class Wishes:
    """The options of ``search clean``.

    Args:
        keep: whose files stay: ``all``, ``pareto`` or ``best``.
        waiting: whether trials that wait in studies that are done are ended.
        workers: whether workers of the past are forgotten.
        vacuum: whether a SQLite file is made smaller.
        deletes: whether the study is deleted.
        artifacts: holds a folder of files for each study; ``None`` to look where they usually are.
    """

    keep: str
    waiting: bool
    workers: bool
    vacuum: bool
    deletes: bool
    artifacts: Path | None
    notes: list[str] = field(default_factory=list)
    """What was not looked into, and how it would be."""

    def check(self, study: str | None) -> None:
        """Refuse wishes that do not go together.

        Raises:
            ConfigError: ``keep`` is another word, or a study is to be deleted and cleaned.
        """
        from archloom.cli._cleaning import KEEPS
        from archloom.errors import ConfigError, did_you_mean

        if self.keep not in KEEPS:
            raise ConfigError(
                f"--keep is all, pareto or best, got {self.keep!r}{did_you_mean(self.keep, KEEPS)}"
            )
        if self.deletes and (study is None or self.waiting or self.workers or self.keep != "all"):
            raise ConfigError(
                "--delete-study goes with the name of a STUDY, and with no other cleaning of it"
            )

    def tasks(self, store: Store, name: str | None, study: str | None) -> list[Task]:
        """Return what is to be done.

        Args:
            store: the database.
            name: of the study; ``None`` for all.
            study: how it was named: a study file says where its files are.
        """
        from archloom.cli._cleaning import Remains, Vacuum

        known = store.studies()
        records = known if name is None else [store.study(name)]
        names = [record.name for record in known]
        folders = {record.name: self._folder_of_one(store, record, study, names) for record in records}
        tasks = [task for record in records for task in self._tasks(store, record, folders[record.name])]
        places = {folder if name else folder.parent for folder in folders.values() if folder is not None}
        tasks.append(Remains(sorted(places)))
        return [*tasks, Vacuum(store.url)] if self.vacuum else tasks

    def _tasks(self, store: Store, record: StudyRecord, folder: Path | None) -> list[Task]:
        from archloom.cli._cleaning import DropStudy, DropWaiting, DropWorkers, Files

        if self.deletes:
            return [DropStudy(store, record, folder)]
        tasks: list[Task] = [] if folder is None else [Files(store, record, folder, self.keep)]
        tasks += [DropWaiting(store, record)] if self.waiting else []
        return [*tasks, DropWorkers(store, record)] if self.workers else tasks

    def _folder_of_one(
        self, store: Store, record: StudyRecord, study: str | None, names: Sequence[str]
    ) -> Path | None:
        """Return where a study keeps its files, and no other one does."""
        from archloom.terms import artifacts_beside

        def place(name: str) -> str:
            return str(artifacts_beside("any.db", name)).casefold()

        folder = self._folder(store, record, study)
        if folder is None:
            return None
        others = [name for name in names if name != record.name and place(name) == place(record.name)]
        if others or not record.name.strip("."):
            owner = f"that of study {others[0]!r} too" if others else "no folder of its own"
            self.notes.append(f"files of {record.name} were not looked for: {folder} is {owner}")
            return None
        return folder

    def _folder(self, store: Store, record: StudyRecord, study: str | None) -> Path | None:
        """Return where a study keeps its files, as far as its user says so or nobody else can mean it.

        What the database itself says is a stranger's word.
        """
        from archloom.config import load
        from archloom.terms import artifacts_beside

        if self.artifacts is not None:
            return artifacts_beside(store.url, record.name, root=self.artifacts)
        if study is not None and study.endswith((".yaml", ".yml")):
            return load(study).artifacts
        said = record.config.get("artifacts")
        if said is not None:
            self._note(record.name, f"its study file had 'artifacts: {said}'")
            return None
        folder = artifacts_beside(store.url, record.name)
        if study is None and not store.url.startswith("sqlite"):
            self._note(record.name, f"{folder} may be another database's")
            return None
        twin = _twin(store.url)
        if twin is not None:
            self._note(record.name, f"{folder} may be that of {twin} too")
            return None
        return folder

    def _note(self, name: str, why: str) -> None:
        self.notes.append(f"files of {name} were not looked for: {why}; say where they are with --artifacts")


def _twin(url: str) -> Path | None:
    """Return a database beside a SQLite file whose files would be in the same folder."""
    from sqlalchemy.engine import make_url

    database = make_url(url).database
    if not database or database == ":memory:":
        return None
    path = Path(database)
    for other in sorted(path.absolute().parent.glob("*")):
        if other.stem == path.stem and other.name != path.name and other.is_file() and _is_sqlite(other):
            return other
    return None


def _is_sqlite(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(len(_SQLITE)) == _SQLITE
    except OSError:
        return False
