# SPDX-License-Identifier: Apache-2.0
"""Sketches: their algebra, and that every architecture has one that tells its choices."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyglove as pg
import pytest

from archloom.errors import SpaceError
from archloom.search_spaces import SPACES, Blueprint, SearchSpace
from archloom.search_spaces.blueprints import (
    Call,
    Cell,
    Conv,
    Linear,
    Parallel,
    Pool,
    Repeat,
    Residual,
    Sequence,
)
from archloom.search_spaces.blueprints import (
    Edge as CellEdge,
)
from archloom.search_spaces.cell import Cell as TwoInputCell
from archloom.search_spaces.darts import DARTS_V2, darts
from archloom.search_spaces.nasbench201 import nasbench201
from archloom.search_spaces.sketch import Edge, Node, Sketch, around, box, chain, framed, joined
from archloom.search_spaces.sketching import sketches_of
from archloom.search_spaces.spos import spos


class Block(Blueprint):
    width: int = 4

    def build(self, c_in: int, **told: Any) -> Any:
        raise NotImplementedError


class Net(Blueprint):
    blocks: list[Any]
    rate: float = 0.5

    def build(self, c_in: int, n_outputs: int, **told: Any) -> Any:
        raise NotImplementedError


def drawn_at(space: SearchSpace, seed: int = 0) -> list[Sketch]:
    return sketches_of(space.architecture(space.sample(1, np.random.default_rng(seed))))


def labels(sketch: Sketch) -> list[str]:
    return [node.label for node in sketch.nodes]


def spelled(sketch: Sketch) -> set[tuple[str, str, str]]:
    names = labels(sketch)
    return {(names[edge.source], names[edge.target], edge.label) for edge in sketch.edges}


@pytest.mark.slow
@pytest.mark.parametrize("name", SPACES.names())
def test_every_built_in_space_can_be_sketched(name: str) -> None:
    space = SPACES.get(name)()
    for seed in range(2):
        for sketch in drawn_at(space, seed):
            assert sketch.title
            assert len(sketch.nodes) > 2
            assert sketch.edges  # all know how they are wired; that none leads back a sketch sees to itself
            assert {"input", "output"} <= {node.kind for node in sketch.nodes}


def test_an_edge_leads_forward_between_nodes_that_are_there() -> None:
    for edge in (Edge(1, 0), Edge(0, 0), Edge(0, 2), Edge(-1, 1)):
        with pytest.raises(SpaceError, match="leads to a later one of its 2 nodes"):
            Sketch((Node("a"), Node("b")), (edge,))


def test_the_algebra_keeps_one_way_in_and_one_way_out() -> None:
    whole = framed(
        chain(box("a"), around(joined([box("b"), None, chain(box("c"), box("d"))], "concat"))), "x"
    )
    sources, targets = {e.source for e in whole.edges}, {e.target for e in whole.edges}
    n = len(whole.nodes)
    assert set(range(n)) - targets == {0}
    assert set(range(n)) - sources == {n - 1}
    assert ("", "concat", "") in spelled(whole)
    assert labels(chain()) == ["identity"]
    assert {node.group for node in chain(box("a").grouped("1"), box("b")).grouped("2").nodes} == {"1", "2"}


@pytest.mark.slow
def test_darts_is_drawn_as_in_the_paper() -> None:
    normal, reduction = sketches_of(darts().from_choices(DARTS_V2))
    assert normal.title == "normal cell (6 of 8)"
    assert reduction.title == "reduction cell (2 of 8: the 3rd and the 6th)"
    assert labels(normal) == ["c_{k-2}", "c_{k-1}", "0", "1", "2", "3", "c_{k}"]
    assert ("c_{k-2}", "3", "skip_connect") in spelled(normal)
    assert ("0", "3", "dil_conv_3x3") in spelled(normal)
    assert {(str(i), "c_{k}", "") for i in range(4)} <= spelled(reduction)


def test_edges_of_none_are_left_out() -> None:
    space = nasbench201()
    (sketch,) = sketches_of(space.architecture(space.at([1])))
    assert spelled(sketch) == {("0", "1", "skip_connect")}
    drawn = TwoInputCell(nodes=[[]]).sketches()
    assert spelled(drawn[0]) == {("0", "c_{k}", "")}


def test_stages_are_groups() -> None:
    space = spos(stages=[2, 2], channels=[32, 64], tenths=[5, 10], stem_stride=1, first_stride=1, head=64)
    (sketch,) = drawn_at(space)
    groups = list(dict.fromkeys(node.group for node in sketch.nodes))
    assert [group.split("\n")[0] for group in groups] == ["stem", "stage 1", "stage 2", "head"]
    assert "conv 1x1" in labels(sketch)  # of stride 1, from 16 to 32 channels


def test_containers_compose() -> None:
    conv = Conv(width=pg.oneof([8, 16]))
    layers = [
        Repeat([conv, "none"]),
        Residual([Pool(stride=1)], width=32, activation="relu"),
        Parallel([[Linear(width=8), Conv(width=4)], "none"], join="concat"),
        [],
        "sep_conv_3x3",
    ]
    (sketch,) = drawn_at(SearchSpace(Sequence(layers)))
    assert labels(sketch)[2:] == [
        *["", "pool\nkind=max, size=2, stride=1", "add\nwidth=32", "relu"],
        *["", "linear\nwidth=8", "conv\nwidth=4, kernel_size=3", "concat"],
        *["sep_conv_3x3", "head", "output"],
    ]


def test_a_cell_of_the_library_has_its_operations_on_its_edges() -> None:
    cell = Cell(
        nodes=[["conv_3x3"], [CellEdge(source=0, op="conv_1x1"), CellEdge(source=1, op="none")]],
        output="concat",
    )
    (sketch,) = cell.sketches()
    assert spelled(sketch) == {
        ("in", "0", "conv_3x3"),
        ("in", "1", "conv_1x1"),
        ("0", "concat", ""),
        ("1", "concat", ""),
    }


def test_what_does_not_say_how_it_is_wired_has_no_arrows() -> None:
    template = Net([Block(pg.oneof([4, 8])), Block(2)])
    (sketch,) = drawn_at(SearchSpace(template))
    assert sketch.edges == ()
    assert labels(sketch)[0] == "Net\nrate=0.5"
    assert [node.group for node in sketch.nodes] == ["", "blocks", "blocks"]
    (alone,) = Block(8).sketches()
    assert labels(alone) == ["input", "Block\nwidth=8", "output"]
    (called,) = Call("torch.nn:Linear", {"out_features": 3}).sketches()
    assert labels(called)[1] == "Linear\nout_features=3"
    (holding,) = Call("torch.nn:Sequential", {"body": Conv(width=8), "depth": 2}).sketches()
    assert labels(holding) == ["Sequential\ndepth=2", "conv\nwidth=8, kernel_size=3"]


def test_other_values_are_drawn_by_their_decisions() -> None:
    template = pg.Dict(
        op=pg.oneof(["conv", "pool"]),
        net=Sequence([Conv(width=pg.oneof([8, 16]))]),
        deep=[pg.Dict(rate=pg.floatv(0.25, 0.5))],
    )
    net, rest = drawn_at(SearchSpace(template, settings={"training": {"lr": pg.floatv(0.1, 1.0)}}))
    assert net.title == "net: sequence"
    assert [node.group for node in rest.nodes] == ["", "deep[0]"]
    assert labels(rest)[0] in ("op = conv", "op = pool")
    assert labels(rest)[1].startswith("rate = 0.")
    (nothing,) = drawn_at(SearchSpace(pg.Dict(a=1)))
    assert labels(nothing) == ["nothing to decide"]
