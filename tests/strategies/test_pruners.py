"""The median rule."""

from __future__ import annotations

import pytest

from archloom.errors import ConfigError
from archloom.strategies import MedianPruner

OTHERS = [{0: 1.0, 1: 0.5}, {0: 2.0, 1: 0.6}, {0: 3.0, 1: 0.7}]


def test_stops_what_is_worse_than_the_median() -> None:
    pruner = MedianPruner(n_startup=3)
    assert pruner.stop({0: 2.5}, OTHERS)
    assert not pruner.stop({0: 1.5}, OTHERS)
    assert not pruner.stop({0: 0.55, 1: 9.0}, OTHERS)


def test_nan_is_worst_of_all() -> None:
    nan = float("nan")
    assert MedianPruner(n_startup=3).stop({0: nan}, OTHERS)
    assert MedianPruner(n_startup=3).stop({0: 2.5}, [{0: 1.0}, {0: nan}, {0: 1.0}])
    assert not MedianPruner(n_startup=3).stop({0: 2.5}, [{0: nan}, {0: nan}, {0: 1.0}])


def test_waits_for_startup_and_warmup() -> None:
    assert not MedianPruner(n_startup=4).stop({0: 99.0}, OTHERS)
    assert not MedianPruner(n_startup=1, n_warmup=1).stop({0: 99.0}, OTHERS)
    assert not MedianPruner(n_startup=1).stop({7: 99.0}, OTHERS)


def test_refuses_impossible_options() -> None:
    with pytest.raises(ConfigError, match="at least 1"):
        MedianPruner(n_startup=0)
