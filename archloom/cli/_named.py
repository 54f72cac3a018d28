# SPDX-License-Identifier: Apache-2.0
"""How a study that ran is named in the commands that look at it."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, final

if TYPE_CHECKING:
    from archloom.config import StudyFile


@final
@dataclass(frozen=True)
class Named:
    """The words that lead to a study.

    Args:
        study: its study file where that leads to it as it stands, else its name.
        store: ``--store`` and its URL where it must be given.
        trust: ``--trust`` where its configuration names code that a command would not import otherwise.
    """

    study: str
    store: tuple[str, ...] = ()
    trust: tuple[str, ...] = ()

    def command(self, verb: str, *words: str) -> str:
        """Return a command on the study as it is typed.

        >>> Named("mine", ("--store", "x.db")).command("best", "-n", "10")
        'search best mine -n 10 --store x.db'
        """
        trust = self.trust if verb in ("export", "retrain") else ()
        return shlex.join(["search", verb, self.study, *words, *self.store, *trust])


def named(file: Path, overrides: Sequence[str], study_file: StudyFile) -> Named:
    """Name a study that ran: by its file wherever the file without overrides leads to the same study.

    Args:
        file: the study file.
        overrides: with which it ran.
        study_file: the two together.
    """
    from archloom import config
    from archloom.cli._studies import shown_url

    code = config.foreign_code(study_file.resolved())
    known = code if not overrides else _known(file, study_file, code)
    if known is not None:
        return Named(str(file), trust=("--trust",) if code - known else ())
    is_default = study_file.store == config.default_store()
    return Named(
        study_file.name,
        () if is_default else ("--store", shown_url(study_file.store)),
        ("--trust",) if code else (),
    )


def _known(file: Path, study_file: StudyFile, code: set[str]) -> set[str] | None:
    """Return the code that a file names by itself; ``None`` where it leads to no or to another study."""
    from archloom import config
    from archloom.errors import ArchloomError

    try:
        if config.locate(file) != (study_file.name, study_file.store):
            return None
        return config.foreign_code(config.load(file).resolved()) if code else code
    except ArchloomError:  # sound only with its overrides
        return None
