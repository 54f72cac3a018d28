# SPDX-License-Identifier: Apache-2.0
"""``search doctor``: what is installed here, and what is missing for what."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer

from archloom.cli._output import FormatOption, write
from archloom.cli._studies import PlainStoreOption
from archloom.cli._waiting import waiting

if TYPE_CHECKING:
    from rich.console import RenderableType


def doctor(*, store: PlainStoreOption = None, form: FormatOption = "table") -> None:
    """Say what is installed, which device is seen, and what is missing for what.

    Ends with exit code 1 where something that is installed is broken, plug-ins and the store included; an
    extra that is not installed is no fault.
    """
    from archloom.cli._diagnosis import diagnose

    with waiting("loading the libraries"):
        found = diagnose(store)
    if form == "table":
        _print(found)
    else:
        write(found, form, _rows(found))
    if found["broken"]:
        raise typer.Exit(1)


def _rows(found: dict[str, Any]) -> list[dict[str, Any]]:
    """Return a line of CSV for each thing: its section, its name, what was found."""
    rows = []
    for section, things in found.items():
        pairs = enumerate(things) if isinstance(things, list) else things.items()
        rows += [
            {"section": section, "name": name, "found": _extra(value) if section == "extras" else value}
            for name, value in pairs
        ]
    return rows


def _print(found: dict[str, Any]) -> None:
    from rich.console import Group

    from archloom.cli._tables import facts, plain, show

    parts: list[RenderableType] = []
    for title, rows in (
        ("Versions", list(found["versions"].items())),
        ("Devices", list(found["devices"].items())),
        ("Extras", [(name, _extra(extra)) for name, extra in found["extras"].items()]),
        ("Store", list(found["store"].items())),
        ("Environment", list(found["environment"].items())),
        ("Plug-ins", [(name, plugin) for name, plugin in found["plugins"].items()]),
    ):
        shown = [(f"  {name}", plain(str(value))) for name, value in rows if value is not None]
        parts.append(Group(plain(title, "bold cyan"), facts(shown) if shown else plain("  none")))
    broken = [plain(f"  {text}", "red") for text in found["broken"]]
    parts.append(Group(plain("Broken", "bold red"), *broken) if broken else plain("Nothing is broken."))
    show(*parts)


def _extra(extra: dict[str, Any]) -> str:
    if extra["missing"]:
        return f"missing, for {extra['for']}: {extra['install']}"
    return f"installed, for {extra['for']}"
