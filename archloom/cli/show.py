# SPDX-License-Identifier: Apache-2.0
"""``search show``: everything about one trial."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from archloom.cli._drawn import picture
from archloom.cli._output import FormatOption, trial_row, write
from archloom.cli._restored import TrustOption
from archloom.cli._retrained import retrained_row, retrained_table
from archloom.cli._studies import StoreOption, StudyArgument, chosen, identity, opened

if TYPE_CHECKING:
    from rich.console import RenderableType

    from archloom.retraining import Retrained
    from archloom.store import Event, StudyRecord, TrialRecord

SHOWN_STEPS = 12
Curves = dict[str, dict[int, float]]


def show(
    study: StudyArgument,
    trial: Annotated[
        str, typer.Argument(metavar="TRIAL", help="A trial's number, or 'best'.", show_default=False)
    ],
    *,
    draw: Annotated[
        Path | None,
        typer.Option(
            "--draw",
            metavar="FILE",
            help="Draw the architecture too, to an .svg or .png file, replaced if there (extra bench).",
            show_default=False,
        ),
    ] = None,
    trust: TrustOption = False,
    store: StoreOption = None,
    form: FormatOption = "table",
) -> None:
    """Show everything about one trial: scores, decisions, curves, and why it failed.

    With --draw the architecture becomes a picture: the cells with their operations, or the blocks stage by
    stage; what does not say how it is wired is drawn by its decisions. That needs the study's space, which is
    made again from the study file or from what the database kept of it.
    """
    from archloom.retraining import found_retrained

    if draw is not None:
        from archloom.report.picture import check_path

        check_path(draw)
    with opened(study, store) as (opened_store, record):
        found = chosen(opened_store, record, trial)
        curves = opened_store.reported(identity(record), found.number)
        retrained = [
            one for one in found_retrained(opened_store, identity(record)) if one.trial == found.number
        ]
        events = [event for event in opened_store.events(identity(record)) if event.number == found.number]
        if draw is not None:
            picture(study, store, record, found, draw, trust=trust)
        if form == "table":
            _print(found, record, curves, events, retrained, draw)
            return
        row = trial_row(found, record.objectives) | {"traceback": found.traceback}
        row["events"] = [{"at": e.at, "kind": e.kind, "detail": e.detail} for e in events]
        row["retrained"] = [retrained_row(one) for one in retrained]
        if draw is not None:
            row["picture"] = str(draw)
        write({"study": record.name, **row, "curves": curves}, form, [row])


def _print(
    trial: TrialRecord,
    study: StudyRecord,
    curves: Curves,
    events: Sequence[Event],
    retrained: Sequence[Retrained],
    draw: Path | None,
) -> None:
    from archloom.cli._tables import architecture, exact, facts, plain, trial_facts
    from archloom.cli._tables import show as print_parts
    from archloom.cli._words import moment, number, percent

    rows: list[tuple[str, RenderableType]] = [
        ("trial", f"{trial.number} of {study.name}"),
        ("state", str(trial.state)),
    ]
    if trial.reused_from is not None:
        rows.append(("served from", f"trial {trial.reused_from}"))
    if trial.excluded:
        why = {
            "invalid": "its result was found to be wrong",
            "outside": "it lies outside the space as it is now",
        }
        rows.append(("does not count", why.get(trial.excluded, trial.excluded)))
    if trial.n_lost:
        rows.append(("retried", f"{trial.n_lost} times, since its worker was gone"))
    if trial.reason:
        rows.append(("reason", plain(trial.reason)))
    if trial.violation:
        rows.append(("feasible", f"no: breaks its constraints by {percent(trial.violation)}"))
    rows += trial_facts(trial, study.objectives, study.constraints)
    shown = {name for name, _ in rows}
    rows += [
        (name, plain(number(value))) for name, value in sorted(trial.metrics.items()) if name not in shown
    ]
    rows += [
        ("seed", str(trial.seed)),
        ("started", moment(trial.started_at)),
        ("finished", moment(trial.finished_at)),
    ]
    rows += [("event", plain(f"{moment(event.at)} {event.kind}: {_told(event.detail)}")) for event in events]
    rows += [("file", exact(path)) for path in trial.artifacts.values()]
    if draw is not None:
        rows.append(("picture", exact(str(draw))))
    parts: list[RenderableType] = [facts(rows), architecture(trial)]
    if retrained:
        parts += [plain("weights apart from the trial's", "bold"), retrained_table(retrained, [trial])]
    if curves:
        parts += _curves_parts(curves)
    if trial.traceback:
        parts.append(exact(trial.traceback.rstrip(), "dim"))
    print_parts(*parts)


def _told(detail: str) -> str:
    """Say what an event's detail says: in words, or the reason among its JSON."""
    try:
        told = json.loads(detail)
    except (ValueError, RecursionError):
        return detail
    if not isinstance(told, dict):
        return detail
    return "; ".join(f"{key} {value}" for key, value in told.items() if value not in ("", None, [], {}))


def _curves_parts(curves: Curves) -> list[RenderableType]:
    """Show curves by their first step, their last, and some evenly between."""
    from archloom.cli._columns import Column, Fitted
    from archloom.cli._tables import plain
    from archloom.cli._words import number

    steps = sorted({step for curve in curves.values() for step in curve})
    n_shown = min(len(steps), SHOWN_STEPS)
    shown = [steps[round(i * (len(steps) - 1) / max(n_shown - 1, 1))] for i in range(n_shown)]
    columns = [Column("step", [str(step) for step in shown], is_number=True)]
    for i, (metric, curve) in enumerate(curves.items()):
        columns.append(Column(metric, [number(curve.get(step)) for step in shown], is_number=True, rank=i))
    table = Fitted(columns, advice="--format json has all")
    note = f"{n_shown} of {len(steps)} steps; --format json has all"
    return [table, plain(note, "dim")] if n_shown < len(steps) else [table]
