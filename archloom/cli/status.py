# SPDX-License-Identifier: Apache-2.0
"""``search status``: the studies of a store, or how one of them is doing."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Annotated, Any

import typer

from archloom.cli._complete import complete_study
from archloom.cli._output import FormatOption, objective_rows, trial_row, write
from archloom.cli._studies import StoreOption, identity, opened, shown_url

if TYPE_CHECKING:
    from archloom.store import Store, StudyRecord

SHOWN_REASONS = 3


def status(
    study: Annotated[
        str | None,
        typer.Argument(
            metavar="[STUDY]",
            help="A study's name or file; every study without.",
            show_default=False,
            autocompletion=complete_study,
        ),
    ] = None,
    *,
    store: StoreOption = None,
    form: FormatOption = "table",
) -> None:
    """Show the studies of a store, or how one of them is doing."""
    if study is None:
        _all(store, form)
        return
    from archloom.contracts import State

    with opened(study, store) as (opened_store, record):
        row = _row(opened_store, record)
        failed = opened_store.trials(identity(record), states=[State.FAIL])
        failures = Counter(trial.reason for trial in failed)
        if form == "table":
            _print_one(row, record, failures, opened_store)
            return
        write(row | {"failures": dict(failures), "config": dict(record.config)}, form, [_flat(row)])


def _all(store: str | None, form: Any) -> None:
    from archloom import config
    from archloom.store import Store

    with Store(store or config.default_store(), must_exist=True) as opened_store:
        rows = [_row(opened_store, record) for record in opened_store.studies()]
        if form == "table":
            _print_all(rows, opened_store)
        else:
            write({"store": shown_url(opened_store.url), "studies": rows}, form, [_flat(row) for row in rows])


def _row(store: Store, study: StudyRecord) -> dict[str, Any]:
    """Describe a study as plain JSON."""
    from archloom.cli._crew import crew_rows, standing_words
    from archloom.store.revisions import Revisions
    from archloom.store.views import wide_names

    found = store.best(identity(study), 1)
    workers = store.workers.records(identity(study))
    return {
        "study": study.name,
        "status": standing_words(study, workers),
        "workers": crew_rows(workers),
        "revisions": [
            {"number": each.number, "at": each.at, "first_trial": each.first_trial, "detail": each.detail}
            for each in Revisions(store, identity(study)).records()
        ],
        "runs": [
            {key: value for key, value in each._asdict().items() if key not in ("id", "worker")}
            for each in store.runs.records(identity(study))
        ],
        "reason": study.reason,
        "created_at": study.created_at,
        "counts": {str(state): n for state, n in store.counts(identity(study)).items()},
        "n_evaluations": store.n_evaluated(identity(study)),
        "view": wide_names(sorted((identity(each), each.name) for each in store.studies()))[identity(study)],
        "objectives": objective_rows(study.objectives),
        "constraints": list(study.constraints),
        "best": trial_row(found[0], study.objectives) if found else None,
    }


def _flat(row: dict[str, Any]) -> dict[str, Any]:
    """Describe a study in one line of CSV."""
    best = row["best"] or {"number": None, "objectives": {}}
    plain = {key: row[key] for key in ("study", "status", "reason", "created_at", "counts")}
    plain["workers"] = len(row["workers"])
    return plain | {"best_trial": best["number"], "best": best["objectives"]}


def _print_all(rows: list[dict[str, Any]], store: Store) -> None:
    from archloom.cli._columns import Column, Fitted
    from archloom.cli._tables import exact, show

    if not rows:
        show(exact(f"{shown_url(store.url)} holds no study yet."))
        return
    firsts = [row["objectives"][0] for row in rows]
    show(
        Fitted(
            [
                Column("study", [row["study"] for row in rows]),
                Column("status", [row["status"] for row in rows], rank=3),
                Column("trials", [str(sum(row["counts"].values())) for row in rows], is_number=True),
                Column("failed", [str(row["counts"].get("FAIL", 0)) for row in rows], is_number=True, rank=4),
                Column("best", [_best_value(row) for row in rows], is_number=True, rank=1),
                Column("of", [_goal(row, first) for row, first in zip(rows, firsts, strict=True)], rank=2),
            ]
        )
    )


def _goal(row: dict[str, Any], first: dict[str, str]) -> str:
    """Name what is searched for, the first of several objectives with their number."""
    n_more = len(row["objectives"]) - 1
    return f"{first['metric']}{f' (and {n_more} more)' if n_more else ''}"


def _print_one(row: dict[str, Any], study: StudyRecord, failures: Counter[str], store: Store) -> None:
    from archloom.cli._crew import worker_words
    from archloom.cli._tables import exact, facts, lines, plain, show
    from archloom.cli._words import moment, number

    counts = ", ".join(f"{n} {state}" for state, n in row["counts"].items() if n)
    n_served = store.n_evaluated(identity(study), is_all=True) - row["n_evaluations"]
    if n_served:
        counts += f"; {row['n_evaluations']} evaluated, {n_served} served from an earlier one"
    reason = "interrupted" if study.reason == "KeyboardInterrupt" else study.reason
    facts_shown: list[tuple[str, Any]] = [
        ("study", plain(study.name)),
        ("status", plain(f"{row['status']}{reason and ': ' + reason}")),
        ("created", moment(study.created_at)),
        ("trials", counts or "none yet"),
    ]
    for objective in study.objectives:
        facts_shown.append(("objective", plain(f"{objective.direction} {objective.metric}")))
    facts_shown += [("constraint", plain(text)) for text in study.constraints]
    for each in row["revisions"][1:]:
        words = f"{each['number']}, from trial {each['first_trial']}: {each['detail']}"
        facts_shown.append(("revision", plain(words)))
    facts_shown += _run_facts(store, identity(study))
    facts_shown += [("worker", plain(worker_words(worker))) for worker in row["workers"]]
    if row["best"] is not None:
        facts_shown.append(("best", plain(f"{_best_value(row)} (trial {row['best']['number']})")))
        facts_shown.append(("", lines(row["best"]["architecture"].split("; "))))
    elif counts and study.status == "done":
        facts_shown.append(("best", plain("none: no trial is COMPLETE that keeps all constraints")))
    for reason, n in failures.most_common(SHOWN_REASONS):
        facts_shown.append(("failed", plain(f"{number(n)} x {reason}")))
    facts_shown.append(("database", exact(shown_url(store.url))))
    facts_shown.append(("view", plain(row["view"])))
    show(facts(facts_shown))


def _run_facts(store: Store, study_id: int) -> list[tuple[str, Any]]:
    """Say how far the study's trainings are that are no trials; those that are complete by their number."""
    from archloom.cli._summary import ranking
    from archloom.cli._tables import plain
    from archloom.cli._words import n_of, number, span
    from archloom.retraining import is_retraining

    rows: list[tuple[str, Any]] = []
    n_done = 0
    for run in store.runs.records(study_id):
        if run.state == "COMPLETE" and is_retraining(run.name):
            n_done += 1
            continue
        curve = store.runs.curve(run.id)
        told = (
            f", epoch {max(curve)}, train/loss {number(curve[max(curve)].get('train/loss'))}" if curve else ""
        )
        took = f" in {span(run.seconds)}" if run.seconds is not None else ""
        rows.append((run.name, plain(f"{run.state}{took}{told}{run.reason and ': ' + run.reason}")))
    if n_done:
        rows.append(("apart", f"{n_of(n_done, 'network')}: search show of a trial has its own"))
    return rows + ranking(store, study_id)


def _best_value(row: dict[str, Any]) -> str:
    from archloom.cli._words import number

    if row["best"] is None:
        return "–"
    return number(row["best"]["objectives"].get(row["objectives"][0]["metric"]))
