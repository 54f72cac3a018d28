# SPDX-License-Identifier: Apache-2.0
"""The laws of an evaluator, as a test suite to inherit.

Example::

    class TestMyEvaluator(EvaluatorContract):
        @pytest.fixture
        def make(self):
            return lambda: MyEvaluator()

        @pytest.fixture
        def space(self):
            return my_space()
"""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest

from archloom.contracts import Architecture, Evaluator, Metrics, SharedRun, Trial
from archloom.search_spaces import SearchSpace

__all__ = ["EvaluatorContract"]


class EvaluatorContract:
    """Inherit and give the fixtures ``make`` (a function making fresh evaluators) and ``space``.

    Class attributes:
        timed: the metrics that are read off a clock, which no two measurements agree on: only their names
            are compared.
    """

    timed: ClassVar[frozenset[str]] = frozenset()

    @pytest.fixture
    def make(self) -> Callable[[], Evaluator]:
        """Return a function that makes the evaluator under test."""
        raise AssertionError("an evaluator's test overrides the fixture `make`")

    @pytest.fixture
    def space(self) -> SearchSpace:
        """Return a space that the evaluator can evaluate."""
        raise AssertionError("an evaluator's test overrides the fixture `space`")

    @pytest.fixture
    def architecture(self, space: SearchSpace) -> Architecture:
        """One point of the space."""
        return space.architecture(space.sample(1, np.random.default_rng(0)))

    def ready(
        self, make: Callable[[], Evaluator], space: SearchSpace, folder: Path | None = None
    ) -> Evaluator:
        """Make an evaluator, and have it prepared, and trained where it shares something."""
        evaluator = make()
        evaluator.prepare(space)
        if evaluator.shares:
            evaluator.train(SharedRun(evaluator.shares, seed=7, folder=folder))
        return evaluator

    def measured(
        self, make: Callable[[], Evaluator], space: SearchSpace, architecture: Architecture
    ) -> Metrics:
        """Prepare a fresh evaluator and measure once."""
        evaluator = self.ready(make, space)
        return self.repeatable(evaluator.evaluate(architecture, Trial(number=3, seed=5)))

    def repeatable(self, metrics: Metrics) -> Metrics:
        """Return the metrics with zero for what a clock has measured."""
        return {name: 0.0 if name in self.timed else value for name, value in metrics.items()}

    def test_gives_what_it_says(
        self, make: Callable[[], Evaluator], space: SearchSpace, architecture: Architecture
    ) -> None:
        """Law: ``gives`` names all that comes, and what comes are numbers."""
        evaluator = self.ready(make, space)
        metrics = evaluator.evaluate(architecture, Trial(number=0, seed=1))
        assert metrics
        assert all(isinstance(name, str) and isinstance(value, float) for name, value in metrics.items())
        if evaluator.gives is not None:
            assert set(metrics) == set(evaluator.gives)

    def test_same_seed_same_metrics(
        self, make: Callable[[], Evaluator], space: SearchSpace, architecture: Architecture
    ) -> None:
        """Law: on the CPU an evaluation is a function of the architecture and the trial's seed."""
        assert self.measured(make, space, architecture) == self.measured(make, space, architecture)

    def test_leaves_global_randomness_alone(
        self, make: Callable[[], Evaluator], space: SearchSpace, architecture: Architecture
    ) -> None:
        """Law: the caller's random state is as it was."""
        torch = pytest.importorskip("torch")
        before = (
            random.getstate(),
            np.random.get_state(legacy=False)["state"]["key"].copy(),
            torch.get_rng_state(),
        )
        self.measured(make, space, architecture)
        after = (random.getstate(), np.random.get_state(legacy=False)["state"]["key"], torch.get_rng_state())
        assert before[0] == after[0]
        assert (before[1] == after[1]).all()
        assert torch.equal(before[2], after[2])

    def test_many_equals_one_by_one(self, make: Callable[[], Evaluator], space: SearchSpace) -> None:
        """Law: ``evaluate_many`` is a faster ``evaluate``, not another one."""
        rows = space.sample(3, np.random.default_rng(1))
        architectures = [space.architecture(rows[i]) for i in range(3)]
        evaluator = self.ready(make, space)
        together = evaluator.evaluate_many(architectures, [Trial(number=i, seed=i) for i in range(3)])
        alone = [evaluator.evaluate(a, Trial(number=i, seed=i)) for i, a in enumerate(architectures)]
        assert [self.repeatable(m) for m in together] == [self.repeatable(m) for m in alone]

    def test_artifacts_stay_in_the_trials_folder(
        self, make: Callable[[], Evaluator], space: SearchSpace, architecture: Architecture, tmp_path: Path
    ) -> None:
        """Law: files are written where the trial says, and named to it."""
        evaluator = self.ready(make, space)
        trial = Trial(number=0, seed=1, folder=tmp_path / "0")
        evaluator.evaluate(architecture, trial)
        written = {path for path in tmp_path.rglob("*") if path.is_file()}
        assert written == set(trial.artifacts.values())

    def test_what_was_trained_is_loaded(
        self, make: Callable[[], Evaluator], space: SearchSpace, architecture: Architecture, tmp_path: Path
    ) -> None:
        """Law: what trials share is trained once, and another process scores by it as the first does."""
        first = self.ready(make, space, tmp_path / "run")
        if not first.shares:
            assert not (tmp_path / "run").exists()
            return
        other = make()
        other.prepare(space)
        other.load(SharedRun(first.shares, seed=7, folder=tmp_path / "run"))
        trial = Trial(number=3, seed=5)
        assert other.evaluate(architecture, trial) == first.evaluate(architecture, trial)
