# SPDX-License-Identifier: Apache-2.0
"""The last mile: architectures that a search has found are trained by themselves, or taken out of a supernet.

Each training is a run of the study. Its metrics stand apart from the trial's: what was searched on, and what
is reported of the winner, never share a column.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from statistics import fmean
from typing import Literal, NamedTuple, final, get_args

from archloom.agreement import AGREEMENT, Agreement, agreement, spread_out
from archloom.contracts import Architecture, Evaluator, Metrics, Objective, SharedRun, State
from archloom.errors import ConfigError
from archloom.shared_training import SharedTraining
from archloom.store import Store, TrialRecord
from archloom.training_runs import TrainingRuns

__all__ = ["Kind", "Retrained", "Retraining", "found_agreement", "found_retrained", "is_retraining"]

Kind = Literal["derived", "finetuned", "retrained"]
"""``retrained`` from scratch; ``finetuned`` from inherited weights; ``derived``: those as they are."""

_PAUSE = 0.5
_NAME = re.compile(rf"({'|'.join(get_args(Kind))})-(\d+)(?:-e(\d+)-s(\d+))?")


class Retrained(NamedTuple):
    """A network of a trial, trained apart from it.

    Args:
        trial: number of the trial.
        kind: what it started from.
        epochs: how long it was trained.
        seed: which one of several, from 0.
        metrics: of its end, on every split.
        weights: the file of its weights, ``None`` where none are kept.
        seconds: that it took.
    """

    trial: int
    kind: Kind
    epochs: int
    seed: int
    metrics: Mapping[str, float]
    weights: Path | None
    seconds: float


@final
class Retraining:
    """Trains architectures of a study by themselves, and keeps each as a run.

    What has been trained is not trained again, so that a retraining that was broken off goes on.

    Args:
        runs: the study's.
        evaluators: the study's.
        objectives: the study's; trials are ranked by the first that is learned.
        rebuild: makes the architecture of a trial.
    """

    def __init__(
        self,
        runs: TrainingRuns,
        evaluators: Sequence[Evaluator],
        objectives: Sequence[Objective],
        rebuild: Callable[[TrialRecord], Architecture],
    ):
        self.runs, self._rebuild = runs, rebuild
        self.train_shared = SharedTraining(runs, evaluators)
        """Has what trials share trained, or loaded; once."""
        self._able = [evaluator for evaluator in evaluators if evaluator.epochs is not None]
        self._sharing = [evaluator for evaluator in self._able if evaluator.shares]
        given = {metric for evaluator in self._able for metric in evaluator.gives or ()}
        ranked_by = [objective for objective in objectives if objective.metric in given]
        self._objective = (ranked_by or list(objectives))[0]

    def retrain(
        self, trial: TrialRecord, *, epochs: int | None = None, seed: int = 0, inherits: bool = False
    ) -> Retrained:
        """Train a trial's architecture, from scratch or from the weights that it inherits.

        Args:
            trial: whose.
            epochs: how long; as long as the evaluator trains, by default.
            seed: which one of several.
            inherits: start from the weights of the study's supernet.

        Raises:
            ConfigError: no evaluator of the study trains networks, or none has weights to inherit.
            ArchloomError: it failed.
        """
        evaluator, epochs = self._one(inherits=inherits), self.n_epochs(epochs, inherits=inherits)
        kind: Kind = "finetuned" if inherits else "retrained"
        if inherits:
            self.train_shared()
        architecture = self._rebuild(trial)

        def work(run: SharedRun) -> Metrics:
            return evaluator.retrain(architecture, run, epochs=epochs, inherits=inherits)

        return self._done(f"{kind}-{trial.number}-e{epochs}-s{seed}", work)

    def derive(self, trial: TrialRecord) -> Retrained:
        """Take a trial's network out of the study's supernet.

        Raises:
            ConfigError: no evaluator of the study shares weights.
        """
        evaluator = self._one(inherits=True)
        self.train_shared()
        architecture = self._rebuild(trial)
        return self._done(f"derived-{trial.number}", lambda run: evaluator.derive(architecture, run))

    def n_epochs(self, epochs: int | None = None, *, inherits: bool = False) -> int:
        """Return how many epochs a training takes where so many are asked for.

        Raises:
            ConfigError: no evaluator of the study trains networks, or none has weights to inherit.
        """
        return epochs or self._one(inherits=inherits).epochs or 1

    def spread(self, n: int) -> list[TrialRecord]:
        """Return ``n`` trials, evenly from the best to the worst."""
        trials = self._ranked()
        return [trials[i] for i in spread_out([self._score(trial.metrics) for trial in trials], n)]

    def check(self, n: int | None = None) -> Agreement | None:
        """Train ``n`` architectures, from the best to the worst, and say how well the search ranked them.

        What is found is kept as an event of the study; ``None`` where there are fewer than two. By default
        as many as the evaluators that share weights say.
        """
        n = max((each.n_checked for each in self._sharing), default=0) if n is None else n
        if not n:
            return None
        for trial in self.spread(n):
            self.retrain(trial)
        return self.agreement()

    def agreement(self) -> Agreement | None:
        """Compare the search's scores with those of what was trained from scratch, and keep what is found."""
        store, study_id = self.runs.store, self.runs.study_id
        alone: dict[int, dict[int, list[float]]] = {}  # trained for as long, so that they compare
        for each in found_retrained(store, study_id):
            if each.kind == "retrained" and self._objective.metric in each.metrics:
                scores = alone.setdefault(each.epochs, {}).setdefault(each.trial, [])
                scores.append(self._score(each.metrics))
        most = alone[max(alone, key=lambda epochs: (len(alone[epochs]), epochs))] if alone else {}
        trials = [trial for trial in self._ranked() if trial.number in most]
        if len(trials) < 2:
            return None
        means = [fmean(most[trial.number]) for trial in trials]
        found = agreement([self._score(trial.metrics) for trial in trials], means)
        if found != found_agreement(store, study_id):
            store.add_event(study_id, AGREEMENT, json.dumps(found.metrics()))
        return found

    def _score(self, metrics: Mapping[str, float]) -> float:
        """Return what is ranked by, the greater the better."""
        return -self._objective.sign * metrics[self._objective.metric]

    def _ranked(self) -> list[TrialRecord]:
        """Return the trials that were measured in full, each architecture once."""
        found: dict[str, TrialRecord] = {}
        for trial in self.runs.store.trials(self.runs.study_id, states=[State.COMPLETE]):
            is_whole = trial.reused_from is None and trial.fidelity is None and not trial.excluded
            if is_whole and self._objective.metric in trial.metrics:
                found.setdefault(trial.key, trial)
        return list(found.values())

    def _one(self, *, inherits: bool) -> Evaluator:
        found = self._sharing if inherits else self._able
        if not found:
            told = "has weights to inherit" if inherits else "trains networks"
            raise ConfigError(f"no evaluator of this study {told}")
        return found[0]

    def _done(self, name: str, work: Callable[[SharedRun], Metrics]) -> Retrained:
        while True:
            record, run = self.runs.open(name)
            if record.state == "COMPLETE":
                return next(one for one in found_retrained(self.runs.store, self.runs.study_id, name))
            if self.runs.is_elsewhere(record):
                time.sleep(_PAUSE)
                continue
            self.runs.do(record, run, work, name)


def is_retraining(run: str) -> bool:
    """Whether a run of that name is of one trial's network, not of what all share.

    >>> is_retraining("retrained-4-e8-s0"), is_retraining("supernet-2")
    (True, False)
    """
    return _NAME.fullmatch(run) is not None


def found_retrained(store: Store, study_id: int, name: str | None = None) -> Iterator[Retrained]:
    """Yield the trainings of a study that are complete, or that of a name."""
    for record in store.runs.records(study_id):
        parts = _NAME.fullmatch(record.name)
        if parts is None or record.state != "COMPLETE" or name not in (None, record.name):
            continue
        kind, trial, epochs, seed = parts.groups()
        curve = store.runs.curve(record.id)
        metrics = curve[max(curve)] if curve else {}
        yield Retrained(
            trial=int(trial),
            kind=kind,  # type: ignore[arg-type]
            epochs=int(epochs or 0),
            seed=int(seed or 0),
            metrics={key: value for key, value in metrics.items() if value is not None},
            weights=Path(record.checkpoint) / "weights.safetensors" if record.checkpoint else None,
            seconds=record.seconds or 0.0,
        )


def found_agreement(store: Store, study_id: int) -> Agreement | None:
    """Return what a study's ranking was found to be worth; ``None`` where it was not looked at."""
    found = store.events(study_id, AGREEMENT)
    return Agreement.of(json.loads(found[-1].detail)) if found else None
