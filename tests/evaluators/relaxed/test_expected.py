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
from archloom.relaxation import Mixture
from archloom.search_spaces import SearchSpace
from archloom.search_spaces.darts import darts
from archloom.search_spaces.nasbench201 import nasbench201

SHAPE = NetworkShape((3, 8, 8), 10)
SPACES = {"nasbench201": nasbench201(channels=4, n_cells=1), "darts": darts(channels=4, n_cells=3)}


def costs_of(space: SearchSpace) -> tuple[ExpectedCosts, dict[str, int]]:
    net = build_supernet(space, SHAPE)
    net.route({name: Mixture() for name, switch in net.switches.items() if switch.n > 1})
    costs = ExpectedCosts(net, ["params", "macs"], torch.zeros(1, *SHAPE.input_shape))
    costs.net = net  # type: ignore[attr-defined]
    return costs, {name: switch.n for name, switch in net.switches.items() if switch.n > 1}


@pytest.mark.parametrize("name", sorted(SPACES))
def test_one_path_costs_what_its_network_does(name: str) -> None:
    space = SPACES[name]
    costs, sizes = costs_of(space)
    rows = space.sample(5, np.random.default_rng(0), uniform_over="decisions")
    for i in range(len(rows)):
        chosen = space.routing(rows[i])
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


def test_what_cannot_be_expected_is_refused() -> None:
    with pytest.raises(ConfigError, match="'param' is no cost that can be expected; did you mean 'params'"):
        ExpectedCosts.check(["param"])
