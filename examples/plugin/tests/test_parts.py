# SPDX-License-Identifier: Apache-2.0
"""The laws that archloom ships for each kind of part, and what is this plug-in's own.

The parts are asked for by name, so that their registration is tested too: install the plug-in first.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from archloom import Objective, SearchSpace, build
from archloom.contracts import Evaluator, Strategy
from archloom.evaluators import DATASETS, EVALUATORS, load_splits
from archloom.search_spaces import SPACES
from archloom.search_spaces.operations import OPERATIONS
from archloom.strategies import STRATEGIES
from archloom.testing.evaluators import EvaluatorContract
from archloom.testing.spaces import SpaceContract
from archloom.testing.strategies import StrategyContract, finished


class TestAnnealing(StrategyContract):
    """A strategy inherits a dozen tests: legal proposals, the same seed, resuming, failures, ..."""

    @pytest.fixture
    def make(self) -> Callable[[], Strategy]:
        """Make the strategy with its default options."""
        made: Callable[[], Strategy] = STRATEGIES.get("annealing")
        return made


class TestStack(SpaceContract):
    """A space inherits these: names, variation, words and DNA lead back, every architecture learns."""

    @pytest.fixture
    def space(self) -> SearchSpace:
        """Make the space with its default options."""
        made: SearchSpace = SPACES.get("stack")()
        return made


class TestNoiseGain(EvaluatorContract):
    """An evaluator inherits these: it gives what it says, the same for the same seed, and leaves no trace."""

    @pytest.fixture
    def make(self) -> Callable[[], Evaluator]:
        """Make the evaluator on the plug-in's data."""
        return lambda: EVALUATORS.get("noise_gain")(data="stripes", n_samples=8)

    @pytest.fixture
    def space(self) -> SearchSpace:
        """Make a space that it can evaluate."""
        made: SearchSpace = SPACES.get("stack")(layers=2)
        return made


def test_annealing_stays_with_the_better_when_cold() -> None:
    """At temperature 0 nothing worse is accepted: all proposals are neighbours of the best."""
    space = SPACES.get("stack")(layers=4)
    strategy = STRATEGIES.get("annealing")(temperature=0.0)
    strategy.setup(space, [Objective("score")], 0)
    rows = strategy.ask(3)
    strategy.tell(finished(rows, [1.0, 3.0, 2.0]))
    assert ((strategy.ask(20).choices != rows.choices[1]).sum(axis=1) == 1).all()


def test_annealing_accepts_the_worse_when_hot() -> None:
    """At a temperature far above the differences nearly everything is accepted."""
    space = SPACES.get("stack")(layers=4)
    strategy = STRATEGIES.get("annealing")(temperature=1e9)
    strategy.setup(space, [Objective("score")], 0)
    rows = strategy.ask(2)
    strategy.tell(finished(rows, [3.0, 1.0]))
    assert ((strategy.ask(20).choices != rows.choices[1]).sum(axis=1) == 1).all()


def test_squeeze_excite_fits_where_any_operation_does() -> None:
    """It keeps the size at stride 1, halves it at stride 2, and is found by its name."""
    torch = pytest.importorskip("torch")
    images = torch.randn(2, 3, 8, 8)
    assert OPERATIONS.get("squeeze_excite")(3)(images).shape == (2, 3, 8, 8)
    assert build("squeeze_excite", 3, c_out=6, stride=2)(images).shape == (2, 6, 4, 4)


def test_stripes_are_the_same_each_time_and_hold_all_classes() -> None:
    """All trials of all studies must see the same data."""
    splits, again = load_splits("stripes"), DATASETS.get("stripes")()
    for part, n in {"train": 180, "validation": 60, "test": 60}.items():
        images, labels = getattr(splits, part).tensors
        assert images.shape == (n, 1, 8, 8)
        assert (images == getattr(again, part).tensors[0]).all()
        assert set(np.asarray(labels)) == {0, 1, 2}
