# SPDX-License-Identifier: Apache-2.0
"""What a shell is offered after a tab. Nothing here may raise: a shell would show the traceback."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import typer


def complete_study(ctx: Any, incomplete: str) -> list[str]:
    """Offer the studies of the store, and study files."""
    found: list[str] = []
    with contextlib.suppress(Exception):
        found += _studies(_store(ctx))
    with contextlib.suppress(Exception):
        found += _files(incomplete)
    return [name for name in found if name.startswith(incomplete)]


def complete_file(incomplete: str) -> list[str]:
    """Offer study files and folders."""
    found: list[str] = []
    with contextlib.suppress(Exception):
        found += _files(incomplete)
    return found


def complete_registered(kind: str) -> Callable[[str], list[str]]:
    """Return the completer of a registry's names.

    Args:
        kind: ``strategies``, ``search_spaces``, ``evaluators`` or ``blueprints``.
    """

    def complete(incomplete: str) -> list[str]:
        found: list[str] = []
        with contextlib.suppress(Exception):
            from archloom.cli._registered import registry_of

            found += [name for name in registry_of(kind).names() if name.startswith(incomplete)]
        return found

    return complete


def complete_space(incomplete: str) -> list[str]:
    """Offer registered spaces and study files."""
    return [*complete_registered("search_spaces")(incomplete), *complete_file(incomplete)]


def _store(ctx: Any) -> str | None:
    given = ctx.params.get("store")
    return given[-1] if isinstance(given, list | tuple) and given else given or None


def _studies(url: str | None) -> list[str]:
    from archloom import config
    from archloom.store import Store

    with Store(url or config.default_store(), must_exist=True) as store:
        return [study.name for study in store.studies()]


def _files(incomplete: str) -> list[str]:
    folder = Path(incomplete).parent if not incomplete.endswith("/") else Path(incomplete)
    found = [path for path in folder.iterdir() if path.suffix in (".yaml", ".yml") or path.is_dir()]
    names = [f"{path}/" if path.is_dir() else str(path) for path in sorted(found)]
    return [name for name in names if name.startswith(incomplete) and not name.startswith(".")]


def name_argument(kind: str) -> Any:
    """Return the argument that names one of a kind."""
    return typer.Argument(
        metavar="[NAME]",
        help="A registered name, or an import path package.module:attribute.",
        show_default=False,
        autocompletion=complete_registered(kind),
    )
