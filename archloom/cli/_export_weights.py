# SPDX-License-Identifier: Apache-2.0
"""Which weights a trial's network is exported with: its own, or those of a training apart from it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, final

from archloom.cli._studies import folder_of, identity
from archloom.cli._words import n_of
from archloom.errors import ArchloomError

if TYPE_CHECKING:
    from archloom.config import StudyFile
    from archloom.retraining import Retrained
    from archloom.store import Store, StudyRecord, TrialRecord

Weights = Literal["trial", "retrained", "finetuned", "derived"]
WEIGHTS = "weights.safetensors"


@final
@dataclass(frozen=True)
class Source:
    """Weights of a trial's network.

    Args:
        file: that holds them.
        kind: where they are from.
        epochs: how long a training apart from the trial took; 0 for none.
        seed: which one it was.
        seconds: that it took.
        metrics: that it had in the end.
    """

    file: Path
    kind: Weights = "trial"
    epochs: int = 0
    seed: int = 0
    seconds: float | None = None
    metrics: Mapping[str, float] = field(default_factory=dict)

    def words(self) -> str:
        """Say where they are from."""
        if self.kind == "trial":
            return "as the trial left them"
        if self.kind == "derived":
            return "inherited from the supernet"
        start = "from scratch" if self.kind == "retrained" else "from inherited weights"
        return f"trained alone {start}, {n_of(self.epochs, 'epoch')}, seed {self.seed}"

    def card(self) -> dict[str, Any]:
        """Say it for a model card; nothing of a trial's own, which the card is all about."""
        if self.kind == "trial":
            return {}
        return {"from": self.words(), "seconds": self.seconds, "metrics": dict(self.metrics)}


def find_weights(
    store: Store, study: StudyRecord, trial: TrialRecord, wanted: Weights | None
) -> Source | None:
    """Return the weights that are wanted, or the first there are; ``None`` where they can be derived.

    Raises:
        ArchloomError: there are none, or their file is missing.
    """
    from archloom.retraining import found_retrained, is_retraining

    if wanted in (None, "trial") and WEIGHTS in trial.artifacts:
        return Source(_present(Path(trial.artifacts[WEIGHTS]), trial, study, store))
    runs = [
        one for one in found_retrained(store, identity(study)) if one.trial == trial.number and one.weights
    ]
    for kind in ("retrained", "finetuned", "derived"):
        found = [one for one in runs if one.kind == kind]
        if found and wanted in (None, kind):
            best = max(found, key=lambda one: (one.epochs, *_on_validation(one, study)))
            file = _present(Path(str(best.weights)), trial, study, store)
            return Source(file, kind, best.epochs, best.seed, best.seconds, best.metrics)
    shares = any(not is_retraining(run.name) for run in store.runs.records(identity(study)))
    if shares and wanted in (None, "derived"):
        return None
    kinds = {one.kind for one in runs} | ({"derived"} if shares else set())
    there = kinds | ({"trial"} if WEIGHTS in trial.artifacts else set())
    raise ArchloomError(
        f"trial {trial.number} of study {study.name!r} ({trial.state}) has no weights"
        + _advice(wanted, f"{study.name} {trial.number}", sorted(there))
    )


def _advice(wanted: Weights | None, trial: str, there: Sequence[str]) -> str:
    """Say what to do where there are not the weights that are wanted."""
    if wanted in ("retrained", "finetuned"):
        option = " --inherit" if wanted == "finetuned" else ""
        return f": none are {wanted}; 'search retrain {trial}{option}' trains it"
    others = f"; there are --weights {', '.join(there)}" if there else ""
    if wanted == "derived":
        return f": its evaluator has no supernet that they could be derived from{others}"
    trained = f"; 'search retrain {trial}' trains it"
    return f": its evaluator kept none{others or trained}"


def derived(study_file: StudyFile, trial: TrialRecord) -> Source:
    """Have a trial's network taken out of the study's supernet."""
    from contextlib import closing

    made = study_file.study(resume=True)
    with closing(made.store), made.retraining.runs.at_work():
        found = made.retraining.derive(trial)
    if found.weights is None:
        raise ArchloomError(
            "the study keeps no artifacts, so that its supernet is gone: give it a store in a file"
        )
    return Source(found.weights, "derived", metrics=found.metrics)


def _on_validation(one: Retrained, study: StudyRecord) -> tuple[float, ...]:
    """Return what seeds are compared by, the greater the better: never a score on the test data."""
    for goal in study.objectives:
        if goal.metric in one.metrics:
            return (-goal.sign * one.metrics[goal.metric],)
    return (-one.metrics.get("validation/loss", 0.0),)


def _present(written: Path, trial: TrialRecord, study: StudyRecord, store: Store) -> Path:
    """Return the file of weights: where it was written, or beside a store that was moved.

    Raises:
        ArchloomError: it is not there.
    """
    moved = folder_of(store.url) / Path(*written.parts[-4:])
    for path in (written, moved):
        if path.is_file():
            return path
    raise ArchloomError(
        f"the weights of trial {trial.number} of study {study.name!r} are missing: "
        f"looked for {written} and {moved}"
    )
