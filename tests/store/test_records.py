# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archloom.contracts import State
from archloom.errors import StoreError
from archloom.store import Outcome, Proposal, Store
from archloom.store.records import join_key, label_value, split_key
from archloom.testing.stores import study_record

NAMES = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1)


@given(st.sampled_from(["", "train/", "validation/", "test/", "other/"]), NAMES)
def test_metric_keys_round_trip(prefix: str, name: str) -> None:
    assert join_key(*split_key(prefix + name)) == prefix + name


@pytest.mark.parametrize("key", ["", "test/", "a\0b"])
def test_metric_without_a_name_is_refused(key: str) -> None:
    with pytest.raises(StoreError, match="name"):
        split_key(key)


@given(st.text())
def test_label_value_is_a_finite_number_or_none(label: str) -> None:
    value = label_value(label)
    assert value is None or math.isfinite(value)


@pytest.mark.parametrize(
    ("label", "value"),
    [("3", 3.0), ("-.5", -0.5), ("1e999", None), ("1_0", None), ("٣", None), ("0x10", None), ("3\n", None)],
)
def test_label_value(label: str, value: float | None) -> None:
    assert label_value(label) == value


@settings(max_examples=30, deadline=None)
@given(
    choices=st.dictionaries(NAMES, st.one_of(NAMES, st.floats(allow_nan=False, allow_infinity=False))),
    metrics=st.dictionaries(NAMES.filter(lambda name: not name.endswith("/")), st.floats(allow_nan=False)),
)
def test_everything_comes_back(choices: dict[str, str | float], metrics: dict[str, float]) -> None:
    with Store() as store:
        study = store.create_study(study_record())
        store.propose(study, 0, [Proposal("k", "t", choices, 0)])
        store.finish(study, 0, Outcome(State.FAIL, metrics))
        trial = store.trial(study, 0)
        store.refresh_wide(study)
    assert (trial.choices, trial.metrics) == (choices, metrics)
