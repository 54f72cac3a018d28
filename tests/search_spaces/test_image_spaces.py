"""The spaces of networks for images that supernets are known for: sizes, words, what they refuse."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch

from archloom.errors import ArchloomError
from archloom.nn import InvertedBottleneck, ShuffleUnit
from archloom.search_spaces import SearchSpace, build
from archloom.search_spaces.mixpath import mixpath
from archloom.search_spaces.mobilenet import mobilenet
from archloom.search_spaces.sorted_mlp import sorted_mlp
from archloom.search_spaces.spos import ShuffleBlock, spos


def made(space: SearchSpace, rank: int, shape: tuple[int, int, int]) -> torch.nn.Module:
    return build(space.architecture(space.at([rank])).value, shape[0], 10, input_shape=shape)


def test_spos_is_as_large_as_published() -> None:
    assert spos().size == 4**20
    network = made(spos(), 0, (3, 32, 32))
    n_params = sum(p.numel() for p in network.parameters())
    assert 1.8e6 < n_params < 3.5e6  # all of them shuffle_3; the published network of large kernels has 3.5M
    assert network(torch.rand(2, 3, 64, 64)).shape == (2, 10)


def test_the_width_inside_a_unit_is_in_tenths() -> None:
    unit = build(ShuffleBlock("shuffle_5", 5), 16, c_out=32, stride=2)
    assert isinstance(unit, ShuffleUnit)
    assert (unit.mid, unit.kernel_size, unit.out) == (8, 5, 32)
    assert unit(torch.rand(1, 16, 7, 7)).shape == (1, 32, 4, 4)


def test_half_of_the_channels_pass_by() -> None:
    unit = ShuffleUnit(8, 8, 4).eval()
    x = torch.rand(1, 8, 4, 4)
    assert torch.equal(unit(x)[:, :4], x[:, 0::2])


def test_a_bottleneck_goes_around_where_shapes_allow() -> None:
    x = torch.rand(1, 8, 4, 4)
    block = InvertedBottleneck(8, 8, 16).eval()
    inner = block.project(block.depthwise(block.expand(x)))
    assert torch.allclose(block(x), x + inner)
    assert InvertedBottleneck(8, 12, 16, stride=2)(x).shape == (1, 12, 2, 2)


def test_blocks_that_are_not_there_mean_nothing() -> None:
    space = mobilenet(channels=[8], strides=[1], depths=[1, 2], kernels=[3, 5], expansions=[2])
    kernels = {f"stages[0].blocks[{i}].kernel_size": "3" for i in range(2)}
    shallow = space.from_choices({"stages[0].depth": "1", **kernels})
    same = space.from_choices({"stages[0].depth": "1", **kernels, "stages[0].blocks[1].kernel_size": "5"})
    deep = space.from_choices({"stages[0].depth": "2", **kernels})
    assert shallow.key == same.key != deep.key
    assert (shallow.text, deep.text) == ("k3", "k3, k3")


def test_a_space_of_sums_is_as_large_as_its_subsets() -> None:
    assert mixpath().size == (2 * 15) ** 12
    small = mixpath(channels=[8], strides=[1], depth=1, kernels=[3, 5], most=2, expansions=[2])
    network = made(small, 2, (3, 8, 8))
    assert (
        sorted(str(m.kernel_size) for m in network.modules() if isinstance(m, torch.nn.Conv2d))[-1]
        == "(5, 5)"
    )
    assert small.architecture(small.at([2])).text == "k3+5"


def test_a_sorted_network_has_one_choice() -> None:
    space = sorted_mlp(width=64, n_widths=16, layers=3)
    assert (space.size, [decision.name for decision in space.decisions]) == (16, ["width"])
    assert space.architecture(space.at([15])).text == "64 x 64 x 64"


@pytest.mark.parametrize(
    ("make", "options", "words"),
    [
        (spos, {"stages": [4]}, "a width for each"),
        (spos, {"stages": [1, 1], "channels": [16, 15]}, "even, and rise wherever"),
        (spos, {"stages": [1, 1], "channels": [32, 16]}, "even, and rise wherever"),
        (spos, {"units": ["shufle_3"]}, "did you mean 'shuffle_3'"),
        (spos, {"tenths": []}, "at least one unit"),
        (spos, {"first_stride": 3}, "strides are 1 or 2"),
        (mobilenet, {"channels": [8]}, "a stride of 1 or 2 for each stage"),
        (mobilenet, {"kernels": [2, 3]}, "the sides of kernels are odd"),
        (mobilenet, {"depths": []}, "at least one of depths"),
        (mobilenet, {"expansions": [0]}, "at least one of expansions"),
        (mixpath, {"kernels": [3, 3]}, "odd and different"),
        (mixpath, {"most": 5}, "of 4 kernels 1 to 4 can be summed"),
        (mixpath, {"depth": 0}, "depth >= 1"),
        (mixpath, {"expansions": []}, "at least one of expansions"),
        (sorted_mlp, {"width": 10, "n_widths": 4}, "that n_widths, at least 2, divides"),
        (sorted_mlp, {"activation": "rleu"}, "did you mean 'relu'"),
    ],
)
def test_numbers_that_do_not_go_together_are_refused(
    make: Callable[..., SearchSpace], options: dict[str, Any], words: str
) -> None:
    with pytest.raises(ArchloomError, match=words):
        make(**options)


@pytest.mark.parametrize(
    ("c_in", "c_out", "stride", "n_depthwise"), [(7, 7, 1, 1), (8, 10, 1, 1), (8, 8, 2, 1), (8, 8, 1, 2)]
)
def test_units_that_cannot_be_are_refused(c_in: int, c_out: int, stride: int, n_depthwise: int) -> None:
    with pytest.raises(ValueError, match="a unit"):
        ShuffleUnit(c_in, c_out, 4, stride=stride, n_depthwise=n_depthwise)
