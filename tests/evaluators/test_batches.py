# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

import pytest
import torch
from torch.utils.data import Subset, TensorDataset

from archloom.evaluators import batches as module
from archloom.evaluators.batches import batches, first_batch, to_device
from archloom.evaluators.seeding import generator

CPU = torch.device("cpu")


def numbers(n: int, in_memory: bool) -> Any:
    data = TensorDataset(torch.arange(n), torch.arange(n) * 10)
    return data if in_memory else Subset(data, range(n))


@pytest.mark.parametrize("in_memory", [True, False])
def test_without_shuffle_every_sample_comes_once_in_order(in_memory: bool) -> None:
    passes = batches(numbers(9, in_memory), batch_size=4, device=CPU)
    assert len(passes) == 3
    for _ in range(2):
        found = list(passes)
        assert [len(x) for x, _ in found] == [4, 4, 1]
        assert torch.cat([x for x, _ in found]).tolist() == list(range(9))
        assert all(torch.equal(y, x * 10) for x, y in found)


@pytest.mark.parametrize("in_memory", [True, False])
def test_a_shuffled_pass_is_a_new_permutation_decided_by_the_generator(in_memory: bool) -> None:
    def orders(seed: int) -> list[list[int]]:
        passes = batches(numbers(8, in_memory), batch_size=3, device=CPU, shuffle=generator(seed))
        return [torch.cat([x for x, _ in passes]).tolist() for _ in range(2)]

    first, second = orders(0)
    assert sorted(first) == sorted(second) == list(range(8))
    assert first != second
    assert orders(0) == [first, second] != orders(1)


@pytest.mark.parametrize("in_memory", [True, False])
@pytest.mark.parametrize(
    ("n", "batch_size", "sizes"),
    [(9, 4, [4, 4]), (8, 4, [4, 4]), (10, 4, [4, 4, 2]), (3, 1, [1, 1, 1]), (1, 4, [1])],
)
def test_a_last_training_batch_of_one_is_dropped(
    n: int, batch_size: int, sizes: list[int], in_memory: bool
) -> None:
    passes = batches(numbers(n, in_memory), batch_size=batch_size, device=CPU, shuffle=generator(0))
    assert [len(x) for x, _ in passes] == sizes
    assert len(passes) == len(sizes)


@pytest.mark.parametrize("n_bytes", [0, 16 * 7, 16 * 7 + 1, 16 * 14, 10**9])
def test_how_much_is_gathered_at_a_time_changes_nothing(
    n_bytes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def passes() -> list[list[int]]:
        found = batches(numbers(50, True), batch_size=7, device=CPU, shuffle=generator(0))
        assert len(found) == 7  # the last sample would be alone
        return [x.tolist() for _ in range(2) for x, y in found if torch.equal(y, x * 10)]

    expected = passes()
    assert [len(batch) for batch in expected] == [7] * 14
    monkeypatch.setattr(module, "_CHUNK_BYTES", n_bytes)
    assert passes() == expected


@pytest.mark.parametrize("shuffle", [None, 0])
def test_a_network_that_works_in_place_leaves_the_data_alone(shuffle: int | None) -> None:
    data = numbers(9, True)
    order = None if shuffle is None else generator(shuffle)
    for x, _ in batches(data, batch_size=4, device=CPU, shuffle=order):
        x.zero_()
    assert data.tensors[0].tolist() == list(range(9))


@pytest.mark.parametrize("in_memory", [True, False])
@pytest.mark.parametrize(("n", "found"), [(2, [0, 1]), (5, [0, 1, 2])])
def test_the_first_batch_has_as_many_as_there_are(n: int, found: list[int], in_memory: bool) -> None:
    x, y = first_batch(numbers(3, in_memory), n=n, device=CPU)
    assert x.tolist() == found
    assert torch.equal(y, x * 10)


def test_tensors_are_moved_wherever_they_are_in_a_batch() -> None:
    meta = torch.device("meta")
    moved = to_device({"x": [torch.zeros(1), "label"], "y": (torch.zeros(2), 3)}, meta)
    assert moved["x"][0].device == moved["y"][0].device == meta
    assert (moved["x"][1], moved["y"][1]) == ("label", 3)
