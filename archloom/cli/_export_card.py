# SPDX-License-Identifier: Apache-2.0
"""``search export``: what an exported network's card says of the study and the trial."""

from __future__ import annotations

import math
import platform
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, cast

from archloom.cli._export_weights import Source

if TYPE_CHECKING:
    from archloom.config import StudyFile
    from archloom.evaluators import Splits
    from archloom.store import StudyRecord, TrialRecord


def model_card(
    study_file: StudyFile, study: StudyRecord, trial: TrialRecord, splits: Splits, source: Source
) -> dict[str, Any]:
    """Say where a model comes from, for its card."""
    config = study_file.resolved()
    card = {
        "title": f"{study.name}, trial {trial.number}",
        "study": study.name,
        "trial": trial.number,
        "architecture": trial.text,
        "choices": dict(trial.choices),
        "objectives": {objective.metric: objective.direction for objective in study.objectives},
        "constraints": list(study.constraints),
        "metrics": {name: _counted(value) for name, value in trial.metrics.items()},
        "weights": source.card(),
        "data": dict(splits.description),
        "seeds": {"study": study.seed, "trial": trial.seed},
        "space": {**config["space"], "fingerprint": study.fingerprint},
        "strategy": config["strategy"],
        **{f"evaluator {part['name']}": part for part in config["evaluator"]},
        "trained" if source.kind == "trial" else "searched": {
            "started_at": trial.started_at,
            "finished_at": trial.finished_at,
            "seconds": trial.seconds,
        },
        "versions": {
            "archloom": study.version,
            "python": platform.python_version(),
            **{name: version(name) for name in ("torch", "numpy", "pyglove", "safetensors")},
        },
    }
    return cast(dict[str, Any], _told(card))


def _counted(value: float) -> float:
    """Return a whole number as such, epochs for one."""
    return int(value) if math.isfinite(value) and value.is_integer() else value


def _told(value: Any) -> Any:
    """Leave out what says nothing: ``None``, and mappings and lists that are empty."""
    if not isinstance(value, dict):
        return value
    inner = {key: _told(item) for key, item in value.items()}
    return {key: item for key, item in inner.items() if item is not None and item not in ({}, [], ())}
