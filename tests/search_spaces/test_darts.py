"""DARTS' space: its size, its published network, the auxiliary head that only training sees."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from archloom.contracts import Trial
from archloom.errors import ConfigError
from archloom.evaluators.precision import Precision
from archloom.evaluators.training import Training
from archloom.nn import Auxiliary
from archloom.search_spaces import build
from archloom.search_spaces.darts import DARTS_V2, darts


def published(**options: object) -> nn.Module:
    space = darts(**options)  # type: ignore[arg-type]
    return build(space.from_choices(DARTS_V2).value, 3, 10)


def test_the_published_network_has_its_published_size() -> None:
    assert sum(p.numel() for p in published(channels=36, n_cells=20).parameters()) == 3_349_342


def test_fourteen_edges_of_eight_operations_of_which_eight_are_kept() -> None:
    space = darts()
    operations = [decision for decision in space.decisions if decision.name.endswith(".op")]
    edges = [decision for decision in space.decisions if decision.group is not None]
    assert len(operations) == 2 * 14
    assert {len(decision.candidates) for decision in operations} == {8}
    assert len(edges) == 2 * 8
    assert space.size == ((1 * 3 * 6 * 10) * 8**8) ** 2


def test_cells_are_the_same_whatever_the_order_of_their_nodes() -> None:
    space = darts(nodes=2, operations=["sep_conv_3x3", "skip_connect"])
    ops = {"sep": "sep_conv_3x3", "skip": "skip_connect"}

    def key(first: str, second: str, cell: str) -> str:
        choices: dict[str, str] = {}
        for each in ("normal", "reduction"):
            for node, op in enumerate((first, second) if each == cell else ("sep", "sep")):
                path = f"{each}.nodes[{node}]"
                choices |= {f"{path}[0]": "input_0", f"{path}[1]": "input_1"}
                choices |= {f"{path}(input_{i}).op": ops[op] for i in range(2)}
        return space.from_choices(choices).key

    assert key("sep", "skip", "normal") == key("skip", "sep", "normal")
    assert key("sep", "skip", "normal") != key("sep", "skip", "reduction")


def test_the_auxiliary_head_is_there_in_training_only() -> None:
    network = published(channels=4, n_cells=3, auxiliary=0.4)
    x = torch.rand(2, 3, 8, 8)
    outputs = network(x)
    assert isinstance(outputs, Auxiliary)
    assert (outputs.outputs.shape, outputs.auxiliary.shape, outputs.weight) == ((2, 10), (2, 10), 0.4)
    assert network.eval()(x).shape == (2, 10)
    halved = Precision("bfloat16").wrap(network.train(), torch.device("cpu"))(x)
    assert isinstance(halved, Auxiliary)
    assert halved.auxiliary.dtype == torch.float32


def test_the_auxiliary_loss_counts_by_its_weight() -> None:
    space = darts(channels=4, n_cells=3, nodes=1, operations=["skip_connect"], auxiliary=0.5)
    plain = darts(channels=4, n_cells=3, nodes=1, operations=["skip_connect"])
    losses = []
    for each in (space, plain):
        training = Training(data="digits", epochs=1, lr=1e-9, weight_decay=0.0)
        training.prepare(each)
        losses.append(training.evaluate(each.architecture(each.at([0])), Trial(seed=1))["train/loss"])
    # Untrained, each head's loss is about log(10).
    assert losses[0] == pytest.approx(1.5 * losses[1], rel=0.1)


@pytest.mark.parametrize(
    "options", [{"n_cells": 2}, {"nodes": 0}, {"operations": []}, {"keep_path": 0}, {"auxiliary": -1}]
)
def test_numbers_out_of_range_are_refused(options: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match="darts needs"):
        darts(**options)  # type: ignore[arg-type]
