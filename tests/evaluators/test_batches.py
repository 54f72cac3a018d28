# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

import pytest
import torch
from torch.utils.data import Subset, TensorDataset

from archloom.evaluators.batches import batches, to_device
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


def test_tensors_are_moved_wherever_they_are_in_a_batch() -> None:
    meta = torch.device("meta")
    moved = to_device({"x": [torch.zeros(1), "label"], "y": (torch.zeros(2), 3)}, meta)
    assert moved["x"][0].device == moved["y"][0].device == meta
    assert (moved["x"][1], moved["y"][1]) == ("label", 3)
