# SPDX-License-Identifier: Apache-2.0
"""``search import``: trials that were measured elsewhere, as a study of the store."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from archloom.cli._studies import PlainStoreOption

if TYPE_CHECKING:
    from archloom.contracts import Objective
    from archloom.store import StudyRecord
    from archloom.store.exchange import Incoming

_GOALS = "archloom.objectives"
Direction = Literal["maximize", "minimize"]
Source = Literal["csv", "optuna"]


def _goal_option(direction: Direction) -> Any:
    """Return the option of a direction; the one that is typed first is the first objective."""

    def note(context: typer.Context, metrics: list[str] | None) -> list[str] | None:
        found = context.meta.setdefault(_GOALS, [])
        found += [(metric, direction) for metric in metrics or []]
        return metrics

    return typer.Option(
        f"--{direction}",
        metavar="METRIC",
        help=f"An objective to {direction}; again for more. The first one named is the first objective.",
        show_default=False,
        callback=note,
    )


def _columns_option(name: str, what: str) -> Any:
    return typer.Option(f"--{name}", metavar="A,B,..", help=f"CSV: columns {what}.", show_default=False)


def import_(
    context: typer.Context,
    source: Annotated[
        str,
        typer.Argument(
            metavar="SOURCE", help="A CSV file, or the URL or file of an Optuna storage.", show_default=False
        ),
    ],
    *,
    form: Annotated[
        Source | None,
        typer.Option("--from", help="What SOURCE is.", show_default="optuna for a URL or *.db, else csv"),
    ] = None,
    study: Annotated[
        str | None,
        typer.Option(
            "--study", metavar="NAME", help="The study's name here.", show_default="the file's, or Optuna's"
        ),
    ] = None,
    maximize: Annotated[list[str] | None, _goal_option("maximize")] = None,
    minimize: Annotated[list[str] | None, _goal_option("minimize")] = None,
    constraint: Annotated[
        list[str] | None,
        typer.Option(
            "--constraint",
            metavar="RULE",
            help="CSV: a constraint, 'params <= 1000'; again for more.",
            show_default=False,
        ),
    ] = None,
    decisions: Annotated[str | None, _columns_option("decisions", "that hold choices")] = None,
    metrics: Annotated[str | None, _columns_option("metrics", "that hold measured numbers")] = None,
    ignore: Annotated[str | None, _columns_option("ignore", "to leave out")] = None,
    optuna_study: Annotated[
        str | None,
        typer.Option(
            "--optuna-study",
            metavar="NAME",
            help="Optuna: the study's name there.",
            show_default="the only one",
        ),
    ] = None,
    store: PlainStoreOption = None,
) -> None:
    """Take in trials that were measured elsewhere: a CSV file, or a study of an Optuna storage.

    All of it comes in, or nothing. A CSV file of 'search export --to csv' comes back as it was, once its
    objectives and constraints are named; of another one, say what its columns are. An imported study can be
    looked at like any other; it has no search space, so that it cannot go on.
    """
    from archloom.errors import ConfigError

    del maximize, minimize  # noted in their order
    goals = context.meta.get(_GOALS, [])
    claims = {"decisions": _split(decisions), "metrics": _split(metrics), "ignore": _split(ignore)}
    if (form or _kind(source)) == "optuna":
        given = [*(f"--{way}" for _, way in goals), *(f"--{name}" for name in claims if claims[name])]
        given += ["--constraint"] if constraint else []
        if given:
            raise ConfigError(f"an Optuna study says itself what it searched for: leave {given[0]} out")
        name, incoming = _from_optuna(source, optuna_study)
    else:
        if optuna_study is not None:
            raise ConfigError("--optuna-study goes with --from optuna")
        name, incoming = _from_csv(source, goals, claims, constraint or ())
    _add(study or name, incoming, source, store)


def _kind(source: str) -> Source:
    """Return what a source is by its name."""
    is_database = "://" in source or Path(source).suffix.lower() in (".db", ".sqlite", ".sqlite3")
    return "optuna" if is_database else "csv"


def _split(names: str | None) -> tuple[str, ...]:
    """Return the names in a list with commas; quotes hold one with a comma in it."""
    import csv

    return tuple(name.strip() for name in next(csv.reader([names]), [])) if names else ()


def _from_csv(
    source: str,
    goals: list[tuple[str, Direction]],
    claims: dict[str, tuple[str, ...]],
    constraints: Sequence[str],
) -> tuple[str, Incoming]:
    from archloom.contracts import Objective
    from archloom.errors import ConfigError
    from archloom.store.exchange import Claims, read_csv

    path = Path(source)
    if "://" in source:
        raise ConfigError(f"--from csv reads a file, got the URL {source}")
    found: list[Objective] = [Objective(metric, direction) for metric, direction in goals]
    return path.stem, read_csv(path, found, Claims(**claims), constraints=constraints)


def _from_optuna(source: str, name: str | None) -> tuple[str, Incoming]:
    from archloom.cli._waiting import waiting
    from archloom.store.exchange import read_optuna

    with waiting("reading the Optuna study"):
        return read_optuna(source, name)


def _add(name: str, incoming: Incoming, source: str, store: str | None) -> None:
    from archloom.cli._studies import shown_url
    from archloom.cli._waiting import waiting
    from archloom.config import default_store
    from archloom.errors import StudyExistsError
    from archloom.store import Store
    from archloom.store.exchange import add_study

    url = store or default_store()
    with Store(url) as opened:
        with waiting("writing the trials"):
            try:
                record = add_study(opened, name, incoming, shown_url(source))
            except StudyExistsError:
                raise StudyExistsError(
                    f"there is a study {name!r} in {shown_url(url)} already: give this one another name with "
                    "--study"
                ) from None
        counts = Counter(opened.counts(record.id or 0))
    _print(record, incoming, counts, shown_url(url), "" if store is None else f" --store {shown_url(store)}")


def _print(record: StudyRecord, incoming: Incoming, counts: Counter[Any], url: str, option: str) -> None:
    from archloom.cli._tables import exact, facts, show
    from archloom.cli._words import n_of

    states = ", ".join(f"{n:,} {state}" for state, n in counts.items() if n)
    rows: list[tuple[str, Any]] = [
        ("imported", f"study {record.name}, {n_of(counts.total(), 'trial')}: {states or 'none'}")
    ]
    rows += [("objectives", ", ".join(f"{goal.metric} ({goal.direction})" for goal in record.objectives))]
    rows += [("note", note) for note in incoming.told]
    rows += [("into", exact(url)), ("look", exact(f"search best {shlex.quote(record.name)}{option}"))]
    show(facts(rows))
