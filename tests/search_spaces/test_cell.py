# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from archloom.errors import ConfigError, UnknownNameError
from archloom.nn import FactorizedReduce, ScheduledDropPath, TwoInputCell
from archloom.nn.drop_path import drop_paths, set_progress
from archloom.search_spaces.blueprint import build
from archloom.search_spaces.cell import Cell, CellNetwork, DropPathCellNetwork, Edge, canonical_cell, cell


def test_the_size_is_that_of_darts() -> None:
    # Liu et al., ICLR 2019: prod over nodes of (i + 2 choose 2) source pairs times 7^2 operations.
    assert cell().size == math.prod(math.comb(i, 2) * 7**2 for i in range(2, 6))


def test_decisions_read_well() -> None:
    names = [decision.name for decision in cell(nodes=2).decisions]
    assert "cell.nodes[1](node_0).op" in names
    assert len([decision for decision in cell().decisions]) == 22


def test_text_says_what_is_built() -> None:
    space = cell(nodes=1, operations=["skip_connect", "sep_conv_3x3"])
    architecture = space.from_choices(
        {
            "cell.nodes[0][0]": "input_0",
            "cell.nodes[0][1]": "input_1",
            "cell.nodes[0](input_0).op": "skip_connect",
            "cell.nodes[0](input_1).op": "sep_conv_3x3",
        }
    )
    assert architecture.text == "node_0 = skip_connect(input_0) + sep_conv_3x3(input_1)"
    assert [edge.op for edge in architecture.value.cell.nodes[0]] == ["skip_connect", "sep_conv_3x3"]


@pytest.mark.parametrize("size", [8, 28, 32])
@pytest.mark.parametrize("n_cells", [1, 2, 3])
def test_random_cells_train(size: int, n_cells: int) -> None:
    space = cell(nodes=2, channels=4, n_cells=n_cells)
    row = space.sample(1, np.random.default_rng(size + n_cells))
    network = build(space.architecture(row).value, 3, 5, input_shape=(3, size, size))
    assert network.out == 5
    y = network(torch.randn(2, 3, size, size))
    assert y.shape == (2, 5)
    y.square().sum().backward()
    assert any(p.grad is not None and p.grad.abs().sum() > 0 for p in network.stem.parameters())  # type: ignore[union-attr]


def test_reductions_double_the_width_and_halve_the_size() -> None:
    edges = [Edge(source=0, op="skip_connect"), Edge(source=1, op="conv_1x1")]
    network = build(CellNetwork(cell=Cell(nodes=[edges] * 2), channels=4, n_cells=6), 3, 5)
    widths = [module.out for module in network.cells]  # type: ignore[union-attr]
    assert widths == [8, 8, 16, 16, 32, 32]
    after_reduction = network.cells[3]  # type: ignore[index]
    assert isinstance(after_reduction, TwoInputCell)
    assert isinstance(after_reduction.preprocess_0, FactorizedReduce)
    shapes: list[int] = []
    for module in network.cells:  # type: ignore[union-attr]
        module.register_forward_hook(lambda _m, _x, y: shapes.append(y.shape[-1]))
    network(torch.randn(2, 3, 8, 8))
    assert shapes == [8, 8, 4, 4, 2, 2]


def test_order_of_nodes_means_nothing() -> None:
    a = [
        [("input_0", "x"), ("input_1", "y")],
        [("input_0", "y"), ("input_1", "y")],
        [("node_0", "x"), ("node_1", "y")],
    ]
    b = [
        [("input_1", "y"), ("input_0", "y")],
        [("input_0", "x"), ("input_1", "y")],
        [("node_1", "x"), ("node_0", "y")],
    ]
    c = [a[0], a[1], [("node_1", "x"), ("node_0", "y")]]
    assert canonical_cell(a) == canonical_cell(b)
    assert canonical_cell(a) != canonical_cell(c)


def test_sharing_a_node_is_not_having_two_alike() -> None:
    twin = [("input_0", "x"), ("input_1", "x")]
    shared = [twin, twin, [("node_0", "x"), ("node_0", "y")]]
    other = [twin, twin, [("node_1", "y"), ("node_1", "x")]]
    apart = [twin, twin, [("node_0", "x"), ("node_1", "y")]]
    assert canonical_cell(shared) == canonical_cell(other)
    assert canonical_cell(shared) != canonical_cell(apart)


def test_no_operation_is_no_edge() -> None:
    assert canonical_cell([[("input_0", "none"), ("input_1", "x")]]) == canonical_cell([[("input_1", "x")]])
    assert canonical_cell([[("input_0", "none")]]) == "node_0 = none"


def test_keys_count_cells_up_to_renumbering() -> None:
    space = cell(nodes=2, operations=["skip_connect", "sep_conv_3x3"])
    rows = space.enumerate()
    keys = {space.architecture(rows[i]).key for i in range(len(rows))}
    # Node 0 has 4 forms; node 1 reads both inputs (4 forms; swapping makes 4 + 6 classes of the
    # 16 pairs) or an input and node 0 (2 inputs x 4 operation pairs x 4 forms, all different).
    assert len(keys) == 10 + 32


def test_isomorphic_cells_compute_the_same() -> None:
    one = CellNetwork(cell=Cell(nodes=[[Edge(0, "conv_1x1")], [Edge(1, "conv_3x3")]]), channels=3, n_cells=1)
    two = CellNetwork(cell=Cell(nodes=[[Edge(1, "conv_3x3")], [Edge(0, "conv_1x1")]]), channels=3, n_cells=1)
    a, b = build(one, 1, 2).eval(), build(two, 1, 2).eval()
    weights = a.state_dict()
    swapped = {}
    for name, value in weights.items():
        swapped[
            name.replace("nodes.0", "nodes.x").replace("nodes.1", "nodes.0").replace("nodes.x", "nodes.1")
        ] = value
    head = "head.body.3.weight"
    half = swapped[head].shape[1] // 2
    swapped[head] = swapped[head].roll(half, dims=1)
    b.load_state_dict(swapped)
    x = torch.randn(2, 1, 8, 8)
    assert torch.allclose(a(x), b(x), atol=1e-6)


def test_without_drop_path_nothing_is_said_of_it() -> None:
    space = cell(nodes=2, channels=4)
    assert space.fingerprint == "dd7821050b0919518e1b"  # as it was before there was the option
    assert "keep_path" not in str(space.to_json())
    architecture = space.architecture(space.at([7]))
    assert architecture.key == "26932942410055fd3531"
    assert not drop_paths(build(architecture.value, 1, 5))


def test_edges_are_dropped_by_depth_and_skips_never() -> None:
    options = {"nodes": 1, "channels": 4, "operations": ["skip_connect", "sep_conv_3x3"]}
    plain, dropping = cell(**options), cell(**options, keep_path=0.7)  # type: ignore[arg-type]
    assert dropping.fingerprint != plain.fingerprint
    row = plain.at([1])
    one, other = plain.architecture(row), dropping.architecture(row)
    assert (one.key, one.text, one.choices) == (other.key, other.text, other.choices)
    assert isinstance(other.value, DropPathCellNetwork)
    network = build(other.value, 1, 5)
    set_progress(network, 1.0)
    assert [path.keep for path in drop_paths(network)] == pytest.approx([0.9, 0.8, 0.7])
    for module in network.cells:  # type: ignore[union-attr]
        kinds = {type(operation).__name__ for operation in module.nodes[0].operations}
        assert kinds == {"Skip", "ScheduledDropPath"}
    assert isinstance(network.cells[0].nodes[0].operations[1], ScheduledDropPath)  # type: ignore[index, union-attr]
    undropped = build(one.value, 1, 5)
    undropped.load_state_dict({k.replace(".path.", "."): v for k, v in network.state_dict().items()})
    x = torch.randn(2, 1, 8, 8)
    assert torch.equal(undropped.eval()(x), network.eval()(x))


@pytest.mark.parametrize("keep_path", [0.0, -0.1, 1.1, float("nan")])
def test_an_impossible_keep_is_refused(keep_path: float) -> None:
    with pytest.raises(ConfigError, match=f"keep_path={keep_path}"):
        cell(keep_path=keep_path)


@pytest.mark.parametrize("options", [{"nodes": 0}, {"channels": 0}, {"n_cells": 0}, {"operations": []}])
def test_wrong_options_are_named(options: dict[str, int]) -> None:
    with pytest.raises(ConfigError, match=f"{next(iter(options))}="):
        cell(**options)  # type: ignore[arg-type]


def test_unknown_operations_are_named() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'max_pool_3x3'"):
        cell(operations=["max_pool_3"])
