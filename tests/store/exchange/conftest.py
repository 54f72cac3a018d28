# SPDX-License-Identifier: Apache-2.0
"""A study with one of everything, in each database."""

from __future__ import annotations

import pytest

from archloom.store import Store, StudyRecord
from tests.store.exchange.studies import make_rich


@pytest.fixture
def rich(store: Store) -> StudyRecord:
    return make_rich(store)
