# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import itertools
import os
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from archloom.errors import ConfigError, UnknownNameError
from archloom.search_spaces.blueprint import build
from archloom.search_spaces.nasbench201 import EDGES, NasBench201, arch_text, isomorphism_key, nasbench201
from archloom.search_spaces.operations import NASBENCH201

TABLE = Path(os.environ.get("ARCHLOOM_DATA", "/nowhere")) / "nasbench201" / "nb201.parquet"


def cells() -> list[tuple[str, ...]]:
    return list(itertools.product(NASBENCH201, repeat=len(EDGES)))


def n_parameters(operations: list[str], n_outputs: int = 10) -> int:
    network = build(NasBench201(*operations), 3, n_outputs)
    return sum(p.numel() for p in network.parameters())


def operations_of(arch: str) -> list[str]:
    return [edge.split("~")[0] for edge in arch.replace("+", "").split("|") if edge]


def test_the_space_is_the_benchmark() -> None:
    space = nasbench201()
    assert space.size == 15625
    assert [decision.name for decision in space.decisions] == [f"edge_{i}_{j}" for i, j in EDGES]
    assert all(decision.candidates == NASBENCH201 for decision in space.decisions)


def test_choices_index_the_operations_of_the_text() -> None:
    space = nasbench201()
    row = space.sample(1, np.random.default_rng(0))
    architecture = space.architecture(row)
    operations = [NASBENCH201[choice] for choice in row.choices[0]]
    assert operations_of(architecture.text) == operations
    assert [getattr(architecture.value, f"edge_{i}_{j}") for i, j in EDGES] == operations


def test_the_text_is_the_official_string() -> None:
    operations = ["none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3", "none"]
    assert arch_text(operations) == (
        "|none~0|+|skip_connect~0|nor_conv_1x1~1|+|nor_conv_3x3~0|avg_pool_3x3~1|none~2|"
    )


def test_there_are_6466_cells_up_to_isomorphism() -> None:
    start = time.process_time()
    keys = {isomorphism_key(operations) for operations in cells()}
    assert len(keys) == 6466
    assert time.process_time() - start < 2


@pytest.mark.slow
def test_keys_of_the_space_are_the_classes() -> None:
    space = nasbench201()
    rows = space.enumerate()
    assert len({space.architecture(rows[i]).key for i in range(len(rows))}) == 6466


@pytest.mark.skipif(not TABLE.exists(), reason="ARCHLOOM_DATA does not hold the NAS-Bench-201 table")
def test_the_classes_are_those_of_the_table() -> None:
    table = pd.read_parquet(TABLE, columns=["arch", "iso_rep_index"])
    keys = table["arch"].map(lambda arch: isomorphism_key(operations_of(arch)))
    assert (table["iso_rep_index"].groupby(keys).nunique() == 1).all()
    assert (keys.groupby(table["iso_rep_index"]).nunique() == 1).all()


def test_parameters_are_those_of_the_benchmark() -> None:
    lightest = [
        "avg_pool_3x3",
        "nor_conv_1x1",
        "skip_connect",
        "nor_conv_1x1",
        "skip_connect",
        "skip_connect",
    ]
    heaviest = ["nor_conv_3x3"] * 6
    assert n_parameters(lightest) == 129306
    assert n_parameters(heaviest) == 1531546
    assert n_parameters(heaviest, n_outputs=100) == 1531546 + 90 * 65


@pytest.mark.slow
@pytest.mark.skipif(not TABLE.exists(), reason="ARCHLOOM_DATA does not hold the NAS-Bench-201 table")
def test_parameters_are_those_of_the_table() -> None:
    table = pd.read_parquet(TABLE, columns=["index", "arch", "cifar10_params", "cifar100_params"])
    rows = table[table["index"].isin([0, 1, 2, 6111, 9930, 15624])]
    assert len(rows) == 6
    for row in rows.to_dict("records"):
        operations = operations_of(row["arch"])
        assert n_parameters(operations) == row["cifar10_params"]
        assert n_parameters(operations, n_outputs=100) == row["cifar100_params"]


@pytest.mark.parametrize("size", [8, 28, 32])
def test_random_cells_train(size: int) -> None:
    space = nasbench201(channels=4, n_cells=1)
    row = space.sample(1, np.random.default_rng(size))
    network = build(space.architecture(row).value, 1, 7, input_shape=(1, size, size))
    assert network.out == 7
    y = network(torch.randn(2, 1, size, size))
    assert y.shape == (2, 7)
    y.square().sum().backward()
    assert all(p.grad is not None for p in network.head.parameters())  # type: ignore[union-attr]


def test_other_operations_make_other_spaces() -> None:
    space = nasbench201(operations=["none", "sep_conv_3x3", "conv_3x3"], channels=4, n_cells=1)
    assert space.size == 729
    assert build(space.architecture(space.at([728])).value, 3, 2).out == 2


@pytest.mark.parametrize("options", [{"channels": 0}, {"n_cells": 0}, {"operations": []}])
def test_wrong_options_are_named(options: dict[str, int]) -> None:
    with pytest.raises(ConfigError, match=f"{next(iter(options))}="):
        nasbench201(**options)  # type: ignore[arg-type]


def test_unknown_operations_are_named() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'skip_connect'"):
        nasbench201(operations=["skip_conect"])
