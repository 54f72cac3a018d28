"""Every registered space keeps the laws."""

from __future__ import annotations

from typing import Any

import pyglove as pg
import pytest

from archloom.search_spaces import SPACES, SearchSpace
from archloom.search_spaces.operations import SHARP
from archloom.testing.spaces import SpaceContract

SMALL: dict[str, dict[str, Any]] = {
    "nasbench201": {"channels": 4, "n_cells": 1},
    "cell": {"channels": 4},
    "darts": {"channels": 4, "n_cells": 3, "nodes": 3},
    "hypercuboid": {"widths": [4, 6], "strides": [1, 2], "dropouts": [0.0, 0.2], "stem": 4},
    "mobilenet": {"channels": [8, 16], "strides": [1, 2], "depths": [1, 2], "stem": 4, "head": 16},
    "mixpath": {"channels": [8, 16], "strides": [1, 2], "depth": 1, "stem": 4, "head": 16},
    "nasnet": {"channels": 4, "blocks": 3},
    "spos": {"stages": [1, 2], "channels": [8, 16], "tenths": [5, 10], "stem": 4, "head": 16},
}

LOOKED_UP = {"nasbenchgraph"}
"""Its networks are never built; its own test inherits the suite."""


class TestRegistered(SpaceContract):
    @pytest.fixture(params=sorted({*SPACES.names()} - LOOKED_UP))
    def space(self, request: pytest.FixtureRequest) -> SearchSpace:
        made: SearchSpace = SPACES.get(request.param)(**SMALL.get(request.param, {}))
        return made


class TestSharp(SpaceContract):
    """DARTS' cells of sharpDARTS' operations."""

    @pytest.fixture
    def space(self) -> SearchSpace:
        made: SearchSpace = SPACES.get("darts")(channels=4, n_cells=3, nodes=2, operations=SHARP)
        return made


class TestWithSettings(SpaceContract):
    """A space with decisions outside the network is a space like any other."""

    @pytest.fixture
    def space(self) -> SearchSpace:
        made: SearchSpace = SPACES.get("mlp")(layers=2, widths=[8, 16])
        return made.with_settings(
            {"training": {"lr": pg.floatv(1e-4, 1e-1, scale="log"), "batch_size": pg.oneof([32, 64])}}
        )
