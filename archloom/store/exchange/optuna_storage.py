# SPDX-License-Identifier: Apache-2.0
"""From a URL to an Optuna storage, and what it says kept off the terminal."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from archloom.errors import ConfigError, StoreError

if TYPE_CHECKING:
    from optuna.storages import RDBStorage
    from sqlalchemy import URL

__all__ = ["opened", "quiet", "storage_url"]


def storage_url(text: str) -> URL:
    """Return the URL of a storage from its words; the path of a file stands for a SQLite file.

    >>> str(storage_url("optuna.db"))
    'sqlite:///optuna.db'

    Raises:
        ConfigError: it is not a URL.
    """
    from sqlalchemy import URL, make_url
    from sqlalchemy.exc import ArgumentError

    if "://" not in text:
        return URL.create("sqlite", database=text)
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        raise ConfigError(f"an Optuna storage is a URL such as sqlite:///optuna.db, got {text!r}") from None
    is_plain = url.drivername in ("postgres", "postgresql")
    return url.set(drivername="postgresql+psycopg") if is_plain else url


@contextlib.contextmanager
def opened(text: str, *, must_exist: bool = False) -> Iterator[RDBStorage]:
    """Open an Optuna storage.

    Args:
        text: its URL, or the path of a SQLite file.
        must_exist: whether to refuse to make one.

    Raises:
        ConfigError: there is none, or it is archloom's own store.
        StoreError: it cannot be opened.
    """
    from sqlalchemy.exc import SQLAlchemyError

    url = storage_url(text)
    label = url.render_as_string(hide_password=True)
    _check_file(url, label, must_exist=must_exist)
    try:
        _check_tables(url, label, must_exist=must_exist)
        with quiet():
            storage = _storage(url)
    except (SQLAlchemyError, RuntimeError, ImportError) as error:
        raise StoreError(f"cannot open the Optuna storage {label}: {_words(error)}") from error
    try:
        yield storage
    finally:
        storage.remove_session()
        storage.engine.dispose()


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Keep Optuna's notes and its warnings about experimental parts to itself."""
    import optuna
    from optuna.exceptions import ExperimentalWarning

    level = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ExperimentalWarning)
            yield
    finally:
        optuna.logging.set_verbosity(level)


def _storage(url: URL) -> RDBStorage:
    from optuna.storages import RDBStorage

    return RDBStorage(url.render_as_string(hide_password=False))


def _check_file(url: URL, label: str, *, must_exist: bool) -> None:
    """Say in words what SQLite would call 'unable to open database file', or make anew."""
    if url.get_backend_name() != "sqlite" or not url.database or url.database == ":memory:":
        return
    path = Path(url.database)
    if path.is_dir():
        raise ConfigError(f"{label} is a folder: name a file in it")
    if must_exist and not path.exists():
        raise ConfigError(f"there is no Optuna storage {label}")
    if not path.parent.is_dir():
        raise ConfigError(f"cannot make {label}: there is no folder {path.parent}")


def _check_tables(url: URL, label: str, *, must_exist: bool) -> None:
    """Refuse a database that is not Optuna's: its tables and ours have the same names."""
    from sqlalchemy import create_engine, inspect
    from sqlalchemy.pool import NullPool

    from archloom.store.schema import VERSION_TABLE

    if url.get_backend_name() == "sqlite" and url.database and not Path(url.database).exists():
        return
    engine = create_engine(url, poolclass=NullPool)
    try:
        names = set(inspect(engine).get_table_names())
    finally:
        engine.dispose()
    if VERSION_TABLE in names:
        raise ConfigError(
            f"{label} is an archloom store: an Optuna storage is another database"
            + (" (to look at its studies: search status --store)" if must_exist else "")
        )
    if must_exist and "study_directions" not in names:
        raise ConfigError(f"{label} holds no Optuna storage")


def _words(error: BaseException) -> str:
    return " ".join(str(getattr(error, "orig", None) or error).split())
