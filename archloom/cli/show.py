# SPDX-License-Identifier: Apache-2.0
"""``search show``: everything about one trial."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from archloom.cli._curves import Curves, curves_parts, weights_parts
from archloom.cli._drawn import picture, weights_picture
from archloom.cli._output import FormatOption, trial_row, write
from archloom.cli._restored import TrustOption
from archloom.cli._retrained import retrained_row, retrained_table
from archloom.cli._studies import StoreOption, StudyArgument, chosen, identity, opened

if TYPE_CHECKING:
    from rich.console import RenderableType

    from archloom.report import Course
    from archloom.retraining import Retrained
    from archloom.store import Event, StudyRecord, TrialRecord


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
    draw_weights: Annotated[
        Path | None,
        typer.Option(
            "--draw-weights",
            metavar="FILE",
            help="Draw what candidates weighed in each epoch until this one, in a search by gradients, to an "
            ".svg or .png file (extra bench).",
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

    A trial of a search by gradients is an epoch: it is shown how the choice moved until then, and with
    --draw-weights drawn, a panel a site and a line a candidate.
    """
    from archloom.report import found_course
    from archloom.retraining import found_retrained

    pictures = _checked({"picture": draw, "weights_picture": draw_weights})
    with opened(study, store) as (opened_store, record):
        found = chosen(opened_store, record, trial)
        curves = opened_store.reported(identity(record), found.number)
        retrained = [
            one for one in found_retrained(opened_store, identity(record)) if one.trial == found.number
        ]
        events = [event for event in opened_store.events(identity(record)) if event.number == found.number]
        course = found_course(opened_store, record, found)
        if draw_weights is not None:
            weights_picture(record, found, course, draw_weights)
        if draw is not None:
            picture(study, store, record, found, draw, trust=trust)
        if form == "table":
            parts = _parts(found, retrained, course, curves)
            _print(found, record, events, pictures, parts)
            return
        row = trial_row(found, record.objectives) | {"traceback": found.traceback}
        row["events"] = [{"at": e.at, "kind": e.kind, "detail": e.detail} for e in events]
        row["retrained"] = [retrained_row(one) for one in retrained]
        row |= {name: str(path) for name, path in pictures.items()}
        weights = course.weights if course else {}
        write({"study": record.name, **row, "curves": curves, "weights": weights}, form, [row])


def _checked(pictures: Mapping[str, Path | None]) -> dict[str, Path]:
    """Return the pictures that are wanted.

    Raises:
        ConfigError: they cannot be drawn there.
    """
    from archloom.errors import ConfigError
    from archloom.report.paper import check_path

    wanted = {name: check_path(path) for name, path in pictures.items() if path is not None}
    if len({path.resolve() for path in wanted.values()}) < len(wanted):
        raise ConfigError(f"two pictures cannot go to one file, {str(wanted['picture'])!r}")
    return wanted


def _parts(
    trial: TrialRecord, retrained: Sequence[Retrained], course: Course | None, curves: Curves
) -> list[RenderableType]:
    """Return what stands below the facts about a trial."""
    from archloom.cli._tables import architecture, plain

    parts = [architecture(trial)]
    if course is not None:
        parts += weights_parts(course)
    if retrained:
        parts += [plain("weights apart from the trial's", "bold"), retrained_table(retrained, [trial])]
    return [*parts, *curves_parts(curves)] if curves else parts


def _print(
    trial: TrialRecord,
    study: StudyRecord,
    events: Sequence[Event],
    pictures: Mapping[str, Path],
    parts: Sequence[RenderableType],
) -> None:
    from archloom.cli._tables import exact, facts, plain, trial_facts
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
    rows += [(name.replace("_", " "), exact(str(path))) for name, path in pictures.items()]
    failure = [exact(trial.traceback.rstrip(), "dim")] if trial.traceback else []
    print_parts(facts(rows), *parts, *failure)


def _told(detail: str) -> str:
    """Say what an event's detail says: in words, or the reason among its JSON."""
    try:
        told = json.loads(detail)
    except (ValueError, RecursionError):
        return detail
    if not isinstance(told, dict):
        return detail
    return "; ".join(f"{key} {value}" for key, value in told.items() if value not in ("", None, [], {}))
