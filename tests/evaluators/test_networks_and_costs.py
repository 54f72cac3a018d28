# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pyglove as pg
import pytest
import torch
from torch import nn

from archloom.contracts import Architecture, Trial
from archloom.errors import ConfigError, DataError, SpaceError
from archloom.evaluators.costs import Costs, count_macs, count_parameters, size_mb
from archloom.evaluators.networks import NetworkShape, build_network
from archloom.evaluators.seeding import seeded
from archloom.search_spaces import Blueprint, SearchSpace

Point = Callable[..., Architecture]
SHAPE = NetworkShape((1, 8, 8), 10)


class Line(Blueprint):
    width: int

    def build(self, c_in: int, n_outputs: int, *, input_shape: tuple[int, ...]) -> nn.Module:
        del input_shape
        return nn.Sequential(
            nn.Conv2d(c_in, self.width, 1),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            nn.Linear(self.width, n_outputs),
        )


def weights(network: nn.Module) -> torch.Tensor:
    return torch.cat([p.detach().flatten() for p in network.parameters()])


def test_a_blueprint_gets_width_outputs_and_shape_and_its_seed() -> None:
    space = SearchSpace(Line(width=pg.oneof([2, 3])))
    architecture = space.architecture(space.at([1]))
    network = build_network(architecture, SHAPE, seed=5)
    assert network(torch.zeros(2, 1, 8, 8)).shape == (2, 10)
    assert torch.equal(weights(network), weights(build_network(architecture, SHAPE, seed=5)))
    assert not torch.equal(weights(network), weights(build_network(architecture, SHAPE, seed=6)))


def test_building_leaves_the_caller_s_randomness_alone(point: Point, small_net: Any) -> None:
    before = torch.random.get_rng_state()
    build_network(point(small_net), SHAPE, seed=3)
    assert torch.equal(before, torch.random.get_rng_state())


def test_a_module_is_copied_so_that_it_can_be_built_twice(point: Point) -> None:
    value = nn.Sequential(nn.Flatten(), nn.Linear(64, 10))
    first, second = build_network(point(value), SHAPE), build_network(point(value), SHAPE, device="meta")
    assert torch.equal(weights(first), weights(value))
    assert first[1].weight is not value[1].weight  # type: ignore[index]
    assert count_parameters(second) == 650
    assert next(value.parameters()).device.type == "cpu"


def test_a_wrapped_module_class_is_made_anew_under_the_seed() -> None:
    net = pg.symbolize(nn.Linear)
    space = SearchSpace(net(in_features=4, out_features=pg.oneof([3, 5])))
    architecture = space.architecture(space.at([0]))
    build_network(architecture, NetworkShape((4,), 3), device="meta")  # decodes first
    one, two, same = (build_network(architecture, NetworkShape((4,), 3), seed=s) for s in (1, 2, 1))
    assert next(one.parameters()).device.type == "cpu"
    assert torch.equal(weights(one), weights(same))
    assert not torch.equal(weights(one), weights(two))


@pytest.mark.parametrize("value", [lambda c_in, n_outputs, input_shape: 1 / 0, 17])
def test_what_cannot_be_built_is_named(value: Any, point: Point) -> None:
    with pytest.raises(SpaceError, match=r"odd-net cannot be built for inputs 1 x 8 x 8 and 10 outputs: "):
        build_network(point(value, "odd-net"), SHAPE)


def test_seeded_repeats_and_restores() -> None:
    before = torch.random.get_rng_state()
    with seeded(2**70 + 1):
        first = torch.rand(3)
    with seeded(2**70 + 1):
        assert torch.equal(first, torch.rand(3))
    assert torch.equal(before, torch.random.get_rng_state())


def test_counts_equal_those_by_hand() -> None:
    network = nn.Sequential(
        nn.Conv2d(3, 5, 3, padding=1, bias=False), nn.BatchNorm2d(5), nn.Flatten(), nn.Linear(80, 2)
    )
    network[3].weight.requires_grad_(False)
    assert count_parameters(network) == 5 * 3 * 9 + 2 * 5 + 2
    assert size_mb(network) == pytest.approx((4 * (135 + 10 + 10 + 162) + 8) / 1e6)
    assert count_macs(network, (3, 4, 4)) == 16 * 135 + 160


def test_costs_allocate_nothing_and_agree_with_the_built_network(point: Point) -> None:
    def wide(c_in: int, n_outputs: int, input_shape: tuple[int, ...]) -> nn.Module:
        return nn.Linear(c_in, 10**9)  # four terabytes

    metrics = Costs(input_shape=[1000]).evaluate(point(wide), Trial())
    assert metrics == {"params": 1001e9, "macs": 1000e9}


def test_costs_read_shapes_off_the_data(point: Point, small_net: Any) -> None:
    costs = Costs(metrics=["size_mb", "macs", "params"], data="digits", data_options={"n_train": 20})
    costs.prepare(None)
    assert costs.is_cheap
    assert costs.gives == ("size_mb", "macs", "params")
    metrics = costs.evaluate(point(small_net), Trial())
    assert metrics["params"] == 4 * 9 + 4 + 8 + 64 * 10 + 10
    assert metrics["macs"] == 16 * 36 + 640


def test_a_network_that_cannot_run_is_named(point: Point) -> None:
    architecture = point(lambda c_in, n_outputs, input_shape: nn.Linear(99, 10), "odd-net")
    with pytest.raises(SpaceError, match=r"odd-net cannot run on inputs \(1, 8, 8\): "):
        Costs(input_shape=[1, 8, 8]).evaluate(architecture, Trial())
    assert Costs(input_shape=[1, 8, 8], metrics=["params"]).evaluate(architecture, Trial()) == {
        "params": 1000.0
    }


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "got neither"),
        ({"data": "digits", "input_shape": [1, 8, 8]}, "got both"),
        ({"input_shape": []}, "positive numbers"),
        ({"input_shape": [1, 0]}, "positive numbers"),
        ({"input_shape": [1], "metrics": ["parms"]}, "'parms' is no cost; did you mean 'params'"),
    ],
)
def test_wrong_options_are_refused_at_once(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        Costs(**options)


def test_missing_data_is_met_before_the_first_trial(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ARCHLOOM_DATA", raising=False)
    with pytest.raises(DataError, match="ARCHLOOM_DATA"):
        Costs(data="fashion_mnist").prepare(None)
