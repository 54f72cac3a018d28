"""Every registered space keeps the laws."""

from __future__ import annotations

from typing import Any

import pytest

from archloom.search_spaces import SPACES, SearchSpace
from archloom.testing.spaces import SpaceContract

SMALL: dict[str, dict[str, Any]] = {"nasbench201": {"channels": 4, "n_cells": 1}, "cell": {"channels": 4}}


class TestRegistered(SpaceContract):
    @pytest.fixture(params=SPACES.names())
    def space(self, request: pytest.FixtureRequest) -> SearchSpace:
        made: SearchSpace = SPACES.get(request.param)(**SMALL.get(request.param, {}))
        return made
