# SPDX-License-Identifier: Apache-2.0
"""``search storage info``: what a database is."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from archloom.cli._output import FormatOption, write
from archloom.cli._studies import PlainStoreOption

if TYPE_CHECKING:
    from archloom.store.integrity import Facts


def info(*, store: PlainStoreOption = None, form: FormatOption = "table") -> None:
    """Say what a database is: its engine, schema, size, studies, and whether it can be written."""
    from archloom import config
    from archloom.store.integrity import describe

    found = describe(store or config.default_store())
    if form == "table":
        _print(found)
        return
    row = asdict(found) | {"versions": list(found.versions)}
    write(row, form, [row])


def _print(found: Facts) -> None:
    from archloom.cli._tables import exact, facts, plain, show

    is_old = found.revision != found.newest
    schema = (
        f"{found.revision}, older than {found.newest}: 'search storage upgrade'" if is_old else found.revision
    )
    trials = ", ".join(f"{n:,} {state}" for state, n in found.n_trials.items())
    rows = [
        ("database", exact(found.store)),
        ("engine", plain(found.engine)),
        ("schema", plain(schema)),
        ("made by", plain(", ".join(f"archloom {version}" for version in found.versions) or "–")),
        ("size", plain(size(found.n_bytes))),
        ("studies", plain(f"{found.n_studies:,}")),
        ("trials", plain(trials or "none yet")),
    ]
    if found.journal is not None:
        rows.append(("journal", plain(found.journal)))
    rows.append(("writable", plain("yes" if found.is_writable else "no")))
    show(facts(rows))


def size(n_bytes: int) -> str:
    """Write a size in the unit that suits it.

    >>> size(900), size(65536), size(3 * 2**30)
    ('900 bytes', '64.0 KiB', '3.0 GiB')
    """
    amount, unit = float(n_bytes), "bytes"
    for larger in ("KiB", "MiB", "GiB", "TiB"):
        if amount < 1024:
            break
        amount, unit = amount / 1024, larger
    return f"{n_bytes:,} bytes" if unit == "bytes" else f"{amount:.1f} {unit}"
