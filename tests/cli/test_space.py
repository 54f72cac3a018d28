# SPDX-License-Identifier: Apache-2.0
"""``search space show | count | sample | check``."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from archloom.cli.space._misfits import concerns

Search = Callable[..., Any]

NET = """\
study: net
space:
  name: sequence
  layers:
    - {name: conv, width: {oneof: [4, 8]}}
    - oneof:
        - {name: pool, size: global}
        - {name: conv, kernel_size: {oneof: [1, 3]}}
    - {name: linear, width: 10}
strategy: random
evaluator: {name: training, data: digits, lr: {floatv: [0.001, 0.1], scale: log}}
objectives: {accuracy: maximize}
budget: {trials: 2}
"""


@pytest.fixture
def net(search: Search) -> Search:
    """Have a space in ``net.yaml`` of which every architecture with a second convolution is broken."""
    Path("net.yaml").write_text(NET)
    return search


def test_decisions_are_a_tree(net: Search) -> None:
    result = net("space", "show", "net.yaml")
    assert result.code == 0, result.err
    assert result.out.splitlines() == [
        "net.yaml: infinitely many architectures (6 when floats are not counted), 4",
        "decisions, one of them a float",
        "",
        "layers[0].width  4 | 8",
        "layers[1]        pool(size=global) | conv",
        "  if conv",
        "    kernel_size  1 | 3",
        "training.lr      0.001000 to 0.1000, log scale",
    ]
    data = json.loads(net("space", "show", "net.yaml", "-f", "json").out)
    assert [row["name"] for row in data["decisions"]][:2] == ["layers[0].width", "layers[1]"]
    assert data["size"] is None
    rows = list(csv.DictReader(io.StringIO(net("space", "show", "net.yaml", "-f", "csv").out)))
    assert len(rows) == 4


def test_a_registered_space_takes_options(search: Search) -> None:
    result = search("space", "show", "cell", "nodes=2")
    assert "cell: 7,203 architectures, 9 decisions" in result.out
    assert "2 of 3, different, in order: input_0 | input_1 | node_0" in result.out
    assert "  if input_0 or input_1 or node_0\n" in result.out
    assert max(map(len, result.out.splitlines())) <= 80


def test_many_candidates_are_counted(search: Search) -> None:
    result = search("space", "show", "mlp", f"widths={list(range(1, 31))}", "layers=1", "activations=[relu]")
    assert "| 12 | and 18 more" in " ".join(result.out.split())


def test_counts_are_exact(net: Search) -> None:
    assert net("space", "count", "nasbench201").out == "15,625 architectures, 6 decisions\n"
    assert json.loads(net("space", "count", "cell", "nodes=9", "-f", "json").out)["size"] > 2**64
    assert json.loads(net("space", "count", "net.yaml", "-f", "json").out) == {
        "size": None,
        "size_without_floats": 6,
        "n_decisions": 4,
        "n_floats": 1,
    }
    assert "2 decisions" in net("space", "count", "fast.yaml", "space.layers=1").out


def test_samples_are_what_enqueue_takes(net: Search) -> None:
    result = net("space", "sample", "net.yaml", "-n", "3", "--seed", "1", "-f", "yaml")
    choices = YAML(typ="safe").load(result.out)["enqueue"]
    assert len(choices) == 3
    Path("more.yaml").write_text(NET + result.out)
    assert net("space", "count", "more.yaml").code == 0
    assert net("space", "sample", "net.yaml", "-n", "3", "--seed", "1", "-f", "yaml").out == result.out
    assert net("space", "sample", "net.yaml", "-n", "3", "--seed", "2", "-f", "yaml").out != result.out
    rows = list(csv.DictReader(io.StringIO(net("space", "sample", "mlp", "-n", "4", "-f", "csv").out)))
    assert len(rows) == 4
    assert "layers[0].width" in rows[0]
    assert net("space", "sample", "mlp", "-n", "2").out.startswith("0  ")


def test_what_does_not_fit_is_found_with_its_line_and_its_decision(net: Search) -> None:
    result = net("space", "check", "net.yaml", "-n", "40", "--input-shape", "1,8,8")
    assert (result.code, result.err) == (1, "")
    assert "net.yaml:9: space.layers.2" in result.out.splitlines()
    assert "a linear layer takes vectors or tokens" in result.out
    assert ", whenever layers[1] = conv" in result.out
    assert max(map(len, result.out.splitlines())) <= 80
    data = json.loads(
        net("space", "check", "net.yaml", "-n", "40", "--input-shape", "1,8,8", "-f", "json").out
    )
    assert data["n_checked"] == 40
    assert [misfit["always"] for misfit in data["misfits"]] == [{"layers[1]": "conv"}]
    assert data["misfits"][0]["path"] == "layers[2]"
    assert 0 < data["n_misfits"] < 40


def test_a_space_that_fits_its_data(net: Search) -> None:
    Path("net.yaml").write_text(NET.replace("{name: conv, kernel_size: {oneof: [1, 3]}}", "flatten"))
    words = ("space.layers.1={oneof: [{name: pool, size: global}, {name: flatten}]}", "-n", "8")
    result = net("space", "check", "net.yaml", *words)
    assert (result.code, result.err) == (0, "")
    assert "inputs 1 x 8 x 8, 10 outputs: every one fits" in " ".join(result.out.split())


@pytest.mark.parametrize(
    "evaluator",
    [
        "{name: costs, data: digits}",
        "[{name: costs, data: digits}]",
        "{name: costs, input_shape: [1, 8, 8], n_outputs: 10}",
        "[{name: latency, input_shape: [1, 8, 8]}]",
        "[{name: function, function: 'builtins:len'}, {name: memory, data: digits}]",
    ],
)
def test_any_evaluator_tells_the_shape(search: Search, evaluator: str) -> None:
    space = "space={name: conv, width: {oneof: [4, 8]}}"
    words = (space, f"evaluator={evaluator}", "objectives={params: minimize}")
    result = search("space", "check", "fast.yaml", *words)
    assert result.code == 0, result.err
    assert "inputs 1 x 8 x 8, 10 outputs: every one fits" in " ".join(result.out.split())
    csv_out = search("space", "check", "fast.yaml", *words, "-f", "csv").out
    assert csv_out == "place,path,stage,reason,n,architecture\n"


def test_a_space_without_a_network_has_nothing_to_check(search: Search) -> None:
    text = Path("fast.yaml").read_text().replace("name: mlp", "x: {oneof: [1, 2]}")
    Path("plain.yaml").write_text(
        text.replace("  layers: 2\n  widths: [4, 8]\n  activations: [relu, tanh]\n", "")
    )
    result = search("space", "check", "plain.yaml")
    assert result.code == 0, result.err
    assert "describes no network" in result.out
    assert json.loads(search("space", "check", "plain.yaml", "-f", "json").out)["n_checked"] == 0


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (("show", "nowhere.yaml"), 2, "nowhere.yaml: there is no such study file"),
        (("count", "cel"), 2, "did you mean 'cell'?"),
        (("count", "mlp", "layrs=2"), 2, "space.layrs: unknown key; did you mean 'layers'?"),
        (("count", "mlp", "layers"), 2, "must be KEY=VALUE"),
        (("count", "no_such:space"), 2, "no_such"),
        (("check", "fast.yaml"), 2, "give it, as in --input-shape 1,8,8 --n-outputs 10"),
        (("check", "fast.yaml", "--input-shape", "1,x"), 2, "--input-shape is the shape of one sample"),
        (("check", "fast.yaml", "--input-shape", "0"), 2, "--input-shape is the shape of one sample"),
        (("sample", "mlp", "-n", "0"), 2, "-n"),
    ],
)
def test_bad_input(search: Search, words: tuple[str, ...], code: int, message: str) -> None:
    result = search("space", *words)
    assert (result.code, result.out) == (code, "")
    assert message in result.err
    assert "Traceback" not in result.err


def test_a_decision_concerns_what_it_leads_to() -> None:
    assert concerns("a[1](conv).body(sep).width", "a[1].body")
    assert not concerns("a[1](conv).kernel", "a[1].body")
    assert not concerns("a[1]", "a[12]")
