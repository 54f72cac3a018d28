# SPDX-License-Identifier: Apache-2.0
"""The contract suite finds a store that breaks its laws."""

from __future__ import annotations

from pathlib import Path

import pytest

from archloom.store import Store, TrialRecord
from archloom.testing.store_reading import front
from archloom.testing.stores import StoreContract, study_record


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store.db")


def test_a_good_store_passes(store: Store) -> None:
    with store:
        StoreContract().test_numbers_are_dense_and_claimed_in_order(store, store.create_study(study_record()))


def test_a_claim_that_claims_nothing_is_found(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def claim(store: Store, study: int) -> TrialRecord | None:
        return store.trials(study)[0]

    monkeypatch.setattr(Store, "claim", claim)
    with store, pytest.raises(AssertionError):
        StoreContract().test_numbers_are_dense_and_claimed_in_order(store, store.create_study(study_record()))


def test_a_front_that_is_not_kept_is_found(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("archloom.store.life.enter", lambda point, members: (True, []))
    monkeypatch.setattr("archloom.store.life.dominates", lambda a, b: False)
    with store, pytest.raises(AssertionError):
        StoreContract().test_front_is_the_front(store, 2)


def test_front_by_definition() -> None:
    assert front({0: (1, 2), 1: (2, 1), 2: (2, 2), 3: (1, 2)}) == [0, 1, 3]
