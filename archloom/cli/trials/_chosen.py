# SPDX-License-Identifier: Apache-2.0
"""Which trials are to be corrected: by number, by a range of numbers, or by a condition."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from archloom.store import Store

SHOWN = 12
_NUMBERS = re.compile(r"(\d{1,9})(?:-(\d{1,9}))?", re.ASCII)

TrialsArgument = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="TRIAL",
        help="Their numbers, or ranges such as 10-20; or none, and --where.",
        show_default=False,
    ),
]
WhereOption = Annotated[
    str | None,
    typer.Option(
        "--where",
        "-w",
        metavar="CONDITION",
        help="Those of which it holds, as in 'search trials': 'worker = 3 and seconds > 60'.",
        show_default=False,
    ),
]
ReasonOption = Annotated[
    str, typer.Option("--reason", "-r", metavar="TEXT", help="Why; kept with them.", show_default=False)
]


def chosen_numbers(store: Store, study_id: int, words: Sequence[str] | None, where: str | None) -> list[int]:
    """Return the numbers of the trials that are meant.

    Raises:
        ConfigError: a word that is no number, or both or neither of numbers and a condition.
        StoreError: no trial of that number, or none of which the condition holds.
    """
    from archloom.errors import ConfigError, StoreError

    if bool(words) == (where is not None):
        given = "both are given" if words else "neither is given"
        raise ConfigError(f"name trials by their numbers or by --where; {given}")
    if where is not None:
        found = [trial.number for trial in store.trials(study_id, where=where)]
        if not found:
            raise StoreError(f"there is no trial of which {where} holds")
        return found
    numbers: set[int] = set()
    for word in words or ():
        first, last = _bounds(word)
        store.trial(study_id, last)  # raises where there is none
        numbers |= set(range(first, last + 1))
    return sorted(numbers)


def listed(numbers: Iterable[int]) -> str:
    """Name trials in words.

    >>> listed([3]), listed([3, 7]), listed([1, 2, 3, 9])
    ('trial 3', 'trials 3 and 7', 'trials 1 to 3 and 9')
    """
    runs: list[tuple[int, int]] = []
    for number in sorted(numbers):
        if runs and runs[-1][1] == number - 1:
            runs[-1] = (runs[-1][0], number)
        else:
            runs.append((number, number))
    spelt = [[f"{a} to {b}"] if b > a + 1 else [str(n) for n in range(a, b + 1)] for a, b in runs]
    parts = [part for some in spelt for part in some]
    if len(parts) > SHOWN:
        parts = [*parts[:SHOWN], f"{len(parts) - SHOWN:,} more"]
    is_one = len(runs) == 1 and runs[0][0] == runs[0][1]
    told = " and ".join(filter(None, (", ".join(parts[:-1]), parts[-1])))
    return f"trial{'' if is_one else 's'} {told}"


def _bounds(word: str) -> tuple[int, int]:
    from archloom.errors import ConfigError

    found = _NUMBERS.fullmatch(word)
    if not found:
        raise ConfigError(
            f"a trial is named by its number, or several by a range such as 10-20; got {word!r}"
        )
    first, last = int(found[1]), int(found[2] or found[1])
    if last < first:
        raise ConfigError(f"a range begins with its lowest number; got {word!r}")
    return first, last
