# SPDX-License-Identifier: Apache-2.0
"""What a mixture is expected to cost."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from archloom.errors import ConfigError
from archloom.evaluators.costs import count_macs
from archloom.evaluators.networks import NetworkShape, build_network, build_supernet
from archloom.evaluators.relaxed.expected import ExpectedCosts
from archloom.nn.routed import Choice
from archloom.relaxation import Mixture
from archloom.search_spaces import SearchSpace
from archloom.search_spaces.darts import darts
from archloom.search_spaces.hypercuboid import hypercuboid
from archloom.search_spaces.nasbench201 import nasbench201

SHAPE = NetworkShape((3, 8, 8), 10)
SPACES = {
    "nasbench201": nasbench201(channels=4, n_cells=1),
    "darts": darts(channels=4, n_cells=3),
    "hypercuboid": hypercuboid(widths=[4, 6], strides=[1, 2], dropouts=[0.0, 0.2], stem=4),
}


def costs_of(space: SearchSpace) -> tuple[ExpectedCosts, dict[str, int]]:
    net = build_supernet(space, SHAPE)
    net.route(dict.fromkeys(net.relaxed_sites, Mixture()))
    costs = ExpectedCosts(net, ["params", "macs"], torch.zeros(1, *SHAPE.input_shape))
    costs.net = net  # type: ignore[attr-defined]
    return costs, {name: switch.n for name, switch in net.relaxed_sites.items()}


def space_labels(space: SearchSpace, site: str) -> tuple[str, ...]:
    [decision] = [decision for decision in space.decisions if decision.name == site]
    return decision.candidates


@pytest.mark.parametrize("name", sorted(SPACES))
def test_one_path_costs_what_its_network_does(name: str) -> None:
    space = SPACES[name]
    costs, sizes = costs_of(space)
    rows = space.sample(5, np.random.default_rng(0), uniform_over="decisions")
    for i in range(len(rows)):
        chosen = space.routing(rows[i])
        for slab, members in space.slabs.items():
            picks = tuple(chosen[site][0] for site in members)
            n = tuple(len(space_labels(space, site)) for site in members)
            chosen[slab] = (int(np.ravel_multi_index(picks, n)),)
        route = {site: torch.zeros(n) for site, n in sizes.items()}
        for site, picks in chosen.items():
            if site in route:
                route[site][list(picks)] = 1.0
        costs.net.route(route)  # type: ignore[attr-defined]
        found = costs()
        network = build_network(space.architecture(rows[i]), SHAPE)
        assert float(found["params"]) == sum(p.numel() for p in network.parameters())
        assert float(found["macs"]) == count_macs(network, SHAPE.input_shape)


def test_it_is_the_mean_over_draws_and_has_its_gradient() -> None:
    space = SPACES["nasbench201"]
    costs, sizes = costs_of(space)
    alphas = {site: torch.randn(n, requires_grad=True) for site, n in sizes.items()}
    costs.net.route({site: alpha.softmax(0) for site, alpha in alphas.items()})  # type: ignore[attr-defined]
    expected = costs()["params"]
    corners = []
    for choice in range(5):
        route = {site: torch.eye(n)[choice] for site, n in sizes.items()}
        costs.net.route(route)  # type: ignore[attr-defined]
        corners.append(float(costs()["params"]))
    assert min(corners) < float(expected.detach()) < max(corners)
    gradients = torch.autograd.grad(expected, list(alphas.values()))
    # Per edge: the gradient of sum_i p_i c_i is p_i (c_i - mean); it sums to 0, and 3x3 costs the most.
    for gradient in gradients:
        assert float(gradient.sum()) == pytest.approx(0, abs=1e-2)
        assert int(gradient.argmax()) == 3


@pytest.mark.parametrize(("name", "meant"), [("param", "params"), ("latency", "latency_ms")])
def test_what_cannot_be_expected_is_refused(name: str, meant: str) -> None:
    with pytest.raises(
        ConfigError, match=f"'{name}' is no cost that can be expected; did you mean '{meant}'"
    ):
        ExpectedCosts.check([name])


def test_partial_channels_cost_what_their_choices_do() -> None:
    space = SPACES["nasbench201"]
    found = []
    for n in (1, 4):
        net = build_supernet(space, SHAPE, partial_channels=n)
        net.route(dict.fromkeys(net.relaxed_sites, Mixture()))
        costs = ExpectedCosts(net, ["params"], torch.zeros(1, *SHAPE.input_shape))
        net.route({name: torch.full((switch.n,), 1 / switch.n) for name, switch in net.relaxed_sites.items()})
        chosen = [m for m in net.modules() if isinstance(m, Choice)]
        outside = sum(p.numel() for p in net.parameters()) - sum(
            p.numel() for choice in chosen for p in choice.parameters()
        )
        inside = sum(p.numel() for choice in chosen for p in choice.parameters())
        assert float(costs()["params"]) == pytest.approx(outside + inside / 5)
        found.append(inside)
    assert found[1] < found[0] / 4
