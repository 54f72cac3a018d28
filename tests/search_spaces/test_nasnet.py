# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import importlib.util
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from archloom.contracts import Trial
from archloom.errors import ConfigError, SpaceError, UnknownNameError
from archloom.evaluators.training import Training
from archloom.export import export_model
from archloom.nn import FactorizedReduce, LooseEndsCell, ScheduledDropPath, Skip
from archloom.nn.drop_path import drop_paths, set_progress
from archloom.search_spaces.blueprint import build
from archloom.search_spaces.nasnet import NASNET_A, Block, NasNet, NasNetCell, canonical_blocks, nasnet
from archloom.search_spaces.space import Architecture

SIMPLE = ("skip_connect", "nor_conv_1x1")


def one(**changes: Any) -> NasNet:
    """A small network whose cells have two blocks that both combine in the given way."""
    blocks = [
        Block("input_0", "nor_conv_3x3", "input_1", "skip_connect", changes.pop("combine", "add")),
        Block("input_1", "sep_conv_3x3", changes.pop("source", "input_0"), "max_pool_3x3", "add"),
    ]
    return NasNet(NasNetCell(blocks), NasNetCell(blocks), **({"channels": 4} | changes))


def nasnet_a(**options: Any) -> Architecture:
    return nasnet(**({"channels": 4} | options)).from_choices(NASNET_A)


@pytest.mark.parametrize("blocks", [1, 2, 5])
@pytest.mark.parametrize(("operations", "combines"), [(None, ("add", "concat")), (SIMPLE, ("add",))])
def test_size_and_decisions_are_counted_by_hand(
    blocks: int, operations: tuple[str, ...] | None, combines: tuple[str, ...]
) -> None:
    space = nasnet(blocks=blocks, operations=operations, combines=combines)
    n_operations = 13 if operations is None else len(operations)
    cells = math.prod(len(combines) * (n_operations * (i + 2)) ** 2 for i in range(blocks))
    assert space.size == cells**2
    assert len(space.decisions) == 2 * 5 * blocks


def test_the_paper_makes_fifty_decisions() -> None:
    space = nasnet()
    assert len(space.decisions) == 50
    assert space.decisions[0].candidates == ("input_0", "input_1")
    assert [len(d.candidates) for d in space.decisions[-5:]] == [6, 13, 6, 13, 2]


@pytest.mark.parametrize(("n", "c_in", "size"), [(1, 1, 8), (2, 3, 16)])
@pytest.mark.parametrize("seed", range(3))
def test_sampled_networks_run(n: int, c_in: int, size: int, seed: int) -> None:
    space = nasnet(channels=2, blocks=3)
    row = space.sample(1, np.random.default_rng(seed))
    network = build(space.architecture(row).value, c_in, 5, input_shape=(c_in, size, size))
    y = network(torch.randn(n, c_in, size, size))
    assert y.shape == (n, 5)
    y.square().sum().backward()
    assert network.stem.body[0].weight.grad.abs().sum() > 0  # type: ignore[union-attr, index]


@pytest.mark.parametrize(("n", "c_in", "size"), [(1, 1, 8), (2, 3, 16)])
def test_the_cells_that_were_found_run(n: int, c_in: int, size: int) -> None:
    network = build(nasnet_a().value, c_in, 10, input_shape=(c_in, size, size))
    assert network(torch.randn(n, c_in, size, size)).shape == (n, 10)
    cells = list(network.cells)  # type: ignore[arg-type]
    # Normal cells have five loose ends; blocks 0 and 1 of the reduction cell are read by blocks 3 and 4.
    assert [cell.loose for cell in cells[:2]] == [[2, 3, 4, 5, 6], [4, 5, 6]]
    assert [cell.out for cell in cells] == [5 * 4, 3 * 8, 5 * 8, 3 * 16, 5 * 16]


def test_reductions_are_between_stages() -> None:
    network = build(one(n_cells=2), 3, 5)
    sizes: list[int] = []
    for cell in network.cells:  # type: ignore[union-attr]
        cell.register_forward_hook(lambda _m, _x, y: sizes.append(y.shape[-1]))
    network(torch.randn(2, 3, 9, 9))
    assert sizes == [9, 9, 5, 5, 5, 3, 3, 3]
    kinds = [isinstance(cell.preprocess_0, FactorizedReduce) for cell in network.cells]  # type: ignore[union-attr]
    assert kinds == [False, False, False, True, False, False, True, False]


def test_an_operation_on_a_block_keeps_the_size_in_a_reduction() -> None:
    network = build(one(source="block_0"), 1, 5)
    reduction: Any = network.cells[1]  # type: ignore[index]
    assert [op.stride for op in reduction.nodes[1].operations] == [2, 1]
    assert reduction.loose == [3]


def test_side_by_side_is_wider_and_is_brought_back() -> None:
    network = build(one(combine="concat", source="block_0"), 1, 5)
    cell: Any = network.cells[0]  # type: ignore[index]
    assert [node.out for node in cell.nodes] == [8, 4]
    assert cell.nodes[1].operations[1].c_in == 8
    assert network(torch.randn(2, 1, 8, 8)).shape == (2, 5)
    assert [cell.out for cell in build(one(combine="concat"), 1, 5).cells] == [12, 24, 24, 48, 48]  # type: ignore[union-attr]


def test_text_and_names_read_well() -> None:
    architecture = nasnet_a()
    assert architecture.text.startswith(
        "normal: block_0 = add(sep_conv_5x5(input_1), sep_conv_3x3(input_0)), block_1"
    )
    assert "block_3 = add(skip_connect(block_1), avg_pool_3x3(block_0))" in architecture.text
    assert architecture.choices["reduction.blocks[4].source_0"] == "block_0"


def test_the_order_of_the_halves_means_nothing_to_the_key() -> None:
    space = nasnet(blocks=2, operations=SIMPLE)
    rows = space.sample(20, np.random.default_rng(0))
    for i in range(len(rows)):
        architecture = space.architecture(rows[i])
        swapped = dict(architecture.choices)
        for part in ("source", "op"):
            first, second = (f"normal.blocks[1].{part}_{half}" for half in (0, 1))
            swapped[first], swapped[second] = swapped[second], swapped[first]
        assert space.from_choices(swapped).key == architecture.key
        other = {"add": "concat", "concat": "add"}[str(swapped["normal.blocks[1].combine"])]
        assert space.from_choices(swapped | {"normal.blocks[1].combine": other}).key != architecture.key


def test_normal_and_reduction_cells_are_told_apart() -> None:
    space = nasnet(blocks=1, operations=SIMPLE)
    choices = dict(space.architecture(space.at([1])).choices)
    names = {"normal": "reduction", "reduction": "normal"}
    exchanged = {f"{names[k.partition('.')[0]]}.{k.partition('.')[2]}": v for k, v in choices.items()}
    assert space.from_choices(choices).key != space.from_choices(exchanged).key
    halves = [["input_0", "a", "input_1", "b", "add"]]
    assert canonical_blocks(halves) != canonical_blocks([["input_0", "b", "input_1", "a", "add"]])


def test_networks_of_one_key_compute_the_same() -> None:
    def network(*halves: str) -> nn.Module:
        cell = NasNetCell(
            [Block(*halves, "concat"), Block("block_0", "nor_conv_1x1", "block_0", "nor_conv_1x1")]
        )
        torch.manual_seed(0)
        return build(NasNet(cell, cell, channels=2), 1, 2).eval()

    a = network("input_0", "nor_conv_1x1", "input_1", "nor_conv_3x3")
    b = network("input_1", "nor_conv_3x3", "input_0", "nor_conv_1x1")
    weights = {}
    for name, value in a.state_dict().items():
        other = name.replace("nodes.0.operations.0", "x").replace(
            "nodes.0.operations.1", "nodes.0.operations.0"
        )
        weights[other.replace("x", "nodes.0.operations.1")] = value
        if "nodes.1" in name and value.ndim == 4:  # what reads the two results, now the other way around
            weights[name] = value.roll(value.shape[1] // 2, dims=1)
    b.load_state_dict(weights)
    x = torch.randn(2, 1, 8, 8)
    assert torch.allclose(a(x), b(x), atol=1e-6)


def test_without_drop_path_there_is_none() -> None:
    assert not drop_paths(build(nasnet_a().value, 1, 10))


def test_paths_are_dropped_by_depth_and_identities_never() -> None:
    network = build(nasnet_a(keep_path=0.6).value, 1, 10)
    set_progress(network, 1.0)
    for number, cell in enumerate(network.cells, start=1):  # type: ignore[arg-type]
        assert isinstance(cell, LooseEndsCell)
        keeps = [path.keep for path in drop_paths(cell)]
        assert keeps == pytest.approx([1 - number / 5 * 0.4] * len(keeps))
        operations = [op for node in cell.nodes for op in node.operations]  # type: ignore[union-attr]
        assert all(isinstance(op, Skip | ScheduledDropPath) for op in operations)
        assert sum(isinstance(op, Skip) for op in operations) == (2 if number % 2 else 1)
    plain = build(nasnet_a().value, 1, 10)
    plain.load_state_dict({k.replace(".path.", "."): v for k, v in network.state_dict().items()})
    x = torch.randn(4, 1, 8, 8)
    assert torch.equal(plain.eval()(x), network.eval()(x))
    assert not torch.allclose(plain.train()(x), network.train()(x))


@pytest.mark.slow
@pytest.mark.parametrize("keep_path", [1.0, 0.6])
def test_the_found_network_can_be_exported(keep_path: float, tmp_path: Path) -> None:
    network = build(nasnet_a(keep_path=keep_path).value, 3, 10, input_shape=(3, 16, 16))
    x = torch.randn(2, 3, 16, 16)
    set_progress(network, 1.0)
    network(x)
    exported = export_model(network, tmp_path / "net", card={}, example_input=x)
    assert exported.difference <= 1e-6
    spec = importlib.util.spec_from_file_location("exported_nasnet", exported.model)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    again = module.load(exported.folder)
    assert list(again.state_dict()) == list(network.state_dict())
    assert torch.equal(again(x), network.eval()(x))
    assert ("ScheduledDropPath" in exported.model.read_text()) == (keep_path < 1)


def test_one_epoch_on_a_few_digits() -> None:
    data = {"n_train": 64, "n_validation": 20, "n_test": 20}
    training = Training(data="digits", data_options=data, epochs=1, batch_size=32)
    space = nasnet(blocks=2, channels=2, keep_path=0.6)
    training.prepare(space)
    architecture = space.architecture(space.sample(1, np.random.default_rng(0)))
    first, again = (training.evaluate(architecture, Trial(seed=3)) for _ in range(2))
    assert first == again
    assert math.isfinite(first["train/loss"])


@pytest.mark.parametrize(
    "options",
    [
        {"blocks": 0},
        {"channels": 0},
        {"n_cells": 0},
        {"operations": []},
        {"combines": []},
        {"keep_path": 0.0},
    ],
)
def test_wrong_options_are_named(options: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=f"{next(iter(options))}="):
        nasnet(**options)


def test_unknown_names_are_answered_by_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'sep_conv_7x7'"):
        nasnet(operations=["sep_conv_7x"])
    with pytest.raises(UnknownNameError, match="add or concat, not by 'concatenate'; did you mean 'concat'"):
        nasnet(combines=["concatenate"])
    with pytest.raises(SpaceError, match="input_0, input_1, block_0; got 'block_1'"):
        build(one(source="block_1"), 1, 2)
