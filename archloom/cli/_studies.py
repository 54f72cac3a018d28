# SPDX-License-Identifier: Apache-2.0
"""Which study in which store a command means."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from archloom.cli._complete import complete_study

if TYPE_CHECKING:
    from archloom.contracts import Objective
    from archloom.errors import StoreError
    from archloom.store import Store, StudyRecord, TrialRecord

StoreOption = Annotated[
    str | None,
    typer.Option(
        "--store",
        metavar="URL",
        help="Database URL or file. Otherwise that of STUDY where it is a study file, "
        "else $ARCHLOOM_STORE, else sqlite:///archloom.db.",
    ),
]
PlainStoreOption = Annotated[
    str | None,
    typer.Option(
        "--store",
        metavar="URL",
        help="Database URL or file. Otherwise $ARCHLOOM_STORE, else sqlite:///archloom.db.",
    ),
]
StudyArgument = Annotated[
    str,
    typer.Argument(
        metavar="STUDY",
        help="The study's name, or its study file.",
        show_default=False,
        autocompletion=complete_study,
    ),
]


def named(study: str, store: str | None) -> tuple[str, str]:
    """Return the name of a study and its store; ``study`` may be a study file."""
    is_file = study.endswith((".yaml", ".yml"))
    if store and not is_file:
        return study, store
    from archloom import config  # half a second, which a look at a named store need not wait for

    if not is_file:
        return study, config.default_store()
    name, its_store = config.locate(study)
    return name, store or its_store


@contextlib.contextmanager
def opened(study: str, store: str | None) -> Iterator[tuple[Store, StudyRecord]]:
    """Open the store that holds a study and find it there.

    Raises:
        StoreError: no such store, or none of that study in it.
    """
    from archloom.errors import StoreError
    from archloom.store import Store

    name, url = named(study, store)
    try:
        found = Store(url, must_exist=True)
    except StoreError as error:
        is_guessed = name == study and store is None
        advice = ": name a study file, or say which database with --store" if is_guessed else ""
        raise StoreError(f"{error}{advice}") from error
    with found as opened_store:
        yield opened_store, opened_store.study(name)


def nothing_found(study: StudyRecord) -> StoreError:
    """Return the error that a study has no trial that could be the best."""
    from archloom.errors import StoreError

    kept = " that keeps its constraints" if study.constraints else ""
    return StoreError(f"study {study.name!r} has no COMPLETE trial{kept} yet")


def identity(study: StudyRecord) -> int:
    """Return the id of a study that came out of a store."""
    if study.id is None:
        raise ValueError(f"study {study.name!r} has not been stored")
    return study.id


def chosen(store: Store, study: StudyRecord, trial: str) -> TrialRecord:
    """Return the trial that ``best`` or a number means.

    Raises:
        StoreError: no such trial, or none is COMPLETE and feasible.
    """
    from archloom.errors import ConfigError

    if trial == "best":
        found = store.best(identity(study), 1)
        if not found:
            raise nothing_found(study)
        return found[0]
    if not trial.isdecimal():
        raise ConfigError(f"TRIAL must be 'best' or a trial's number, got {trial!r}")
    return store.trial(identity(study), int(trial))


def measured(store: Store, study: StudyRecord, trial: str) -> TrialRecord:
    """Return the trial that ``chosen`` does, or the one that it was served from: it has the measurement."""
    found = chosen(store, study, trial)
    return found if found.reused_from is None else store.trial(identity(study), found.reused_from)


def _best(store: Store, study_id: int, n: int) -> list[TrialRecord]:
    """Return the ``n`` best trials without repeats, reading no more of them than that takes."""
    n_read = 2 * n
    while True:
        read = store.best(study_id, n_read)
        found = [trial for trial in read if trial.reused_from is None]
        if len(found) >= n or len(read) < n_read:
            return found[:n]
        n_read *= 4


def leaders(store: Store, study_id: int, objectives: Sequence[Objective], n: int | None) -> list[TrialRecord]:
    """Return the best trials, or the Pareto front from its best end by the first objective on.

    Repeats that were served from the store are left out: their network is the first one's.

    Args:
        store: holds the study.
        study_id: the study.
        objectives: its objectives.
        n: how many at most; ``None`` for the whole front, or for the one best.
    """
    if len(objectives) == 1:
        return _best(store, study_id, n or 1)
    front = [trial for trial in store.pareto(study_id) if trial.reused_from is None]
    return sorted(front, key=lambda trial: objectives[0].sign * (trial.values[0] or 0.0))[:n]


def shown_url(url: str) -> str:
    """Return a database URL that may be printed: its password is hidden."""
    from sqlalchemy.engine import make_url

    return str(make_url(url).render_as_string(hide_password=True)) if "://" in url else url


def folder_of(url: str) -> Path:
    """Return the folder that holds a SQLite database; the working folder for any other store."""
    from sqlalchemy.engine import make_url

    file = make_url(url).database if url.startswith("sqlite") else None if "://" in url else url
    return Path(file).parent if file else Path()
