"""Supernets compute what the decoded network does, train what is taken, refuse what cannot be shared."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pyglove as pg
import pytest
import torch
from torch import nn

from archloom.errors import SpaceError
from archloom.evaluators.seeding import threads
from archloom.nn.routed import Choice, ElasticConv2d, Many, Supernet
from archloom.search_spaces import Blueprint, SearchSpace, build, out_of
from archloom.search_spaces import blueprints as b
from archloom.search_spaces.cell import cell
from archloom.search_spaces.darts import darts
from archloom.search_spaces.hypercuboid import hypercuboid
from archloom.search_spaces.mixpath import mixpath
from archloom.search_spaces.mlp import mlp
from archloom.search_spaces.mobilenet import mobilenet
from archloom.search_spaces.nasbench201 import nasbench201
from archloom.search_spaces.nasnet import nasnet
from archloom.search_spaces.operations import NASBENCH201
from archloom.search_spaces.sorted_mlp import sorted_mlp
from archloom.search_spaces.spos import spos
from archloom.search_spaces.supernets import supernet

IMAGE = (3, 8, 8)

OPS = ["conv_1x1", "conv_3x3", "skip_connect", "none"]


def width() -> Any:
    return pg.oneof([4, 8, 16])


def op() -> Any:
    return pg.oneof(OPS)


def layers(*parts: Any) -> SearchSpace:
    return SearchSpace(b.Sequence(list(parts)))


def tied() -> SearchSpace:
    """Two layers of one kernel, chosen once."""
    first = b.Conv(width=4, kernel_size=pg.oneof([1, 3]))
    return layers(first, b.Conv(width=4, kernel_size=pg.hyper.reference("layers[0].kernel_size")))


def labelled() -> SearchSpace:
    """A constant at the end of a reference, and a value that fixes another of the same part."""
    conv = b.Conv(width=8, groups=pg.oneof([1, 2]), dilation=pg.hyper.reference("layers[1].groups"))
    return layers(b.Conv(width=4), conv, b.Conv(width=pg.hyper.reference("layers[1].width")))


SPACES: dict[str, Callable[[], SearchSpace]] = {
    "nasbench201": lambda: nasbench201(channels=4, n_cells=1),
    "cell": lambda: cell(nodes=3, channels=4),
    "cell with dropped paths": lambda: cell(
        nodes=2, channels=4, operations=[*OPS[:3], "none"], keep_path=0.6
    ),
    "darts": lambda: darts(channels=4, n_cells=3, nodes=3, keep_path=0.8),
    "hypercuboid": lambda: hypercuboid(widths=[4, 6], strides=[1, 2, 1], dropouts=[0.0, 0.2], stem=4),
    "hypercuboid of one width": lambda: hypercuboid(widths=[4], operations=OPS, strides=[1, 2], stem=4),
    "mlp": lambda: mlp(dropout=[0.0, 0.1]),
    "spos": lambda: spos(stages=[1, 2], channels=[8, 16], stem=4, stem_stride=1, head=16),
    "spos with channels": lambda: spos(
        stages=[2], channels=[8], tenths=[5, 10, 20], stem=4, stem_stride=1, first_stride=1, head=16
    ),
    "mobilenet": lambda: mobilenet(
        channels=[8, 16], strides=[1, 2], depths=[1, 2], kernels=[3, 5], expansions=[2, 4], stem=8, head=16
    ),
    "mixpath": lambda: mixpath(
        channels=[8, 16], strides=[1, 2], depth=1, kernels=[3, 5, 7], most=2, stem=8, head=16
    ),
    "mixpath of one norm": lambda: mixpath(
        channels=[8],
        strides=[1],
        depth=1,
        kernels=[3, 5],
        most=2,
        expansions=[2],
        shadow=False,
        stem=8,
        head=16,
    ),
    "sorted_mlp": lambda: sorted_mlp(width=16, n_widths=4),
    "nasnet": lambda: nasnet(blocks=3, channels=4, combines=["add"], keep_path=0.7),
    "nasnet side by side": lambda: nasnet(
        blocks=2, channels=4, combines=["concat"], operations=["skip_connect", "conv_1x3_3x1", "max_pool_5x5"]
    ),
    "mlp of one width": lambda: mlp(layers=2, widths=[16]),
    "layers that may be absent": lambda: layers(
        b.Conv(width=8),
        pg.oneof([b.Conv(width=8, kernel_size=pg.oneof([1, 3])), "none", [b.Conv(width=4), b.Conv(width=8)]]),
        b.Pool(),
    ),
    "plain values": lambda: layers(
        b.Conv(width=8, norm=pg.oneof(["batch", "none"]), dilation=pg.oneof([1, 2])),
        b.Conv(groups=pg.oneof([1, 2])),
    ),
    "branches": lambda: layers(
        b.Conv(width=8),
        b.Residual(pg.oneof(["sep_conv_3x3", b.Depthwise(kernel_size=pg.oneof([3, 5]))])),
        b.Parallel(pg.manyof(2, OPS[:3])),
        b.Parallel(["conv_1x1", pg.oneof(["avg_pool_3x3", "conv_3x3"])], join="concat"),
        b.Parallel(pg.manyof(2, OPS[:3], distinct=False), join="concat"),
    ),
    "cells": lambda: layers(
        b.Conv(width=8),
        b.Cell([[op()], [op(), op()], pg.manyof(2, [b.Edge(source=i, op=op()) for i in range(3)])]),
        b.Cell([pg.manyof(1, OPS), pg.manyof(2, OPS, distinct=False)], output="concat"),
    ),
    "order": lambda: layers(
        b.Conv(width=8),
        pg.permutate([b.Conv(width=8), b.Activation(), b.Norm()]),
        b.Repeat(pg.manyof(2, [b.Conv(width=8), b.Activation()], distinct=False)),
    ),
    "copies that decide for themselves": lambda: layers(
        b.Conv(width=4),
        b.Cell(
            [
                "conv_1x1",
                pg.manyof(
                    2, [b.Edge(source=0, op=op()), b.Edge(source=1, op="skip_connect")], distinct=False
                ),
            ]
        ),
    ),
    "elastic": lambda: layers(
        b.Conv(width=width(), kernel_size=pg.oneof([1, 3, 5]), activation=pg.oneof(["relu", "gelu"])),
        b.Pool(),
        b.Depthwise(kernel_size=pg.oneof([3, 7])),
        b.Norm(),
        pg.oneof(["none", b.Conv(width=width()), b.Separable(width=8)]),
        b.Flatten(),
        b.Linear(width=width(), activation=pg.oneof(["tanh", "none"])),
        b.Linear(10),
    ),
    "elastic up to the head": lambda: layers(
        b.Conv(width=width()), b.Conv(width=width(), norm="none"), b.Head()
    ),
    "references": tied,
    "references to what is fixed": labelled,
    "calls": lambda: layers(b.Conv(width=4), b.Call("torch.nn:Dropout", {"p": pg.oneof([0.1, 0.2])}, out=4)),
}


BUILT_IN = (
    "darts",
    "nasbench201",
    "cell",
    "hypercuboid",
    "mlp",
    "nasnet",
    "spos",
    "mobilenet",
    "mixpath",
    "sorted_mlp",
)


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    with threads(1):
        yield


@pytest.fixture(params=SPACES)
def space(request: pytest.FixtureRequest) -> SearchSpace:
    return SPACES[request.param]()


def made(space: SearchSpace) -> Supernet:
    """Make a supernet whose batch norms have seen something."""
    torch.manual_seed(0)
    net = supernet(space, IMAGE[0], 10, input_shape=IMAGE)
    for module in net.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            nn.init.normal_(module.get_buffer("running_mean"))
            nn.init.uniform_(module.get_buffer("running_var"), 0.5, 2.0)
    return net


def decoded(space: SearchSpace, row: Any) -> nn.Module:
    return build(space.architecture(row).value, IMAGE[0], 10, input_shape=IMAGE)


def rows(space: SearchSpace, n: int) -> list[Any]:
    assert space.size is not None
    drawn = space.enumerate() if space.size <= n else space.sample(n, np.random.default_rng(0))
    return [drawn[i] for i in range(len(drawn))]


def test_a_routed_supernet_is_the_decoded_network(space: SearchSpace, request: pytest.FixtureRequest) -> None:
    net = made(space).eval()
    x = torch.randn(2, *IMAGE)
    name = request.node.callspec.params["space"]
    for row in rows(space, 50 if name in BUILT_IN else 12):
        network = decoded(space, row).eval()
        net.route(space.routing(row))
        net.hand_on(network)
        with torch.no_grad():
            assert torch.equal(net(x), network(x)), space.architecture(row).text


def test_only_what_is_taken_is_trained(space: SearchSpace) -> None:
    net = made(space).train()
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9, weight_decay=0.1)
    x = torch.randn(4, *IMAGE)
    for row in rows(space, 3):
        net.route(space.routing(row))
        before = {name: p.detach().clone() for name, p in net.named_parameters()}
        optimizer.zero_grad()
        net(x).square().sum().backward()
        taken = {name for name, p in net.named_parameters() if p.grad is not None}
        optimizer.step()
        for name, p in net.named_parameters():
            assert name in taken or torch.equal(p, before[name]), name
        assert taken
        assert len(taken) <= len(list(decoded(space, row).parameters()))


def test_slices_are_trained_and_the_rest_is_not() -> None:
    space = layers(b.Conv(width=pg.oneof([4, 8]), norm="none"), b.Head())
    net = made(space)
    [conv] = [module for module in net.modules() if isinstance(module, ElasticConv2d)]
    net(torch.randn(2, *IMAGE), {"layers[0].width": (0,)}).sum().backward()
    assert conv.weight.grad is not None
    assert bool((conv.weight.grad[:4] != 0).any())
    assert bool((conv.weight.grad[4:] == 0).all())


def test_coefficients_mix_the_candidates() -> None:
    space = layers(b.Conv(width=4), pg.oneof(["conv_1x1", "skip_connect"]))
    net = made(space).eval()
    x = torch.randn(2, *IMAGE)
    conv, choice = net.network[0](x), net.network[1]  # type: ignore[index]
    one, other = (candidate(conv) for candidate in choice.candidates)
    net.route({"layers[1]": torch.tensor([0.25, 0.75])})
    assert torch.allclose(choice(conv), 0.25 * one + 0.75 * other)
    net.route({"layers[1]": (1,)})
    assert torch.equal(choice(conv), other)


def test_coefficients_weigh_edges() -> None:
    edges = [b.Edge(source=0, op="conv_1x1"), b.Edge(source=1, op="none")]
    space = layers(b.Cell(["none", pg.manyof(2, edges)]))
    net = made(space).eval()
    [many] = [module for module in net.modules() if isinstance(module, Many)]
    x = torch.randn(2, *IMAGE)
    [site] = net.switches
    both = net.network[0](x)  # type: ignore[index]
    net.route({site: torch.tensor([0.5, 0.5])})
    assert torch.allclose(net.network[0](x), 0.5 * both)  # type: ignore[index]
    assert len(list(many)) == 2


@pytest.mark.parametrize(
    ("space", "reason"),
    [
        (layers(pg.oneof([b.Conv(width=4), b.Conv(width=8)])), "one width.*conv.width=4. 4, conv.width=8. 8"),
        (layers(b.Conv(width=width()), b.Residual(b.Conv())), "up to 16 channels by choice.*sliced"),
        (layers(b.Residual(b.Conv(width=width()))), "up to 16 channels by choice stands where"),
        (layers(b.Conv(width=width()), "sep_conv_3x3"), "sep_conv_3x3: what comes before has up to 16"),
        (layers(b.Dropout(pg.floatv(0.0, 0.5))), r"layers\[0\].rate is a number of any size"),
        (
            layers(b.Conv(width=12, groups=pg.oneof([1, 2, 3]), dilation=pg.oneof([1, 2, 3, 4, 5, 6]))),
            "18 or more combinations",
        ),
        (layers(b.Conv(width=4, kernel_size=pg.oneof([2, 3]))), "odd"),
        (nasnet(channels=4), "add or concat. cannot share what reads them"),
        (SearchSpace(pg.Dict(op=pg.oneof([1, 2]))), "a supernet is built of a Blueprint"),
    ],
)
def test_what_cannot_be_shared_is_refused(space: SearchSpace, reason: str) -> None:
    with pytest.raises(SpaceError, match=reason):
        supernet(space, IMAGE[0], 10, input_shape=IMAGE)


class Widthless(Blueprint):
    """Builds what does not say how wide its output is."""

    kernel_size: int = 3

    def build(self, c_in: int) -> torch.nn.Module:
        del c_in
        return Mute()


class Mute(torch.nn.Module):
    """Says nothing of its width."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x


@pytest.mark.parametrize(
    "part",
    [pg.oneof([Widthless(3), Widthless(5)]), Widthless(pg.oneof([3, 5]))],
    ids=["candidates", "values"],
)
def test_a_module_that_does_not_tell_its_width_is_named(part: Any) -> None:
    with pytest.raises(SpaceError, match=r"has \.out.*Mute has none: set it"):
        supernet(layers(part, b.Conv(width=4)), IMAGE[0], 10, input_shape=IMAGE)


class Doubler(Blueprint):
    """Doubles what comes, in place or not."""

    is_inplace: bool = False

    def build(self, c_in: int) -> torch.nn.Module:
        made = Doubling()
        made.is_inplace, made.out = self.is_inplace, c_in
        return made


class Doubling(torch.nn.Module):
    out: int
    is_inplace: bool

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.mul_(2) if self.is_inplace else 2 * x


@pytest.mark.parametrize("where", ["a batch", "branches", "a mixture"])
def test_paths_do_not_change_what_others_read(where: str) -> None:
    choice = pg.oneof([Doubler(True), "conv_1x1"])
    if where == "branches":
        space = layers(b.Conv(width=4), b.Parallel([choice, "conv_1x1"]))
    else:
        space = layers(choice, "conv_1x1") if where == "a batch" else layers("conv_1x1", choice)
    net = made(space)
    if where == "a mixture":
        net.route({name: torch.tensor([0.5, 0.5]) for name in net.switches})
    else:
        net.route({name: (0,) for name in net.switches})
    with pytest.raises(ValueError, match=r"changes its input in place.*ReLU\(inplace=False\)"):
        net(torch.rand(2, *IMAGE))
    with torch.inference_mode():
        net(torch.rand(2, *IMAGE))  # where nothing keeps count of changes


_LINEAR = torch.nn.Conv2d(4, 4, 1)


class Lent(Blueprint):
    """Uses a weight that is not its own."""

    times: int = 1

    def build(self, c_in: int) -> torch.nn.Module:
        made: Any = torch.nn.Sequential(*[_LINEAR] * self.times)
        made.out = c_in
        return made  # type: ignore[no-any-return]


def test_candidates_that_share_a_weight_are_refused() -> None:
    with pytest.raises(SpaceError, match=r"share the weight '0\.(weight|bias)': give each its own"):
        made(layers(b.Conv(width=4), pg.oneof([Lent(1), Lent(2)])))


def test_which_layer_takes_the_stride_must_not_be_chosen() -> None:
    body = [pg.oneof(["none", b.Conv(width=4)]), b.Conv(width=4)]
    with pytest.raises(SpaceError, match="which layer takes the stride depends"):
        supernet(layers(b.Conv(width=4), b.Residual(body, stride=2)), IMAGE[0], 10, input_shape=IMAGE)


def test_a_choice_of_one_is_a_site_like_any_other() -> None:
    space = layers(b.Conv(width=4), pg.oneof(["conv_1x1"]))
    net = made(space)
    net.route(space.routing(space.at([0])))
    assert list(net.switches) == ["layers[1]"]


def test_a_route_of_another_space_is_refused() -> None:
    net = made(nasbench201(channels=4, n_cells=1))
    with pytest.raises(ValueError, match="'layer' is no choice site"):
        net.route({"layer": (0,)})
    with pytest.raises(ValueError, match="edge_1_0 has 1 slot for candidates 0 to 4, got"):
        net.route({"edge_1_0": (5,)})
    with pytest.raises(ValueError, match="5 coefficients"):
        net.route({"edge_1_0": torch.ones(3)})


def test_weights_are_handed_on_to_the_network_of_the_route_only() -> None:
    space = nasbench201(channels=4, n_cells=1)
    net = made(space)
    net.route({name: (NASBENCH201.index("skip_connect"),) for name in net.switches})
    with pytest.raises(ValueError, match="not the network of this route"):
        net.hand_on(decoded(space, space.from_choices(dict.fromkeys(net.switches, "nor_conv_3x3")).genotype))
    wide = nasbench201(channels=8, n_cells=1)
    with pytest.raises(ValueError, match="not the network of this route"):
        net.hand_on(decoded(wide, wide.at([15624])))


def test_a_template_is_built_undecoded_in_a_supernet_only() -> None:
    space = nasbench201(channels=4, n_cells=1)
    supernet(space, 3, 10)
    with pytest.raises(SpaceError, match="still holds a choice"):
        build(space.template.value, 3, 10)


def test_a_blueprint_of_ones_own() -> None:
    class Block(Blueprint):
        body: Any
        scale: float = 1.0

        def build(self, c_in: int) -> nn.Module:
            body = build(self.body, c_in)
            head = nn.Linear(out_of(body), 10)
            head.weight.data.mul_(self.scale)
            return nn.Sequential(nn.Flatten(), body, head)

    class Hidden(Blueprint):
        bias: bool

        def build(self, c_in: int) -> nn.Module:
            return nn.Linear(c_in, 8, bias=self.bias)

    space = SearchSpace(
        Block(pg.oneof([Hidden(pg.oneof([True, False])), nn.Identity]), scale=pg.oneof([1.0, 0.5]))
    )
    with pytest.raises(SpaceError, match="candidates of a supernet have one width"):
        supernet(space, 12)
    space = SearchSpace(Block(Hidden(pg.oneof([True, False])), scale=pg.oneof([1.0, 0.5])))
    net = supernet(space, 12)
    assert [type(net.network), sorted(net.switches)] == [Choice, ["body.bias", "scale"]]
    x = torch.randn(2, 3, 2, 2)
    for row in rows(space, 12):
        network = build(space.architecture(row).value, 12)
        net.route(space.routing(row))
        net.hand_on(network)
        assert torch.equal(net(x), network(x))
