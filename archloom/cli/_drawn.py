# SPDX-License-Identifier: Apache-2.0
"""The picture of one trial's architecture."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from archloom.cli._restored import restored

if TYPE_CHECKING:
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
    from archloom.cli._words import number
    from archloom.report import draw
    from archloom.search_spaces.sketching import sketches_of

    study_file, _ = restored(study, store, (), trust=trust)
    scores = [
        f"{objective.metric} {number(trial.metrics[objective.metric])}"
        for objective in record.objectives
        if objective.metric in trial.metrics
    ]
    title = f"{record.name}, trial {trial.number}{': ' if scores else ''}{', '.join(scores)}"
    with study_file.importing():
        sketches = sketches_of(study_file.space.from_choices(trial.choices))
    draw(sketches, to, title)
