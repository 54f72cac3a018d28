# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from archloom.errors import ConfigError, UnknownNameError
from archloom.search_spaces.blueprint import build
from archloom.search_spaces.mlp import ACTIVATIONS, MLP, Dense, mlp


def test_the_size_counts_absent_layers() -> None:
    assert mlp().size == 12 * 13 * 13
    assert mlp(layers=1, dropout=[0.0, 0.5]).size == 24


@pytest.mark.parametrize("shape", [(16,), (1, 8, 8), (1, 28, 28), (3, 32, 32)])
def test_random_networks_train(shape: tuple[int, ...]) -> None:
    space = mlp(dropout=[0, 0.2])
    rows = space.sample(3, np.random.default_rng(0))
    for i in range(len(rows)):
        network = build(space.architecture(rows[i]).value, shape[0], 4, input_shape=shape)
        assert network.out == 4
        y = network(torch.randn(2, *shape))
        assert y.shape == (2, 4)
        y.square().sum().backward()
        assert all(p.grad is not None for p in network.parameters())


def test_without_a_shape_the_width_is_c_in() -> None:
    assert build(MLP(layers=[Dense(8), "none"]), 5, 2)(torch.randn(3, 5)).shape == (3, 2)


def test_gaps_mean_nothing() -> None:
    space = mlp(layers=3, widths=[8, 16], activations=["relu"])
    first = {"layers[0].width": "8"}
    one = space.from_choices(
        {**first, "layers[1]": "none", "layers[2]": "dense", "layers[2](dense).width": "16"}
    )
    two = space.from_choices(
        {**first, "layers[1]": "dense", "layers[1](dense).width": "16", "layers[2]": "none"}
    )
    assert one.text == two.text == "8 > 16"
    assert one.key == two.key
    rows = space.enumerate()
    assert len(rows) == 18
    assert len({space.architecture(rows[i]).key for i in range(len(rows))}) == 2 + 4 + 8


def test_text_names_what_was_chosen() -> None:
    space = mlp(layers=1, widths=[8], activations=["relu"])
    assert space.architecture(space.at([0])).text == "dense"
    space = mlp(layers=1, widths=[8, 9], activations=["relu", "tanh"], dropout=[0.0, 0.5])
    assert space.architecture(space.at([0])).text == "8 relu 0.0"


@pytest.mark.parametrize("name", ACTIVATIONS.names())
def test_every_activation_builds(name: str) -> None:
    assert build(Dense(4, activation=name), 3)(torch.randn(2, 3)).shape == (2, 4)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"layers": 0}, "layers >= 1, got 0"),
        ({"widths": []}, "at least one of widths"),
        ({"widths": [0]}, r"widths must be >= 1, got \[0\]"),
        ({"activations": []}, "at least one of activations"),
        ({"dropout": []}, "at least one of dropout"),
        ({"dropout": [1.0]}, r"dropout must be in \[0, 1\)"),
    ],
)
def test_wrong_options_are_named(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        mlp(**options)


def test_unknown_activations_are_named() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'relu'"):
        mlp(activations=["rely"])
    assert mlp(layers=1, activations=["torch.nn:Softplus"]).size == 4
