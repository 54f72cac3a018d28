# SPDX-License-Identifier: Apache-2.0
"""Corrections as commands: made, and told in words or as data."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from archloom.cli._output import Format, write
from archloom.cli._studies import identity, opened
from archloom.cli._waiting import waiting
from archloom.cli.trials._chosen import SHOWN, chosen_numbers, listed

if TYPE_CHECKING:
    from archloom.store import Store, StudyRecord
    from archloom.store.corrections import Correction

Kind = Literal["invalidate", "restore", "reevaluate"]


def correct(
    kind: Kind,
    study: str,
    trials: Sequence[str] | None,
    where: str | None,
    reason: str,
    store: str | None,
    form: Format,
) -> None:
    """Correct trials, and say what has changed."""
    with opened(study, store) as (opened_store, record):
        from archloom.store.corrections import Corrections

        key = identity(record)
        numbers = chosen_numbers(opened_store, key, trials, where)
        with waiting("correcting the trials"):
            made = getattr(Corrections(opened_store, key), kind)(numbers, reason)
            best = opened_store.best(key)
            more = _budget(opened_store, key)
    if form != "table":
        _write(kind, record, made, form)
        return
    from archloom.cli._tables import lines, show

    again = shlex.join(["search", "resume", study, *(("--store", store) if store else ()), *more])
    told = _told(kind, record, numbers, made, again)
    if made.numbers:
        told.append(f"the best is trial {best[0].number} now" if best else "no trial is the best now")
    show(lines(told))


def _budget(store: Store, study_id: int) -> tuple[str, ...]:
    """Return the budget that lets what waits be evaluated too."""
    from archloom.contracts import State

    standing = store.standing(study_id)
    if standing.max_trials is None:
        return ()
    n = store.n_evaluated(study_id, is_all=standing.budget == "proposals")
    n += store.n_open(study_id)[State.WAITING]
    return (f"budget.trials={max(n, standing.max_trials)}",)


def _told(kind: Kind, study: StudyRecord, numbers: Sequence[int], made: Correction, again: str) -> list[str]:
    """Say in lines what has changed."""
    how = "again" if kind == "restore" else "no more"
    if not made.numbers and not made.new:
        told = [f"nothing to do: {listed(numbers)} of {study.name} counted {how} already"]
    else:
        count = "counts" if len(made.numbers) == 1 else "count"
        told = [f"{listed(made.numbers)} of {study.name} {count} {how}"] if made.numbers else []
    if made.repeats:
        served = "was" if len(made.repeats) == 1 else "were"
        told.append(f"with that {listed(made.repeats)}, which {served} served the same result")
    if len(made.new) <= SHOWN:
        told += [f"trial {new} waits in the place of trial {old}" for old, new in made.new.items()]
    else:
        told.append(f"{listed(made.new.values())} wait in their place")
    if made.new and study.status != "running":
        told.append(f"evaluate what waits: {again}")
    return told


def _write(kind: Kind, study: StudyRecord, made: Correction, form: Format) -> None:
    changed = [(number, False) for number in made.numbers] + [(number, True) for number in made.repeats]
    rows = [
        {"number": number, "kind": kind, "is_repeat": is_repeat, "new": made.new.get(number)}
        for number, is_repeat in changed
    ]
    rows += [
        {"number": old, "kind": kind, "is_repeat": False, "new": new}
        for old, new in made.new.items()
        if old not in made.numbers
    ]
    write({"study": study.name, "kind": kind, "changed": rows}, form, rows)
