# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from torch.utils.data import Dataset, IterableDataset, TensorDataset

from archloom.errors import ConfigError, DataError, MissingExtraError, UnknownNameError
from archloom.evaluators.data import Splits, load_splits
from archloom.evaluators.data.splits import stratified_order


def rows(n: int, n_classes: int = 3) -> TensorDataset:
    return TensorDataset(torch.arange(n, dtype=torch.float32)[:, None], torch.arange(n) % n_classes)


class Stream(IterableDataset[int]):
    def __iter__(self) -> Iterator[int]:
        return iter(range(3))


class Listed(Dataset[Any]):
    def __init__(self, samples: list[Any]):
        self.samples = samples

    def __len__(self) -> int:
        return len(self.samples)

    def __getitem__(self, index: int) -> Any:
        return self.samples[index]


def make(*, n: int, n_classes: int = 3) -> TensorDataset:
    return rows(n, n_classes)


def tensors(dataset: Any) -> tuple[torch.Tensor, ...]:
    assert isinstance(dataset, TensorDataset)
    return dataset.tensors


def test_stratified_order_is_a_fixed_permutation_with_even_shares() -> None:
    labels = np.repeat([0, 1, 2], [50, 30, 20])
    order = stratified_order(labels)
    assert sorted(order) == list(range(100))
    assert np.array_equal(order, stratified_order(labels))
    assert not np.array_equal(order, stratified_order(labels, seed=1))
    for start in range(0, 100, 20):
        counts = np.bincount(labels[order[start : start + 20]], minlength=3)
        assert np.abs(counts - [10, 6, 4]).max() <= 1


def test_digits_are_split_without_overlap_and_stratified() -> None:
    splits = load_splits("digits")
    sizes = [len(tensors(part)[0]) for part in (splits.train, splits.validation, splits.test)]
    assert sizes == [1078, 360, 359]
    images = torch.cat([tensors(part)[0] for part in (splits.train, splits.validation, splits.test)])
    labels = tensors(splits.train)[1]
    assert images.shape == (1797, 1, 8, 8)
    assert images.dtype == torch.float32
    assert (float(images.min()), float(images.max())) == (0.0, 1.0)
    assert labels.dtype == torch.int64
    counts = torch.bincount(labels)
    assert int(counts.max() - counts.min()) < 10
    assert (splits.input_shape, splits.n_outputs) == ((1, 8, 8), 10)
    assert {"source", "split", "normalisation"} <= set(splits.description)
    # Every image of the source is in exactly one split.
    assert len(images) == 1797
    assert torch.equal(
        images.sum(dim=0) * 16,
        torch.as_tensor(_all_digits().sum(axis=0), dtype=torch.float32).reshape(1, 8, 8),
    )


def _all_digits() -> Any:
    from sklearn.datasets import load_digits

    return load_digits().data


def test_a_part_of_a_split_is_stratified_and_nested() -> None:
    few = load_splits("digits", {"n_train": 100, "n_validation": 50, "n_test": 20})
    assert [len(tensors(p)[0]) for p in (few.train, few.validation, few.test)] == [100, 50, 20]
    counts = torch.bincount(tensors(few.train)[1], minlength=10)
    assert 8 <= int(counts.min()) <= int(counts.max()) <= 12
    assert torch.equal(tensors(load_splits("digits").train)[0][:100], tensors(few.train)[0])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n_train": 0}, "n_train must be between 1 and 1078.*got 0"),
        ({"n_test": 500}, "n_test"),
        ({"n_trian": 5}, "'n_trian' is no option of the data set 'digits'; did you mean 'n_train'"),
    ],
)
def test_wrong_options_are_named(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        load_splits("digits", options)


def test_an_unknown_name_is_met_with_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match="'digit' is not one of the datasets; did you mean 'digits'"):
        load_splits("digit")


def test_digits_without_scikit_learn_name_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "sklearn.datasets", None)
    with pytest.raises(MissingExtraError, match=r"archloom\[digits\]"):
        load_splits("digits")


def test_one_dataset_is_cut_by_a_fixed_permutation() -> None:
    splits = load_splits(rows(50))
    parts = [tensors(part)[0][:, 0].int().tolist() for part in (splits.train, splits.validation, splits.test)]
    assert [len(part) for part in parts] == [30, 10, 10]
    assert sorted(parts[0] + parts[1] + parts[2]) == list(range(50))
    assert parts[0] != sorted(parts[0])
    again = load_splits(rows(50))
    assert torch.equal(tensors(again.train)[0], tensors(splits.train)[0])
    assert (splits.input_shape, splits.n_outputs) == ((1,), 3)


def test_a_dataset_that_is_no_block_of_tensors_is_cut_too() -> None:
    splits = load_splits(Listed([(torch.zeros(2, 4), i % 4) for i in range(10)]))
    assert [len(part) for part in (splits.train, splits.validation, splits.test)] == [6, 2, 2]  # type: ignore[arg-type]
    assert (splits.input_shape, splits.n_outputs) == ((2, 4), 4)


@pytest.mark.parametrize(
    "data",
    [
        (rows(6), rows(4)),
        [rows(6), rows(4)],
        {"train": rows(6), "validation": rows(4)},
        lambda: (rows(6), rows(4)),
        lambda: Splits(rows(6), rows(4), None, (1,), 3),
    ],
)
def test_parts_may_come_in_several_forms(data: Any) -> None:
    splits = load_splits(data)
    assert (len(tensors(splits.train)[0]), len(tensors(splits.validation)[0]), splits.test) == (6, 4, None)
    assert (splits.input_shape, splits.n_outputs) == ((1,), 3)


def test_a_callable_gets_its_options_and_must_have_those_it_needs() -> None:
    assert load_splits(make, {"n": 10, "n_classes": 5}).n_outputs == 5
    with pytest.raises(ConfigError, match="needs the option 'n'"):
        load_splits(make)
    with pytest.raises(ConfigError, match=r"takes no options.*got n"):
        load_splits(rows(5), {"n": 3})


def test_real_targets_are_counted() -> None:
    inputs = torch.zeros(10, 3)
    assert load_splits(TensorDataset(inputs, torch.zeros(10, 4))).n_outputs == 4
    assert load_splits(TensorDataset(inputs, torch.zeros(10))).n_outputs == 1


@pytest.mark.parametrize(
    ("data", "error", "message"),
    [
        ("math:pi", DataError, "got float"),
        (Stream(), DataError, "map-style"),
        ((rows(3),), DataError, "got tuple"),
        ((rows(3), [1]), DataError, "validation split must be a Dataset; got list"),
        ({"train": rows(3)}, DataError, "no validation split"),
        ({"train": rows(3), "vaildation": rows(3)}, ConfigError, "did you mean 'validation'"),
        ((rows(0), rows(3)), DataError, "train split is empty"),
        ((rows(3), rows(0)), DataError, "validation split is empty"),
        (Listed([{"x": 1}] * 10), DataError, "pair.*got dict"),
    ],
)
def test_what_is_no_data_is_named(data: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        load_splits(data)
