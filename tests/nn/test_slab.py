# SPDX-License-Identifier: Apache-2.0
"""Layers whose widths and operations are weighed together."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
import torch

from archloom.nn.routed import SlabHead, SlabLayer, Supernet
from archloom.search_spaces import SearchSpace, build
from archloom.search_spaces.hypercuboid import hypercuboid
from archloom.search_spaces.supernets import supernet

WIDTHS, OPS = [4, 6], ["conv_1x1", "skip_connect", "none"]


def space() -> SearchSpace:
    return hypercuboid(widths=WIDTHS, operations=OPS, strides=[1, 2], stem=3)


def made() -> tuple[Supernet, list[SlabLayer], SlabHead]:
    torch.manual_seed(0)
    net = supernet(space(), 1, 5).eval()
    layers = [module for module in net.modules() if isinstance(module, SlabLayer)]
    [head] = [module for module in net.modules() if isinstance(module, SlabHead)]
    return net, layers, head


def test_a_state_is_the_weighted_sum_of_all_ways_to_its_width() -> None:
    net, [first, second], head = made()
    assert [len(first.candidates), len(second.candidates)] == [2 * 3, 2 * 2 * 3]
    weights = {f"layers[{i}]": torch.rand(len(layer.candidates)) for i, layer in enumerate([first, second])}
    x = torch.randn(2, 1, 8, 8)
    states = [net.network.stem(x)]  # type: ignore[operator]
    for layer, w in zip([first, second], weights.values(), strict=True):
        n_before = len(states)
        grid = list(product(range(n_before), range(2), range(3)))
        assert layer.ways == tuple((source, target) for source, target, _ in grid)
        states = [
            sum(w[i] * layer.candidates[i](states[s]) for i, (s, t, _) in enumerate(grid) if t == target)
            for target in range(2)
        ]
    expected = sum(each(state) for each, state in zip(head.heads, states, strict=True))
    assert torch.allclose(net(x, weights), expected, atol=1e-5)


def test_all_weight_on_one_path_is_its_network_but_for_the_other_heads() -> None:
    net, _, head = made()
    x = torch.randn(2, 1, 8, 8)
    for seed in range(5):
        row = space().sample(1, np.random.default_rng(seed))
        network = build(space().architecture(row).value, 1, 5).eval()
        net.route(space().routing(row))
        net.hand_on(network)
        weights = {name: torch.zeros(switch.n) for name, switch in net.relaxed_sites.items()}
        for name, slab in zip(
            weights, [m.slab for m in net.modules() if isinstance(m, SlabLayer)], strict=True
        ):
            weights[name][slab.chosen] = 1.0
        chosen = head.ways[head.slab.chosen][1]
        [other] = [dict(each.named_parameters()) for i, each in enumerate(head.heads) if i != chosen]
        assert torch.allclose(net(x, weights), network(x) + other["body.3.bias"], atol=1e-5)


def test_a_route_ends_the_mixture_of_the_slabs_and_a_mixture_the_route() -> None:
    net, layers, _ = made()
    row = space().at([3])
    x = torch.randn(1, 1, 8, 8)
    route = net(x, space().routing(row))
    mixture = {name: torch.ones(switch.n) for name, switch in net.relaxed_sites.items()}
    assert set(mixture) == {"layers[0]", "layers[1]"}
    assert not torch.allclose(net(x, mixture), route)
    assert torch.equal(net(x, space().routing(row)), route)
    assert all(layer.slab.switch.mixture is None for layer in layers)


@pytest.mark.parametrize("weights", [[0.9, 0.09, 0.0, 1e-3, 1e-4, 0.0], [0.5, 0.2, 0.2, 0.0, 1e-9, 0.1]])
def test_what_weighs_next_to_nothing_is_not_computed(weights: list[float]) -> None:
    """Below 1 / 6 ** 2, unless it is the strongest on the way to its width; never an operation of zeros."""
    net, [first, _], _ = made()
    seen: list[int] = []
    for index, candidate in enumerate(first.candidates):
        candidate.register_forward_hook(lambda *_, index=index: seen.append(index))
    net(torch.randn(1, 1, 8, 8), {"layers[0]": torch.tensor(weights), "layers[1]": torch.ones(12)})
    strongest = {max((0, 1), key=weights.__getitem__), max((3, 4), key=weights.__getitem__)}
    assert set(seen) == {i for i in (0, 1, 3, 4) if weights[i] >= 1 / 36} | strongest
