# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import inspect
from collections.abc import Callable

import pytest
import torch
from torch import nn

import archloom.nn as blocks

MAKERS: list[Callable[[int, int, int], nn.Module]] = [
    lambda c, d, s: blocks.ReluConvBN(c, d, 3, s),
    lambda c, d, s: blocks.ConvBN(c, d, 3, s),
    lambda c, d, s: blocks.ConvBN(c, d, 1, s, activation=False),
    lambda c, d, s: blocks.SeparableConv(c, d, 5, s, n_repeats=2),
    lambda c, d, s: blocks.SeparableConv(c, d, 5, s, dilation=2, affine=False),
    lambda c, d, s: blocks.SharpSeparableConv(c, d, 3, s, multiplier=4),
    lambda c, d, s: blocks.SharpSeparableConv(c, d, 5, s, dilation=2, bottleneck=3, affine=False),
    lambda c, d, s: blocks.Zero(c, d, s),
    lambda c, d, s: blocks.Skip(c, d, s),
    lambda c, d, s: blocks.Pool(c, d, "avg", stride=s),
    lambda c, d, s: blocks.Pool(c, d, "max", stride=s, norm=True, affine=False),
    lambda c, d, s: blocks.ConvLayer(c, d, 4, s, norm=nn.Identity(), activation=nn.ReLU()),
    lambda c, d, s: blocks.ConvLayer(c, d, 2, s, 3, norm=nn.BatchNorm2d(d), activation=nn.Identity()),
    lambda c, d, s: blocks.Project(c, d, s),
    lambda c, d, s: blocks.FactorizedConv(c, d, 3, s),
    lambda c, d, s: blocks.FactorizedConv(c, d, 7, s, affine=False),
    lambda c, d, s: blocks.Pool(c, d, "max", 7, s),
    lambda c, d, s: blocks.ScheduledDropPath(blocks.Skip(c, d, s), 0.6),
]


@pytest.mark.parametrize("make", MAKERS)
@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("widths", [(4, 4), (4, 6)])
@pytest.mark.parametrize("size", [1, 7, 8])
def test_every_edge_gives_the_same_shape(
    make: Callable[[int, int, int], nn.Module], stride: int, widths: tuple[int, int], size: int
) -> None:
    module = make(*widths, stride)
    y = module(torch.randn(2, widths[0], size, size))
    assert module.out == widths[1]
    assert y.shape == (2, widths[1], -(-size // stride), -(-size // stride))


@pytest.mark.parametrize("make", [blocks.FactorizedReduce, blocks.ResidualReduction])
@pytest.mark.parametrize("size", [1, 7, 8])
def test_reductions_halve_rounding_up(make: type[nn.Module], size: int) -> None:
    module = make(4, 7)
    assert module.out == 7
    assert module(torch.randn(2, 4, size, size)).shape == (2, 7, -(-size // 2), -(-size // 2))


def test_zero_is_zero_even_of_infinity() -> None:
    assert torch.equal(blocks.Zero(1, 1)(torch.full((1, 1, 2, 2), torch.inf)), torch.zeros(1, 1, 2, 2))


def test_average_pooling_does_not_count_padding() -> None:
    assert torch.allclose(blocks.Pool(1, 1, "avg")(torch.ones(1, 1, 4, 4)), torch.ones(1, 1, 4, 4))


def test_pool_names_the_wrong_mode() -> None:
    with pytest.raises(ValueError, match="'avg' or 'max', got 'mean'"):
        blocks.Pool(1, 1, "mean")


@pytest.mark.parametrize("size", [1, 7, 8])
def test_an_even_window_moves_by_its_side_and_rounds_up(size: int) -> None:
    x = torch.arange(size * size, dtype=torch.float).view(1, 1, size, size)
    y = blocks.Pool(1, 1, "max", 2, stride=2)(x)
    assert y.shape[-1] == -(-size // 2)
    assert y.max() == x.max()
    ones = torch.ones(1, 1, size, size)
    assert torch.equal(blocks.Pool(1, 1, "avg", 2, stride=2)(ones), torch.ones_like(y))
    with pytest.raises(ValueError, match="even side 2 moves by its own side, got stride 1"):
        blocks.Pool(1, 1, "max", 2)


@pytest.mark.parametrize(("options", "c_mid"), [({}, 6), ({"multiplier": 4}, 24), ({"bottleneck": 32}, 32)])
@pytest.mark.parametrize("k", [3, 5])
def test_a_sharp_convolution_has_the_middle_it_is_told(options: dict[str, int], c_mid: int, k: int) -> None:
    module = blocks.SharpSeparableConv(4, 6, k, dilation=2, **options)  # type: ignore[arg-type]
    n_parameters = sum(p.numel() for p in module.parameters())
    assert n_parameters == k**2 * (4 + c_mid) + c_mid * (4 + 6) + 2 * (c_mid + 6)


def test_a_sharp_convolution_dilates_its_first_kernel_only() -> None:
    module = blocks.SharpSeparableConv(1, 1, 3, dilation=2).eval()
    for name, p in module.named_parameters():
        nn.init.constant_(p, 0.0 if name.endswith("bias") else 1.0)
    x = torch.zeros(1, 1, 15, 15)
    x[0, 0, 7, 7] = 1
    # Nine points two pixels apart, each of which a 3x3 kernel spreads: seven by seven in all.
    assert len(torch.nonzero(module(x)[0, 0])) == 7**2


def test_a_sharp_convolution_has_one_width_in_its_middle() -> None:
    with pytest.raises(ValueError, match="got multiplier=4 and bottleneck=32"):
        blocks.SharpSeparableConv(2, 2, multiplier=4, bottleneck=32)


def test_factorized_reduce_sees_pixels_that_a_stride_skips() -> None:
    x = torch.zeros(1, 2, 4, 4)
    x[:, :, 1, 1] = 1.0
    module = blocks.FactorizedReduce(2, 4).eval()
    straight, shifted = module(x).split(2, dim=1)
    assert straight.abs().sum() == 0
    assert shifted.abs().sum() > 0


def test_affine_reaches_every_batch_norm() -> None:
    for module in (
        blocks.ReluConvBN(2, 2, 3, affine=False),
        blocks.ConvBN(2, 2, 3, affine=False),
        blocks.SeparableConv(2, 2, 3, n_repeats=2, affine=False),
        blocks.Skip(2, 4, 2, affine=False),
        blocks.Pool(2, 4, "avg", norm=True, affine=False),
        blocks.ResidualReduction(2, 2, affine=False),
        blocks.FactorizedConv(2, 2, 3, affine=False),
        blocks.SharpSeparableConv(2, 2, affine=False),
    ):
        norms = [m for m in module.modules() if isinstance(m, nn.BatchNorm2d)]
        assert norms
        assert not any(norm.affine for norm in norms)


def test_a_node_sums_its_edges() -> None:
    node = blocks.SumNode([0, 1, 0], [blocks.Skip(2, 2), blocks.Skip(2, 2), blocks.Zero(2, 2)])
    a, b = torch.randn(1, 2, 3, 3), torch.randn(1, 2, 3, 3)
    assert torch.equal(node([a, b]), a + b)
    assert node.out == 2


@pytest.mark.parametrize(("sources", "n"), [([], 0), ([0, 1], 1)])
def test_a_node_needs_a_source_an_operation(sources: list[int], n: int) -> None:
    with pytest.raises(ValueError, match="one source an operation"):
        blocks.SumNode(sources, [blocks.Skip(2, 2) for _ in range(n)])


def test_cells_wire_states_in_order() -> None:
    def node(*sources: int) -> nn.Module:
        return blocks.SumNode(sources, [blocks.Skip(1, 1) for _ in sources])

    x = torch.ones(1, 1, 1, 1)
    assert blocks.DagCell([node(0), node(0, 1), node(0, 1, 2)])(x).item() == 4
    two = blocks.TwoInputCell(nn.Identity(), nn.Identity(), [node(0, 1), node(0, 2)])
    assert two(x, 2 * x).flatten().tolist() == [3, 4]
    assert two.out == 2


def test_dense_layers_end_in_a_head() -> None:
    net = blocks.MLP([blocks.DenseLayer(12, 5, nn.ReLU(), 0.5)], nn.Linear(5, 3))
    assert net.layers[0].out == 5
    assert net.out == 3
    assert net(torch.randn(2, 3, 2, 2)).shape == (2, 3)


def test_every_parameter_is_kept_as_an_attribute() -> None:
    node = blocks.SumNode([0], [blocks.Skip(2, 2)])
    stem, head = blocks.ConvBN(3, 2, 3), blocks.PooledHead(2, 5, norm=True)
    examples = [make(2, 2, 1) for make in MAKERS] + [
        blocks.FactorizedReduce(2, 2),
        blocks.ResidualReduction(2, 2),
        node,
        blocks.DagCell([node]),
        blocks.TwoInputCell(stem, stem, [node]),
        blocks.ChainNetwork(stem, [node], head),
        blocks.TwoInputNetwork(stem, [node], head),
        head,
        blocks.DenseLayer(2, 2, nn.ReLU()),
        blocks.MLP([], nn.Linear(2, 2)),
        blocks.ConvLayer(2, 2, norm=nn.Identity(), activation=nn.ReLU()),
        blocks.MeanHead(2, 2),
        blocks.Norm(2),
        blocks.Parallel([stem], out=2),
        blocks.PositionPool(2),
        blocks.Project(2, 2),
        blocks.Residual(stem, nn.Identity(), nn.ReLU(), out=2),
        blocks.SelfAttention(4),
        blocks.AuxiliaryHead(2, 2),
        blocks.InvertedBottleneck(2, 2, 4),
        blocks.MixedConv(2, [3]),
        blocks.MixedBottleneck(2, 2, 4, blocks.MixedConv(4, [3]), nn.BatchNorm2d(2)),
        blocks.ShuffleUnit(2, 2, 2),
        blocks.PairNode([0, 1], [blocks.Skip(2, 2), blocks.Skip(2, 2)]),
        blocks.LooseEndsCell(stem, stem, [blocks.PairNode([0, 1], [blocks.Skip(2, 2), blocks.Skip(2, 2)])]),
    ]
    named = {name: getattr(blocks, name) for name in blocks.__all__}
    classes = {name for name, each in named.items() if inspect.isclass(each) and issubclass(each, nn.Module)}
    assert {type(example).__name__ for example in examples} == classes
    for example in examples:
        for name in inspect.signature(type(example)).parameters:
            assert hasattr(example, name), f"{type(example).__name__}.{name}"
