# SPDX-License-Identifier: Apache-2.0
"""Modules that take images, tokens and vectors alike, and the places where ways meet."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from archloom import nn as blocks

IMAGE, TOKENS, VECTOR = (2, 8, 3, 5), (2, 6, 8), (2, 8)


def channels_first(x: Tensor) -> Tensor:
    """``b x c x positions``."""
    return x.flatten(2) if x.ndim == 4 else x.movedim(-1, 1)


@pytest.mark.parametrize("kind", ["batch", "layer", "group", "instance"])
@pytest.mark.parametrize("shape", [IMAGE, TOKENS, VECTOR])
def test_norms_make_mean_zero_and_deviation_one(kind: str, shape: tuple[int, ...]) -> None:
    if kind == "instance" and len(shape) == 2:
        with pytest.raises(ValueError, match="a vector has none"):
            blocks.Norm(8, kind)(torch.zeros(shape))
        return
    module = blocks.Norm(8, kind, 2 if kind == "group" else 1)
    shape = (16, *shape[1:])
    y = module(3 + 2 * torch.randn(shape, generator=torch.Generator().manual_seed(0)))
    assert y.shape == shape
    first = channels_first(y)
    dims = {"batch": (0, *range(2, first.ndim)), "layer": (1,), "instance": (2,)}
    groups = first.reshape(len(first), 2, 4, -1)
    mean = groups.mean(tuple(range(2, groups.ndim))) if kind == "group" else first.mean(dims[kind])
    assert torch.allclose(mean, torch.zeros_like(mean), atol=1e-5)
    if kind == "batch":
        deviation = first.transpose(0, 1).flatten(1).std(1, correction=0)
        assert torch.allclose(deviation, torch.ones_like(deviation), atol=1e-3)


def test_a_batch_norm_of_images_is_torch_s() -> None:
    x = torch.randn(4, 8, 3, 3)
    assert torch.allclose(blocks.Norm(8)(x), nn.BatchNorm2d(8)(x), atol=1e-6)


@pytest.mark.parametrize("make", [lambda: blocks.Norm(8, "wide"), lambda: blocks.PositionPool(8, "mean")])
def test_unknown_kinds_are_named(make: type[nn.Module]) -> None:
    with pytest.raises(ValueError, match=r"kind must be .*, got '(wide|mean)'"):
        make()


@pytest.mark.parametrize("shape", [IMAGE, TOKENS, VECTOR])
def test_a_projection_is_one_map_at_every_position(shape: tuple[int, ...]) -> None:
    module, x = blocks.Project(8, 3), torch.randn(shape)
    wanted = torch.einsum("bcp,dc->bdp", channels_first(x).reshape(2, 8, -1), module.linear.weight)
    assert torch.allclose(channels_first(module(x)).reshape(2, 3, -1), wanted, atol=1e-5)


def test_a_projection_strides_over_positions() -> None:
    assert blocks.Project(8, 3, 2)(torch.zeros(IMAGE)).shape == (2, 3, 2, 3)
    assert blocks.Project(8, 3, 4)(torch.zeros(TOKENS)).shape == (2, 2, 3)
    with pytest.raises(ValueError, match="no positions to take one in 2 of"):
        blocks.Project(8, 3, 2)(torch.zeros(VECTOR))


@pytest.mark.parametrize("shape", [IMAGE, TOKENS, VECTOR])
def test_positions_are_pooled_into_one_vector(shape: tuple[int, ...]) -> None:
    x = torch.randn(shape)
    positions = channels_first(x).reshape(2, 8, -1)
    assert torch.allclose(blocks.PositionPool(8)(x), positions.mean(-1), atol=1e-6)
    assert torch.equal(blocks.PositionPool(8, "max")(x), positions.amax(-1))
    assert blocks.MeanHead(8, 4, 0.1)(x).shape == (2, 4)


def test_attention_is_that_of_torch() -> None:
    module, x = blocks.SelfAttention(8, 2).eval(), torch.randn(TOKENS)
    torch_s = nn.MultiheadAttention(8, 2, batch_first=True).eval()
    with torch.no_grad():
        torch_s.in_proj_weight.copy_(module.qkv.weight)
        torch_s.in_proj_bias.copy_(module.qkv.bias)
        torch_s.out_proj.weight.copy_(module.project.weight)
        torch_s.out_proj.bias.copy_(module.project.bias)
        assert torch.allclose(module(x), torch_s(x, x, x)[0], atol=1e-6)
        image = x.transpose(1, 2).reshape(2, 8, 2, 3)
        assert torch.allclose(module(image).flatten(2).transpose(1, 2), module(x), atol=1e-6)
    with pytest.raises(ValueError, match="a vector has none"):
        module(torch.zeros(VECTOR))
    with pytest.raises(ValueError, match="3 heads of 8 channels"):
        blocks.SelfAttention(8, 3)


def test_a_residual_pools_its_shortcut_to_the_body_s_size() -> None:
    module = blocks.Residual(blocks.Zero(1, 1, 2), nn.Identity(), nn.Identity(), out=1)
    x = torch.arange(9.0).view(1, 1, 3, 3)
    assert module(x).flatten().tolist() == [2.0, 3.5, 6.5, 8.0]
    plain = blocks.Residual(nn.Identity(), nn.Identity(), nn.ReLU(), out=8)
    assert torch.equal(plain(torch.ones(TOKENS)), torch.full(TOKENS, 2.0))


def test_shapes_that_torch_would_broadcast_are_refused() -> None:
    pooled = blocks.PositionPool(8)
    vector_of_tokens = blocks.Residual(pooled, nn.Identity(), nn.Identity(), out=8)
    with pytest.raises(ValueError, match=r"one shape, got \(2, 6, 8\) and \(2, 8\)"):
        vector_of_tokens(torch.zeros(TOKENS))
    with pytest.raises(ValueError, match="branches are summed that are of one shape"):
        blocks.Parallel([nn.Identity(), nn.AdaptiveAvgPool2d(1)], out=8)(torch.zeros(IMAGE))
    with pytest.raises(ValueError, match="a node sums states that are of one shape"):
        blocks.SumNode([0, 0], [nn.Identity(), nn.AdaptiveAvgPool2d(1)])([torch.zeros(IMAGE)])


@pytest.mark.parametrize("shape", [IMAGE, TOKENS, VECTOR])
def test_branches_meet(shape: tuple[int, ...]) -> None:
    x = torch.randn(shape)
    summed = blocks.Parallel([nn.Identity(), nn.Identity()], out=8)
    beside = blocks.Parallel([nn.Identity(), nn.Identity()], "concat", out=16)
    assert torch.allclose(summed(x), 2 * x)
    assert channels_first(beside(x)).shape[1] == 16


def test_a_cell_may_give_all_its_nodes() -> None:
    nodes = [blocks.SumNode([0], [blocks.Skip(2, 2)]), blocks.SumNode([0, 1], [blocks.Skip(2, 2)] * 2)]
    cell, x = blocks.DagCell(nodes, "concat"), torch.ones(1, 2, 1, 1)
    assert cell.out == 4
    assert cell(x).flatten().tolist() == [1, 1, 2, 2]


def test_layers_refuse_what_they_would_misread() -> None:
    conv = blocks.ConvLayer(2, 2, norm=nn.Identity(), activation=nn.ReLU())
    with pytest.raises(ValueError, match=r"takes images, got \(2, 4, 4\)"):
        conv(torch.zeros(2, 4, 4))  # torch would read one image of two channels
    with pytest.raises(ValueError, match=r"vectors or tokens, got \(2, 4, 8, 8\)"):
        blocks.DenseLayer(8, 8, nn.ReLU())(torch.zeros(2, 4, 8, 8))  # torch would map the columns
