"""Quick options: of registered strategies alone, taken by them, and nobody's to change."""

from __future__ import annotations

import pyglove as pg
import pytest

from archloom.contracts import Objective
from archloom.search_spaces import SearchSpace
from archloom.strategies import STRATEGIES
from archloom.testing import quick
from archloom.testing.quick import asked, quick_options

SPACE = SearchSpace(pg.List([pg.oneof(list(range(4))) for _ in range(3)]))


def test_are_of_registered_strategies() -> None:
    assert set(quick._OPTIONS) <= {*STRATEGIES.names()}


@pytest.mark.parametrize("name", asked())
def test_let_it_learn_within_twelve_trials(name: str) -> None:
    strategy = STRATEGIES.get(name)(**quick_options(name))
    strategy.setup(SPACE, [Objective("score", "maximize")], 0)
    assert strategy.n_startup < 12


def test_are_nobodys_to_change() -> None:
    quick_options("nsga2")["population_size"] = 1000
    assert quick_options("nsga2") == {"population_size": 6}
