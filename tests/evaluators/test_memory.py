# SPDX-License-Identifier: Apache-2.0
"""Peak memory, checked by hand on networks that are small enough."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from archloom.contracts import Architecture, Trial
from archloom.errors import ConfigError, SpaceError
from archloom.evaluators import Memory
from archloom.evaluators.memory import allocated_bytes, peak_bytes
from archloom.evaluators.networks import NetworkShape, build_network
from archloom.search_spaces import SPACES

Point = Callable[..., Architecture]


class TwoBranches(nn.Module):
    """Keeps the first branch's result while the second is computed."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return (x * 2) + (x * 3)


def on_meta(network: nn.Module, *shape: int) -> int:
    return peak_bytes(network.to("meta").eval(), torch.zeros(*shape, device="meta"))


def test_a_linear_layer_holds_weights_input_and_output() -> None:
    assert on_meta(nn.Linear(3, 2), 1, 3) == 4 * (6 + 2 + 3 + 2)
    assert on_meta(nn.Linear(3, 2), 5, 3) == 4 * (6 + 2 + 5 * 3 + 5 * 2)


def test_what_is_no_longer_needed_is_given_back() -> None:
    chain = nn.Sequential(*[nn.Tanh() for _ in range(10)])
    assert on_meta(chain, 100) == 4 * 100 * 3  # the input, which the caller keeps, and two of the chain
    assert on_meta(TwoBranches(), 100) == 4 * 100 * 4


def test_views_and_what_is_changed_in_place_cost_nothing() -> None:
    assert on_meta(nn.Sequential(nn.ReLU(inplace=True), nn.Flatten(), nn.Unflatten(1, (2, 2))), 10, 4) == 160


def test_the_worst_moment_counts_not_the_last() -> None:
    wide = nn.Sequential(nn.Linear(4, 1000, bias=False), nn.Linear(1000, 4, bias=False))
    assert on_meta(wide, 1, 4) == 4 * (8000 + 4 + 1000 + 4)


def test_a_convolution_and_its_normalisation_by_hand() -> None:
    network = nn.Sequential(nn.Conv2d(3, 5, 3, padding=1, bias=False), nn.BatchNorm2d(5))
    static = 4 * (135 + 4 * 5) + 8  # weights, affine, running statistics, and the count of batches
    assert on_meta(network, 1, 3, 8, 8) == static + 4 * 64 * (3 + 5 + 5)


def test_shared_weights_count_once() -> None:
    layer = nn.Linear(10, 10, bias=False).to("meta")
    assert on_meta(nn.Sequential(layer, layer), 1, 10) == 4 * (100 + 30)


@pytest.mark.parametrize("name", ["cell", "mlp", "nasbench201"])
def test_the_count_on_meta_is_that_of_a_run_in_earnest(name: str) -> None:
    space = SPACES.get(name)(**({} if name == "mlp" else {"channels": 4, "n_cells": 2}))
    architecture = space.architecture(space.sample(1, np.random.default_rng(2)))
    shape = NetworkShape((3, 16, 16), 10)
    network = build_network(architecture, shape).eval()
    with_weights = peak_bytes(network, torch.zeros(2, *shape.input_shape))
    memory = Memory(input_shape=[3, 16, 16], batch_size=2)
    assert memory.evaluate(architecture, Trial()) == {"memory_mb": with_weights / 1e6}


def test_it_allocates_nothing_and_follows_the_batch(point: Point) -> None:
    def huge(c_in: int, n_outputs: int, input_shape: Any) -> nn.Module:
        return nn.Linear(c_in, 10**9, bias=False)

    metrics = Memory(input_shape=[1000], batch_size=3).evaluate(point(huge), Trial())
    assert metrics == {"memory_mb": 4 * (1000e9 + 3000 + 3e9) / 1e6}


def test_shapes_are_read_off_the_data(point: Point, small_net: Any) -> None:
    memory = Memory(data="digits", data_options={"n_train": 20})
    memory.prepare(None)
    assert (memory.gives, memory.is_cheap) == (("memory_mb",), True)
    static = 4 * (36 + 4 + 16 + 640 + 10) + 8
    metrics = memory.evaluate(point(small_net), Trial())
    assert metrics == {"memory_mb": (static + 4 * (64 + 64 + 64)) / 1e6}


def test_a_network_that_cannot_run_is_named(point: Point) -> None:
    with pytest.raises(SpaceError, match=r"odd-net cannot run on inputs \(1, 4\): "):
        Memory(input_shape=[4]).evaluate(point(nn.Linear(3, 2), "odd-net"), Trial())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "memory needs either data or input_shape.*got neither"),
        ({"input_shape": [1, 0]}, "positive numbers"),
        ({"input_shape": [1], "batch_size": 0}, "batch_size must be 1 or more, got 0"),
    ],
)
def test_wrong_options_are_refused_at_once(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        Memory(**options)


def test_conditions_name_the_machine() -> None:
    conditions = Memory(input_shape=[4]).conditions()
    assert conditions["torch"] == torch.__version__
    assert conditions["batch_size"] == "1"


@pytest.mark.skipif(not torch.cuda.is_available(), reason="torch sees no CUDA device")
def test_a_cuda_device_reports_at_least_what_is_counted() -> None:
    network = nn.Sequential(nn.Linear(1024, 4096), nn.ReLU(), nn.Linear(4096, 1024))
    counted = on_meta(nn.Sequential(*network), 64, 1024)
    network = nn.Sequential(nn.Linear(1024, 4096), nn.ReLU(), nn.Linear(4096, 1024)).cuda().eval()
    inputs = torch.zeros(64, 1024, device="cuda")
    reported = [allocated_bytes(network, inputs) for _ in range(2)]
    assert reported[0] == reported[1] >= counted * 0.99
    assert reported[0] < counted * 1.5
