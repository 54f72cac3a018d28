# SPDX-License-Identifier: Apache-2.0
"""A search by gradients as a strategy like any other: an ask is an epoch, and its proposal what is derived.

All that a study promises of trials holds for epochs, too. The state between two epochs is in the evaluator's
checkpoint, so that a search which was broken off goes on with the epoch that it was in.
"""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from typing import Any, final

import numpy as np

from archloom.contracts import Evaluator, Finished, Genotypes, Objective, SharedRun, State, Strategy
from archloom.errors import ArchloomError, ConfigError
from archloom.relaxation import GradientStrategy, Mixture, Progress, Relaxation, RelaxedEvaluator
from archloom.training_runs import TrainingRuns

__all__ = ["GradientSearch", "attached", "epoch_of", "joined", "step"]


def joined(strategy: Strategy | GradientStrategy, evaluators: Sequence[Evaluator]) -> Strategy:
    """Return a strategy that a study can ask: a gradient strategy with the evaluator that it needs.

    Raises:
        ConfigError: a strategy and evaluators that do not go together.
    """
    relaxed = [evaluator for evaluator in evaluators if isinstance(evaluator, RelaxedEvaluator)]
    if isinstance(strategy, GradientStrategy):
        if len(relaxed) != 1:
            raise ConfigError(
                "evaluator must be one that gives gradients, 'relaxed', under a strategy that follows them; "
                f"there {f'are {len(relaxed)}' if relaxed else 'is none'}"
            )
        for need in strategy.needs:
            if need not in relaxed[0].provides:
                name = type(relaxed[0]).__name__
                raise ConfigError(f"strategy needs {need!r}, which {name} does not give")
        relaxed[0].needs = strategy.needs
        return GradientSearch(strategy, relaxed[0])
    if relaxed:
        raise ConfigError(
            "evaluator 'relaxed' trains under the relaxation of a strategy that follows gradients (darts, "
            f"gdas, ...), and {type(strategy).__name__} is none: take 'supernet'"
        )
    return strategy


def attached(strategy: Strategy, runs: TrainingRuns) -> TrainingRuns:
    """Have a strategy that trains do so in a run, and any other be at hand for trainings; return the runs."""
    if isinstance(strategy, GradientSearch):
        strategy.runs = runs
    else:
        runs.strategy = strategy
    return runs


@final
class GradientSearch(Strategy):
    """Proposes after each epoch what a gradient strategy derives.

    Args:
        method: the gradient strategy.
        evaluator: trains under its relaxations.
    """

    runs: TrainingRuns
    """The study's."""

    def __init__(self, method: GradientStrategy, evaluator: RelaxedEvaluator):
        self.method, self._evaluator = method, evaluator
        self._over = ""
        self._n_done: int | None = None

    def setup(self, space: Any, objectives: Sequence[Objective], seed: int) -> None:
        """Meet the problem; what has been learned in this process is kept until it is known not to fit."""
        super().setup(space, objectives, seed)
        self._over = ""
        if self._n_done is None:
            self.method.setup(space, seed)

    @property
    def why_over(self) -> str:
        """Which of its ends the search has come to."""
        n = self._evaluator.n_epochs
        return self._over or self.method.why_over() or f"the search has had its {n} epochs"

    def recover(self, proposed: Genotypes, finished: Finished) -> None:
        """Go on behind the epochs that have been."""
        super().recover(proposed, finished)
        if State.FAIL in finished.states:
            self._over = "an epoch failed"
        elif self.n_asked:
            self._be_at(self.n_asked)

    def ask(self, n: int) -> Genotypes:
        """Train an epoch, and propose what is derived."""
        del n
        number = self.n_asked
        if self._over or self.method.why_over() or number >= self._evaluator.n_epochs:
            return self.space.sample(0, np.random.default_rng(0))
        self._be_at(number)
        if self._n_done == number:
            self._try(number)
        self.n_asked += 1
        self.fidelity = _fidelity(self.n_asked)
        return self._row

    def _try(self, number: int) -> None:
        """Do an epoch; where it fails, its trial fails with it, and the search ends with what was good."""
        try:
            self._train(number)
        except Exception as error:
            self._over = f"epoch {number + 1} failed"
            self._evaluator.note(_fidelity(number + 1), error)

    def _train(self, number: int) -> None:
        """Do an epoch, and keep what it comes to."""
        began, self._n_done = time.perf_counter(), None  # whatever breaks it off leaves half an epoch
        with self.runs.underway(self._evaluator.shares) as run:
            n_epochs, method = self._evaluator.n_epochs, self.method
            with self._evaluator.epoch(number) as n_steps:
                for index in range(n_steps):
                    step(method, self._evaluator, Progress(number, n_epochs, index, n_steps))
                self._look(Progress(number, n_epochs, n_steps, n_steps, "validation"))
                own, row = method.metrics(), method.derive()
                architecture = self.space.architecture(row)  # type: ignore[attr-defined]
                metrics = {**self._evaluator.measure(method.expected(), architecture), **own}
            self._evaluator.save(number + 1, method.state_dict(), metrics)
            seconds = time.perf_counter() - began
            run.report(number + 1, {**metrics, **method.record(), "seconds": seconds})
        self._n_done, self._row = number + 1, row
        self._evaluator.note(_fidelity(number + 1), metrics)

    def _look(self, progress: Progress) -> None:
        """Have the strategy look at how its loss bends, if it does such a thing."""
        if self.method.inspects:
            self.method.inspect(self._evaluator.plain_losses(self.method.relax(progress)), progress)

    def _be_at(self, number: int) -> None:
        """Have what was learned until an epoch; its own may have been done, too.

        Raises:
            ArchloomError: it was kept nowhere, or something else was.
        """
        if self._n_done in (number, number + 1):
            return
        run = self.runs.open(self._evaluator.shares)[1]
        self.method.setup(self.space, self.seed)
        self._evaluator.start(run)
        saved = self._evaluator.restore()
        self._n_done = 0 if saved is None else saved[0]
        if self._n_done not in (number - 1, number, number + 1):
            n_done, self._n_done = self._n_done, None
            raise ArchloomError(_words_for_gap(number, n_done, run))
        if saved is not None:
            self.method.load_state_dict(saved[1])
            self._evaluator.note(_fidelity(saved[0]), saved[2])
        self._row = self.method.derive()
        if self._n_done == number - 1:  # it failed, and was broken off before that was written
            self._try(number - 1)


def step(method: GradientStrategy, evaluator: RelaxedEvaluator, progress: Progress) -> None:
    """Take THE step: the relaxation learns from a batch of validation, then the weights from one of train.

    Args:
        method: makes the relaxation.
        evaluator: inside an epoch.
        progress: which step it is.
    """
    if method.is_single_level:
        method.step(evaluator.train_step(method.relax(progress)), progress)
        return
    if method.learns(progress):
        looking = progress._replace(split="validation")
        method.step(evaluator.validation_losses(method.relax(looking)), looking)
    evaluator.train_step(_fixed(method.relax(progress)))


def epoch_of(fidelity: str | None) -> int | None:
    """Return after which epoch a trial of a search by gradients was derived; ``None`` for any other trial.

    >>> epoch_of("supernet@3"), epoch_of(None)
    (3, None)
    """
    found = re.fullmatch(r"supernet@(\d+)", fidelity or "")
    return int(found[1]) if found else None


def _fidelity(n_epochs: int) -> str:
    return f"supernet@{n_epochs}"


def _fixed(relaxation: Relaxation) -> Relaxation:
    """Return a relaxation as it is, with nothing to learn of."""
    return {
        name: Mixture(None if mixture.weights is None else mixture.weights.detach(), mixture.active)
        for name, mixture in relaxation.items()
    }


def _words_for_gap(number: int, n_done: int, run: SharedRun) -> str:
    where = "in memory, and are gone" if run.folder is None else f"in {run.folder}"
    return (
        f"the search has had {number} epochs, but its weights, kept {where}, are of {n_done}: give the study "
        "another name, or remove that folder"
    )
