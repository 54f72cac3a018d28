"""Data are read once a process, and never confused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.utils.data import Dataset, TensorDataset

from archloom.errors import DataError
from archloom.evaluators import Costs, Training, load_splits
from archloom.evaluators.data.loading import MAX_KEPT, forget_splits

Load = Callable[..., Any]


@pytest.fixture
def calls() -> list[dict[str, Any]]:
    """The options of each call of ``load``."""
    return []


@pytest.fixture
def load(calls: list[dict[str, Any]]) -> Load:
    """A data set that counts how often it is read."""

    def made(**options: Any) -> TensorDataset:
        calls.append(options)
        if options.get("n") == 0:
            raise DataError("no data")
        return TensorDataset(torch.zeros(10, 1, 4, 4), torch.arange(10) % 2)

    return made


def test_evaluators_share_what_was_read(load: Load, calls: list[dict[str, Any]]) -> None:
    Costs(data=load, data_options={"n": 1}).prepare(None)
    training = Training(data=load, data_options={"n": 1})
    training.prepare(None)
    Training(data=load, data_options={"n": 1}, lr=0.1).prepare(None)
    assert calls == [{"n": 1}]
    assert load_splits(load, {"n": 1}) is training.splits


@pytest.mark.parametrize(
    ("first", "second"), [({"n": 1}, {"n": 1.0}), ({"n": 1}, {"n": True}), ({}, {"n": None})]
)
def test_other_options_are_other_data(
    load: Load, calls: list[dict[str, Any]], first: dict[str, Any], second: dict[str, Any]
) -> None:
    assert load_splits(load, first) is not load_splits(load, second)
    assert len(calls) == 2


@pytest.mark.parametrize("option", [(1, 2), {1: 2}, {1, 2}, object(), torch.zeros(2)])
def test_options_that_are_not_plain_are_read_each_time(
    load: Load, calls: list[dict[str, Any]], option: Any
) -> None:
    load_splits(load, {"shape": option})
    load_splits(load, {"shape": option})
    assert len(calls) == 2


def test_another_folder_is_other_data(
    load: Load, calls: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    load_splits(load)
    monkeypatch.setenv("ARCHLOOM_DATA", str(tmp_path))
    load_splits(load)
    monkeypatch.chdir(tmp_path)
    load_splits(load)
    assert len(calls) == 3


def test_what_failed_is_tried_again(load: Load, calls: list[dict[str, Any]]) -> None:
    for _ in range(2):
        with pytest.raises(DataError, match="no data"):
            load_splits(load, {"n": 0})
    assert len(calls) == 2


def test_only_the_last_are_kept_and_all_can_be_forgotten(load: Load, calls: list[dict[str, Any]]) -> None:
    for n in range(1, MAX_KEPT + 1):
        load_splits(load, {"n": n})
    load_splits(load, {"n": 1})
    assert len(calls) == MAX_KEPT
    load_splits(load, {"n": MAX_KEPT + 1})  # takes the place of the one unused for longest
    load_splits(load, {"n": 1})
    load_splits(load, {"n": 2})
    assert [call["n"] for call in calls[MAX_KEPT:]] == [MAX_KEPT + 1, 2]
    forget_splits()
    load_splits(load, {"n": 2})
    assert len(calls) == MAX_KEPT + 3


class Counted(Dataset[Any]):
    """Counts how many of its samples were read."""

    def __init__(self, n: int) -> None:
        self.n, self.n_read = n, 0

    def __len__(self) -> int:
        return self.n

    def __getitem__(self, index: int) -> Any:
        self.n_read += 1
        return torch.zeros(1), index % 2


def test_live_data_sets_are_read_through_once_and_told_apart() -> None:
    first = Counted(10)
    assert load_splits(first) is load_splits(first)
    assert first.n_read == 10 + 1
    sizes = [len(load_splits(Counted(n)).train) for n in (10, 20, 30, 40, 50)]  # type: ignore[arg-type]
    assert sizes == [6, 12, 18, 24, 30]


def test_tensors_that_change_in_place_are_seen() -> None:
    live = TensorDataset(torch.zeros(10, 1), torch.arange(10) % 2)
    load_splits(live)
    live.tensors[0].fill_(1.0)
    assert float(load_splits(live).train[0][0]) == 1.0
