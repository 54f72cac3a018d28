# SPDX-License-Identifier: Apache-2.0
"""What does not fit is found without weights, with the part that failed and why."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pyglove as pg
import pytest
import torch
from torch import nn

from archloom.evaluators.checking import checked, covering, describes_network, misfit
from archloom.evaluators.networks import NetworkShape
from archloom.search_spaces import SearchSpace
from archloom.search_spaces.blueprint import Blueprint
from archloom.search_spaces.blueprints import Call, Cell, Conv, Edge, Flatten, Linear, Residual, Sequence
from archloom.search_spaces.cell import cell
from archloom.search_spaces.mlp import mlp
from archloom.search_spaces.nasbench201 import nasbench201

SHAPE = NetworkShape((1, 8, 8), 10)
CHOICE = pg.oneof([4, 8])


def check(value: Any, shape: NetworkShape = SHAPE) -> tuple[str, str, str] | None:
    space = SearchSpace(value)
    found = misfit(space.architecture(space.sample(1, np.random.default_rng(0))), shape)
    return None if found is None else (found.path, found.stage, found.reason)


class Net(nn.Module):
    """A stranger's network of a width of its own."""

    def __init__(self, width: int, c_in: int = 1):
        super().__init__()
        self.body = nn.Sequential(nn.Flatten(), nn.Linear(64 * c_in, width))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y: torch.Tensor = self.body(x)
        return y


class Peeking(Net):
    """It looks at numbers, which the meta device has not."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = super().forward(x)
        return y if float(y.detach().sum()) < 1e9 else -y


class Tables(nn.Module):
    """It makes lists of numbers when it is built."""

    def __init__(self, width: int):
        super().__init__()
        rates = torch.linspace(0.0, 0.5, 3).tolist()
        self.body = nn.Sequential(nn.Flatten(), *[nn.Dropout(rate) for rate in rates], nn.Linear(64, width))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y: torch.Tensor = self.body(x)
        return y


class Words(nn.Module):
    """It takes whole numbers."""

    def __init__(self, width: int):
        super().__init__()
        self.embedding, self.head = nn.Embedding(20, 8), nn.Linear(8, width)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y: torch.Tensor = self.head(self.embedding(x).mean(1))
        return y


class Pair(Net):
    def forward(self, x: torch.Tensor) -> Any:
        return super().forward(x), x


class Mixed(Blueprint):
    """A blueprint that is no layer of the library."""

    parts: list[Any]

    def build(self, c_in: int, n_outputs: int, *, input_shape: Any) -> nn.Module:
        from archloom.search_spaces import build

        return nn.Sequential(
            *[build(part, c_in) for part in self.parts], nn.Flatten(), nn.LazyLinear(n_outputs)
        )


@pytest.mark.parametrize("space", [cell(nodes=2), mlp(), nasbench201()])
def test_built_in_spaces_fit(space: SearchSpace) -> None:
    found = list(checked(space, NetworkShape((3, 16, 16), 7), n=4, rng=np.random.default_rng(0)))
    assert len(found) == 4
    assert all(wrong is None for _, wrong in found)


@pytest.mark.parametrize(
    ("value", "shape"),
    [
        (Call(Net, {"width": pg.oneof([10])}), SHAPE),
        (Call(Peeking, {"width": pg.oneof([10])}), SHAPE),
        (Call(Tables, {"width": pg.oneof([10])}), SHAPE),
        (Call(Words, {"width": pg.oneof([10])}), NetworkShape((7,), 10)),
        (Call(Words, {"width": pg.oneof([1])}), NetworkShape((7,), 1)),
        (Sequence([Conv(CHOICE, groups=1), Linear(3)][:1]), SHAPE),
        (
            Call("torch.nn:Linear", {"in_features": 8, "out_features": pg.oneof([10**9])}),
            NetworkShape((8,), 10**9),
        ),
    ],
)
def test_what_fits_raises_no_alarm(value: Any, shape: NetworkShape) -> None:
    assert check(value, shape) is None


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        (
            Sequence([Conv(4), Residual([Conv(groups=3), Conv(CHOICE)])]),
            (
                "layers[1].body[0]",
                "build",
                "groups must divide the widths, got 3 groups of 4 channels in and 4 out",
            ),
        ),
        (
            Sequence([Conv(CHOICE), [Residual([Conv(), Linear(3)])]]),
            ("layers[1][0].body[1]", "forward", "a linear layer takes vectors or tokens"),
        ),
        (
            Sequence(
                [
                    Conv(4),
                    Call("torch.nn:Conv2d", {"in_channels": 3, "out_channels": CHOICE, "kernel_size": 1}),
                ]
            ),
            ("layers[1]", "forward", "Conv2d takes 3 channels, got 2 x 4 x 8 x 8"),
        ),
        (
            Sequence([Flatten(), Call("torch.nn:Linear", {"in_features": 9, "out_features": CHOICE})]),
            ("layers[1]", "forward", "Linear takes 9 features, got 2 x 64"),
        ),
        (
            Sequence([Conv(CHOICE), "conv_3x3", Flatten(), ["conv_3x3"]]),
            ("layers[3][0]", "forward", "got input of size: [2, 512]"),
        ),
        (
            # The layers before a flatten are run while the network is built; what fails is not the flatten.
            Sequence([Conv(CHOICE), [Conv(), Linear(3)], Flatten()]),
            ("layers[1][1]", "forward", "a linear layer takes vectors or tokens, got (2, 8, 8, 8)"),
        ),
        (
            Sequence([Conv(CHOICE), Cell([[Conv()], [Edge(1, Conv(stride=2)), "skip_connect"]])]),
            (
                "layers[1]",
                "forward",
                "a node sums states that are of one shape, got (2, 8, 4, 4) and (2, 8, 8, 8)",
            ),
        ),
        (
            Sequence([Conv(CHOICE), Linear(3), Cell([["nor_conv_1x1"]]), Flatten()]),
            ("layers[1]", "forward", "a linear layer takes vectors or tokens"),
        ),
        (
            Sequence([Conv(CHOICE), Flatten(), Cell([["nor_conv_1x1"]])]),
            ("layers[2].nodes[0][0]", "forward", "got 2 x 512"),
        ),
        (Call(Net, {"width": pg.oneof([7])}), ("", "output", "2 samples need 2 x 10 outputs, got 2 x 7")),
        (Call(Peeking, {"width": pg.oneof([7])}), ("", "output", "2 x 10 outputs, got 2 x 7")),
        (Call(Pair, {"width": pg.oneof([10])}), ("", "output", "gives a tuple where one tensor is needed")),
        (
            Call(Net, {"width": 10, "c_in": pg.oneof([2])}),
            ("", "forward", "Linear takes 128 features, got 2 x 64"),
        ),
        (
            Call(Net, {"wdth": pg.oneof([2])}),
            ("", "build", "Net has no argument 'wdth'; did you mean 'width'"),
        ),
        (Mixed(parts=["conv_3x3", Edge(0, Conv(CHOICE))]), ("parts[1]", "build", "c_out")),
    ],
)
def test_what_does_not_fit_is_found_with_its_place(value: Any, wanted: tuple[str, str, str]) -> None:
    found = check(value)
    assert found is not None
    assert found[:2] == wanted[:2]
    assert wanted[2] in found[2]
    assert "\n" not in found[2]


def test_checking_leaves_the_caller_s_randomness_alone() -> None:
    before = torch.random.get_rng_state()
    check(Call(Peeking, {"width": pg.oneof([10])}))
    assert torch.equal(before, torch.random.get_rng_state())


def test_the_first_points_hold_every_candidate() -> None:
    deep = pg.oneof([Conv(kernel_size=pg.oneof([1, 3, 5, 7])), Residual(Conv(pg.oneof([2, 4, 6]))), "none"])
    space = SearchSpace(
        Sequence(
            [deep.clone(deep=True), deep.clone(deep=True), pg.oneof([Conv(width) for width in range(1, 9)])]
        )
    )
    rows = covering(space, 12, np.random.default_rng(0))
    assert len(rows) == len({row.keys()[0] for row in rows}) == 12
    held = np.concatenate([row.choices for row in rows])
    for column, decision in enumerate(space.decisions):
        assert set(range(len(decision.candidates))) <= set(held[:, column])


def test_a_small_space_is_checked_whole_and_once() -> None:
    space = SearchSpace(Sequence([Conv(CHOICE), pg.oneof(["skip_connect", Linear()])]))
    found = {a.text: wrong for a, wrong in checked(space, SHAPE, n=50, rng=np.random.default_rng(0))}
    assert len(found) == 4
    assert {text: wrong is None for text, wrong in found.items()} == {
        f"layers[0].width={width}, layers[1]={op}": op == "skip_connect"
        for width in (4, 8)
        for op in ("skip_connect", "linear")
    }


def test_the_same_seed_checks_the_same_points() -> None:
    first, second = (covering(cell(), 5, np.random.default_rng(3)) for _ in range(2))
    assert [row.keys() for row in first] == [row.keys() for row in second]


def test_floats_and_ends_of_a_space_are_covered() -> None:
    space = SearchSpace(pg.Dict(x=pg.floatv(0.0, 1.0), y=pg.oneof([1, 2])))
    assert len(covering(space, 4, np.random.default_rng(0))) == 4
    assert len(covering(SearchSpace(pg.Dict(x=3)), 4, np.random.default_rng(0))) == 1


def test_what_is_no_network_is_told_apart() -> None:
    assert describes_network(Conv())
    assert describes_network(Net)
    assert not describes_network(pg.Dict(x=1))
    assert not describes_network(pg.List([Conv()]))


def test_a_huge_network_is_checked_at_once() -> None:
    start = time.perf_counter()
    assert check(Sequence([Flatten(), *[Linear(50_000) for _ in range(20)], Linear(CHOICE)])) is None
    assert time.perf_counter() - start < 2.0
