# SPDX-License-Identifier: Apache-2.0
"""The ``search`` command, one small file a verb.

Exit codes: 0 done, 1 failed, 2 wrong usage or study file, 130 interrupted. Results go to stdout,
everything else to stderr.
"""

from __future__ import annotations

import sys
import traceback
from collections.abc import Sequence
from typing import Annotated

import typer

from archloom.cli._verbs import OPTIONS, VERBS, group_class
from archloom.errors import ArchloomError, ConfigError

__all__ = ["app", "main"]

app = typer.Typer(
    name="search",
    cls=group_class(VERBS, "archloom.cli"),
    help="Neural architecture search: run a study file, look at its results, take the winner away.",
    **OPTIONS,
)


def _print_version(is_asked: bool) -> None:
    if is_asked:
        from importlib.metadata import version

        typer.echo(f"archloom {version('archloom')}")
        raise typer.Exit


@app.callback()
def _options(
    *,
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version and leave."
        ),
    ] = False,
    debug: Annotated[
        bool, typer.Option("--debug", help="Show the traceback of an error (any place will do).")
    ] = False,
) -> None:
    del version, debug  # --version has done its work; main reads --debug


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command; always ends in ``SystemExit``."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    is_debugging = "--debug" in words
    try:
        app(args=[word for word in words if word != "--debug"], prog_name="search")
    except ArchloomError as error:
        if is_debugging:
            traceback.print_exc()
        _complain(str(error))
        sys.exit(2 if isinstance(error, ConfigError) else 1)
    except Exception as error:  # nobody but archloom itself is to blame, or a library below it
        if is_debugging:
            traceback.print_exc()
        told = " ".join(str(error).split())
        _complain(f"unexpected {type(error).__name__}: {told} (with --debug: where)")
        sys.exit(1)


def _complain(message: str) -> None:
    from rich.console import Console

    from archloom.cli._words import inert

    console = Console(stderr=True, highlight=False)
    for line in message.splitlines():
        console.print(inert(line), style="red", markup=False, emoji=False, soft_wrap=True)
