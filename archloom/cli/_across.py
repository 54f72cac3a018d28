# SPDX-License-Identifier: Apache-2.0
"""Several studies at once, or every study of a store."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from archloom.cli._complete import complete_study
from archloom.cli._output import objective_rows, trial_row
from archloom.cli._studies import identity, opened, shown_url

if TYPE_CHECKING:
    from archloom.cli._columns import Fitted
    from archloom.contracts import Objective
    from archloom.store import Store, StudyRecord, TrialRecord

StudiesArgument = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[STUDY]...",
        help="Studies by name or by study file; none for every study of the store.",
        show_default=False,
        autocompletion=complete_study,
    ),
]
__all__ = ["Entry", "Group", "StudiesArgument", "describe", "grouped_by", "notes", "table"]


class Entry(NamedTuple):
    """A trial, and the study that it is of.

    Args:
        study: its name, with the store where two have the same.
        trial: the trial.
        record: the study.
    """

    study: str
    trial: TrialRecord
    record: StudyRecord


class Group(NamedTuple):
    """Studies that search for the same.

    Args:
        objectives: what they share.
        studies: their names.
        entries: their trials.
    """

    objectives: tuple[Objective, ...]
    studies: tuple[str, ...]
    entries: list[Entry]

    @property
    def title(self) -> str:
        """What is searched for, and by how many studies."""
        goals = " and ".join(f"{o.direction} {o.metric}" for o in self.objectives)
        names = ", ".join(self.studies) if len(self.studies) < 4 else f"{len(self.studies)} studies"
        return f"{goals}: {names}"


def grouped_by(
    studies: Sequence[str],
    store: str | None,
    objectives: Callable[[StudyRecord], Sequence[Objective]],
    trials: Callable[[Store, StudyRecord], Sequence[TrialRecord]],
) -> tuple[list[Group], list[tuple[str, str]]]:
    """Read studies and put those together that search for the same.

    Args:
        studies: by name or file; none for every study of the store.
        store: its URL; that of each study file, or the default one, where there is none.
        objectives: those of a study that must agree; their order does not matter beyond the first study's.
        trials: reads what is wanted of a study.

    Returns:
        The groups, and name and reason of each study that has nothing to show.
    """
    read = list(_read(studies, store, trials))
    names = [record.name for record, _, _ in read]
    groups: dict[Any, Group] = {}
    left_out: list[tuple[str, str]] = []
    for record, url, found in read:
        name = record.name if names.count(record.name) == 1 else f"{record.name} ({shown_url(url)})"
        if not found:
            kept = " that keeps its constraints" if record.constraints else ""
            left_out.append((name, f"no COMPLETE trial{kept}"))
            continue
        goals = tuple(objectives(record))
        key = frozenset((goal.metric, goal.direction) for goal in goals)
        group = groups.get(key, Group(goals, (), []))
        entries = [Entry(name, trial, record) for trial in found]
        groups[key] = group._replace(studies=(*group.studies, name), entries=[*group.entries, *entries])
    return list(groups.values()), left_out


def _read(
    studies: Sequence[str], store: str | None, trials: Callable[[Store, StudyRecord], Sequence[TrialRecord]]
) -> Iterator[tuple[StudyRecord, str, Sequence[TrialRecord]]]:
    if studies:
        for name in dict.fromkeys(studies):
            with opened(name, store) as (one, record):
                yield record, one.url, trials(one, record)
        return
    from archloom import config
    from archloom.errors import StoreError
    from archloom.store import Store

    with Store(store or config.default_store(), must_exist=True) as opened_store:
        records = opened_store.studies()
        if not records:
            raise StoreError(f"{shown_url(opened_store.url)} holds no study yet")
        for record in records:
            yield record, opened_store.url, trials(opened_store, record)


def describe(group: Group, name: str) -> dict[str, Any]:
    """Describe a group as plain JSON, its trials under a name."""
    rows = [
        {"study": entry.study, "study_id": identity(entry.record)}
        | trial_row(entry.trial, entry.record.objectives)
        for entry in group.entries
    ]
    return {"objectives": objective_rows(group.objectives), "studies": list(group.studies), name: rows}


def table(group: Group) -> Fitted:
    """Show the trials of a group a line each, with their study."""
    from archloom.cli._columns import Column, Fitted
    from archloom.cli._tables import metric_columns, words

    trials = [entry.trial for entry in group.entries]
    constraints = [text for entry in group.entries for text in entry.record.constraints]
    return Fitted(
        [
            Column("study", [entry.study for entry in group.entries]),
            Column("trial", [str(trial.number) for trial in trials], is_number=True),
            *metric_columns(trials, group.objectives, list(dict.fromkeys(constraints))),
            Column("architecture", [words(trial).plain for trial in trials], rank=1, has_lines=True),
        ]
    )


def notes(groups: Sequence[Group], left_out: Sequence[tuple[str, str]]) -> list[str]:
    """Say what is not ranked together, and what is not there."""
    told = ["studies that search for something else are ranked apart"] if len(groups) > 1 else []
    return [*told, *(f"left out: {name} ({reason})" for name, reason in left_out)]
