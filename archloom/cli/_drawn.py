# SPDX-License-Identifier: Apache-2.0
"""The pictures of one trial: its architecture, and what the candidates weighed until then."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from archloom.cli._restored import restored

if TYPE_CHECKING:
    from archloom.report import Course
    from archloom.store import StudyRecord, TrialRecord


def picture(
    study: str, store: str | None, record: StudyRecord, trial: TrialRecord, to: Path, *, trust: bool
) -> None:
    """Draw a trial's architecture to a file.

    Args:
        study: the study as it was named.
        store: the database, where it was named.
        record: the study.
        trial: the trial.
        to: an SVG or PNG file.
        trust: import the code that the database names.
    """
    from archloom.report import draw
    from archloom.search_spaces.sketching import sketches_of

    study_file, _ = restored(study, store, (), trust=trust)
    with study_file.importing():
        sketches = sketches_of(study_file.space.from_choices(trial.choices))
    draw(sketches, to, _title(record, trial))


def weights_picture(record: StudyRecord, trial: TrialRecord, course: Course | None, to: Path) -> None:
    """Draw what the candidates weighed until a trial.

    Raises:
        StoreError: nothing of the kind was kept.
    """
    from archloom.errors import StoreError
    from archloom.report import draw_course

    if course is None:
        raise StoreError(
            f"trial {trial.number} of study {record.name!r} has no weights of candidates to draw: they are "
            "kept of each epoch of a search by gradients (strategies darts, gdas, ...), and of nothing else"
        )
    draw_course(course, to, _title(record, trial))


def _title(study: StudyRecord, trial: TrialRecord) -> str:
    from archloom.cli._words import number

    scores = [
        f"{objective.metric} {number(trial.metrics[objective.metric])}"
        for objective in study.objectives
        if objective.metric in trial.metrics
    ]
    return f"{study.name}, trial {trial.number}{': ' if scores else ''}{', '.join(scores)}"
