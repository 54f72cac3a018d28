# SPDX-License-Identifier: Apache-2.0
"""The library of blueprints: alone, in a sequence, on an edge, with searched fields, and with mistakes."""

from __future__ import annotations

import inspect
import random
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyglove as pg
import pytest
import torch
from torch import nn

from archloom.contracts import Trial
from archloom.errors import SpaceError, UnknownNameError
from archloom.evaluators.checking import misfit
from archloom.evaluators.costs import Costs
from archloom.evaluators.networks import NetworkShape, build_network
from archloom.export import export_model
from archloom.nn import Project
from archloom.search_spaces import SearchSpace, build, out_of
from archloom.search_spaces.blueprints import (
    BLUEPRINTS,
    Activation,
    Attention,
    Call,
    Cell,
    Conv,
    Depthwise,
    Dropout,
    Edge,
    Flatten,
    Head,
    Identity,
    Linear,
    Norm,
    Parallel,
    Pool,
    Repeat,
    Residual,
    Separable,
    Sequence,
)
from archloom.search_spaces.labels import candidate_label

IMAGES = [(1, 8, 8), (3, 32, 32)]
CHOICE = pg.oneof([1, 2])

LAYERS: dict[str, Callable[[], Any]] = {
    "activation": lambda: Activation("gelu"),
    "attention": lambda: Attention(heads=2),
    "call": lambda: Call("archloom.nn:Project", {"c_out": 8}),
    "cell": lambda: Cell([[Conv()], ["skip_connect", Conv(kernel_size=1)]]),
    "conv": lambda: Conv(kernel_size=5, dilation=2),
    "depthwise": lambda: Depthwise(multiplier=2),
    "dropout": Dropout,
    "identity": Identity,
    "norm": lambda: Norm("layer"),
    "parallel": lambda: Parallel([Conv(), Identity()], join="concat"),
    "pool": lambda: Pool("avg", size=3, stride=1),
    "repeat": lambda: Repeat([Conv(), Conv()]),
    "residual": lambda: Residual([Conv(), Conv(activation="none")], activation="relu"),
    "separable": lambda: Separable(kernel_size=4),
    "sequence": lambda: Sequence(["none", [Conv(), None], Norm()]),
}
"""Layers of images that keep the size; the others have tests of their own."""


def network(value: Any, shape: tuple[int, ...]) -> nn.Module:
    return build(value, shape[0], 10, input_shape=shape)


def run(value: Any, shape: tuple[int, ...]) -> torch.Size:
    output: torch.Tensor = network(value, shape)(torch.randn(2, *shape))
    return output.shape


def test_every_name_is_registered_and_covered() -> None:
    assert set(BLUEPRINTS.names()) == set(LAYERS) | {"linear", "flatten", "head", "edge"}
    for name in BLUEPRINTS.names():
        cls = BLUEPRINTS.get(name)
        assert cls.__name__.lower() == name
        assert cls.__doc__
        assert set(cls.__schema__.keys()) or name == "identity" or name == "flatten"


def test_the_registry_loads_neither_torch_nor_pyglove() -> None:
    code = (
        "import sys; from archloom.search_spaces.blueprints import BLUEPRINTS; BLUEPRINTS.names(); "
        "sys.exit(bool({'torch', 'pyglove'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_every_field_is_described() -> None:
    for name in BLUEPRINTS.names():
        cls = BLUEPRINTS.get(name)
        for field in map(str, cls.__schema__.fields):
            assert f"\n    {field}: " in str(inspect.getdoc(cls)), f"{name}.{field}"


@pytest.mark.parametrize("name", LAYERS)
@pytest.mark.parametrize("shape", IMAGES)
def test_every_layer_is_a_network_and_a_part_of_one(name: str, shape: tuple[int, ...]) -> None:
    whole = [] if name == "call" else [LAYERS[name]()]
    for value in (*whole, Sequence([Conv(width=8), LAYERS[name](), LAYERS[name](), Head()])):
        if name != "attention" or isinstance(value, Sequence):
            assert run(value, shape) == (2, 10)


@pytest.mark.parametrize("name", LAYERS)
@pytest.mark.parametrize(("width", "stride"), [(None, None), (8, 1), (6, 2)])
def test_every_layer_takes_an_edge_s_width_and_stride(name: str, width: Any, stride: Any) -> None:
    module = build(LAYERS[name](), 8, c_out=width, stride=stride, affine=False)
    y = module(torch.randn(2, 8, 7, 7))
    assert out_of(module) == y.shape[1]
    assert width is None or y.shape[1] == width
    side = 4 if stride == 2 and name != "pool" else 7  # this pool has a stride of its own
    assert y.shape[2:] == (side, side)
    norms = [m for m in module.modules() if isinstance(m, nn.BatchNorm2d | nn.BatchNorm1d)]
    assert not any(norm.affine for norm in norms)


@pytest.mark.parametrize("name", LAYERS)
@pytest.mark.parametrize("output", ["last", "concat"])
def test_every_layer_stands_on_an_edge_of_a_cell(name: str, output: str) -> None:
    op = LAYERS[name]
    cell = Cell([[op()], [Edge(0, op()), Edge(1, op())]], output=output)
    assert run(Sequence([Conv(width=8), cell, Pool(size="global"), Linear(4)]), (1, 8, 8)) == (2, 10)


@pytest.mark.parametrize(
    "value",
    [
        Sequence([Linear(16), Norm("batch"), Dropout(0.1), Residual([Linear(), Linear()], width=8)]),
        Sequence([Residual([Norm("layer"), Linear()]), Parallel([Linear(4), Identity()], join="concat")]),
        Repeat([Linear(), Activation()]),
        Cell([[Linear()], [Linear(activation="tanh"), Identity()]], width=12),
    ],
)
@pytest.mark.parametrize("shape", [(8,), (6, 8)])
def test_vectors_and_tokens_do_as_well(value: Any, shape: tuple[int, ...]) -> None:
    assert run(value, shape) == (2, 10)


def test_a_transformer_block_keeps_its_tokens() -> None:
    mlp = [Norm("layer"), Linear(32, activation="gelu"), Linear(8, activation="none")]
    block = [Residual([Norm("layer"), Attention(heads=2)]), Residual(mlp)]
    assert build(Sequence(block), 8)(torch.randn(2, 5, 8)).shape == (2, 5, 8)
    assert run(Sequence([*block, Head(dropout=0.1)]), (5, 8)) == (2, 10)


@pytest.mark.parametrize("shape", IMAGES)
def test_flatten_knows_its_shape_at_the_start_and_after_other_layers(shape: tuple[int, ...]) -> None:
    first = network(Sequence([Flatten(), Linear(16)]), shape)
    assert first(torch.randn(2, *shape)).shape == (2, 10)
    le_net = Sequence([Conv(6, kernel_size=5), Pool(), Sequence([Conv(4), Pool(), Flatten()]), Linear(12)])
    made = network(le_net, shape)
    linear = next(m for m in made.modules() if isinstance(m, nn.Linear))
    assert linear.in_features == 4 * (shape[1] // 4) ** 2
    assert made(torch.randn(2, *shape)).shape == (2, 10)
    assert all(
        p.device.type == "cpu" and not m._forward_hooks for m in made.modules() for p in m.parameters()
    )


def test_torch_s_own_layers_stand_among_others() -> None:
    value = Sequence([Conv(4), nn.Identity, pg.symbolize(nn.ReLU)(), Residual(Call(nn.GELU)), "conv_3x3"])
    assert run(value, (1, 8, 8)) == (2, 10)


def test_a_residual_block_is_that_of_resnet() -> None:
    block: Any = build(
        Residual([Conv(), Conv(activation="none")], width=16, stride=2, activation="relu"), 8, affine=True
    )
    first, second = block.body
    assert (first.conv.in_channels, first.conv.out_channels, first.conv.stride) == (8, 16, (2, 2))
    assert (second.conv.in_channels, second.conv.stride) == (16, (1, 1))
    assert isinstance(block.shortcut, Project)
    assert isinstance(build(Residual(Conv()), 8).shortcut, nn.Identity)


def test_a_stride_goes_to_the_first_layer_that_takes_it() -> None:
    body = build(Sequence([Norm(), Activation(), Conv(), Conv()]), 4, stride=2, c_out=6)
    assert [m.stride[0] for m in body.modules() if isinstance(m, nn.Conv2d)] == [2, 1]
    assert not any(isinstance(m, Project) for m in body.modules())


def test_a_width_of_its_own_goes_before_the_parent_s() -> None:
    body = build(Sequence([Conv(width=2), Conv()]), 4, c_out=6)
    assert [m.out_channels for m in body.modules() if isinstance(m, nn.Conv2d)] == [2, 6]
    assert out_of(build(Sequence([Conv(), Conv(width=2)]), 4, c_out=6)) == 6  # projected


def test_an_edge_without_a_source_reads_the_state_of_its_place() -> None:
    cell = build(Cell([[Conv()], [Conv(), Conv()], [Edge(2, Conv())]]), 4)
    assert [node.sources for node in cell.nodes] == [(0,), (0, 1), (2,)]  # type: ignore[union-attr]


def test_a_cell_in_the_manner_of_darts_is_searched() -> None:
    second, third = (
        pg.manyof(2, [Edge(j, pg.oneof(["sep_conv_3x3", Conv()])) for j in range(i)], distinct=True)
        for i in (2, 3)
    )
    nodes = [second, [third]]  # a node is the choice itself, or a list that holds it
    space = SearchSpace(Sequence([Conv(8), Cell([["skip_connect"], *nodes], output="concat")]))
    assert {"input", "node_0"} <= set(space.decisions[0].candidates)
    for row in (space.sample(1, np.random.default_rng(seed)) for seed in range(3)):
        architecture = space.architecture(row)
        assert build_network(architecture, NetworkShape((1, 8, 8), 10))(torch.zeros(2, 1, 8, 8)).shape == (
            2,
            10,
        )


def test_every_field_may_be_searched() -> None:
    space = SearchSpace(
        Sequence(
            [
                Conv(pg.oneof([8, 12]), kernel_size=pg.oneof([3, 4]), norm=pg.oneof(["batch", "none"])),
                pg.oneof([Pool(), Separable(stride=2), "none"]),
                Repeat([Residual(Conv(activation=pg.oneof(["relu", "none"]))) for _ in range(2)]),
                pg.oneof([Repeat([Conv()] * n) for n in (1, 2, 3)]),
                Dropout(pg.floatv(0.0, 0.5)),
            ]
        )
    )
    labels = {decision.name: decision.candidates for decision in space.decisions}
    assert labels["layers[1]"] == ("pool", "separable(stride=2)", "none")
    assert labels["layers[3]"] == ("1x", "2x", "3x")
    shape = NetworkShape((3, 8, 8), 10)
    for seed in range(4):
        architecture = space.architecture(space.sample(1, np.random.default_rng(seed)))
        assert build_network(architecture, shape)(torch.zeros(2, 3, 8, 8)).shape == (2, 10)


def test_costs_are_those_by_hand() -> None:
    layers = [
        Conv(4, activation="none"),  # 64 * 9 * 1 * 4 on 8 x 8
        Depthwise(stride=2),  # 16 * 9 * 4 on 4 x 4
        Separable(8, kernel_size=1),  # 16 * (4 + 4 * 8)
        Attention(heads=2),  # 16 * 8 * (24 + 8) and twice 16 * 16 * 8
        Flatten(),
        Linear(pg.oneof([5, 6])),  # 128 * 5
    ]
    space = SearchSpace(Sequence(layers))
    costs = Costs(input_shape=[1, 8, 8]).evaluate(space.architecture(space.at([0])), Trial())
    by_hand = 64 * 36 + 16 * 36 + 16 * 36 + 16 * 8 * 32 + 2 * 16 * 16 * 8 + 128 * 5 + 5 * 10
    assert costs["macs"] == by_hand
    n_conv = 36 + 8 + 36 + 8 + 4 + 32 + 16
    assert costs["params"] == n_conv + (24 + 8) * 8 + 32 + 128 * 5 + 5 + 50 + 10


@pytest.mark.parametrize(
    ("value", "label"),
    [
        (Conv(width=32), "conv(width=32)"),
        (Conv(width=CHOICE, kernel_size=5), "conv(kernel_size=5)"),
        (Pool(), "pool"),
        (Pool("avg", size="global"), "pool(kind=avg, size=global)"),
        (Residual(Conv(CHOICE)), "residual(body=conv)"),
        (Residual([Conv(), "conv_3x3"], width=CHOICE), "residual(body=[conv, conv_3x3])"),
        (
            Sequence([Conv(8), "none", pg.oneof(["conv_1x1", Conv()]), [Pool()]]),
            "conv(width=8) > ... > pool",
        ),
        (Sequence([pg.oneof(["conv_1x1", "none"])]), "sequence"),
        (Sequence([pg.oneof(["conv_1x1", "none"]), pg.oneof(["conv_1x1", "none"])]), "sequence(2)"),
        (Residual([Conv(), pg.oneof(["conv_1x1", "none"])]), "residual(body=[conv, ...])"),
        (Sequence([]), "sequence"),
        (Repeat([Conv(), Conv()]), "2x"),
        (Edge(0, Conv(CHOICE)), "input"),
        (Edge(2, Conv(CHOICE)), "node_1"),
        (Call("my.net:MyNet", {"width": CHOICE}), "MyNet"),
        (Call("my.net:MyNet", {"width": 8}), "MyNet(width=8)"),
        (Call(nn.ReLU), "ReLU"),
    ],
)
def test_labels_are_short_and_say_what_differs(value: Any, label: str) -> None:
    assert candidate_label(value) == label


MISTAKES: list[tuple[Callable[[], Any], str]] = [
    (lambda: Conv(0), "width must be a whole number >= 1, got 0"),
    (lambda: Conv(True), "width must be a whole number >= 1, got True"),
    (lambda: Conv(pg.oneof([8, -1])), "width must be .*, got -1"),
    (lambda: Conv(activation="rellu"), "'rellu' is not one of the activations; did you mean 'relu'"),
    (lambda: Activation(pg.oneof(["relu", "tan"])), "did you mean 'tanh'"),
    (lambda: Linear(dropout=1.0), r"dropout must be in \[0, 1\), got 1.0"),
    (lambda: Dropout(pg.floatv(-0.5, 0.5)), r"rate must be in \[0, 1\), got -0.5"),
    (lambda: Attention(heads=0), "heads must be .*, got 0"),
    (lambda: Pool(size=0), "size must be .*, got 0"),
    (lambda: Sequence(["conv_3x3", "conv"]), r"layers\[1\]: 'conv' is a blueprint.*: write {name: conv}"),
    (lambda: Repeat([Conv(), 3]), r"layers\[1\]: a part of a network is .*, got 3"),
    (lambda: Residual(pg.Dict(nam="conv")), r"body: a part of a network is .*, got {"),
    (lambda: Residual("con_3x3"), "body: 'con_3x3' is not .*; did you mean 'conv_3x3'"),
    (lambda: Parallel([Conv(), ["conv_3x3", pg.oneof(["pol"])]]), r"branches\[1\]\[1\]: 'pol' is not one of"),
    (lambda: Cell([["nor_conv"]]), r"nodes\[0\]\[0\]: .* did you mean 'nor_conv_3x3'"),
    (lambda: Edge(0, pg.oneof([Conv(), True])), "op: a part of a network is .*, got True"),
]


@pytest.mark.parametrize(("make", "message"), MISTAKES)
def test_wrong_fields_are_met_when_they_are_written(make: Callable[[], Any], message: str) -> None:
    with pytest.raises((SpaceError, UnknownNameError), match=message):
        make()


UNBUILDABLE: list[tuple[Any, str, str]] = [
    (Conv(groups=3), "layers[1]", "groups must divide the widths, got 3 groups of 4 channels in and 4 out"),
    (Norm("group"), "layers[1]", "got 8 groups of 4 channels"),
    (Attention(heads=3), "layers[1]", "got 3 heads of 4 channels"),
    (Head(), "layers[1]", "a head is the last layer"),
    (Cell([[Flatten()]]), "layers[1].nodes[0][0]", "flatten needs to know the shape"),
    (Cell([]), "layers[1]", "at least one node"),
    (Cell([[]]), "layers[1]", r"nodes[0] needs at least one edge"),
    (Cell([[Edge(1, Conv())]]), "layers[1]", "nodes[0][0] reads state 1; there are 0, the input, to 0"),
    (Parallel([]), "layers[1]", "at least one branch"),
    (Parallel([Conv(2), Conv(3)]), "layers[1]", "one width, got [2, 3]"),
    (Pool(size=4, stride=2), "layers[1]", "even side 4 moves by its own side, got stride 2"),
]


@pytest.mark.parametrize(("layer", "path", "message"), UNBUILDABLE)
def test_what_cannot_be_built_is_named_with_its_place(layer: Any, path: str, message: str) -> None:
    with pytest.raises((SpaceError, UnknownNameError)) as caught:
        network(Sequence([Conv(4), layer, Conv(4)]), (1, 8, 8))
    assert message in str(caught.value)
    assert caught.value.at == path  # type: ignore[attr-defined]


# --------------------------------------------------------------------------- call


class Strange(nn.Module):
    """A stranger's module: no `.out`, keyword-only arguments, words of its own."""

    def __init__(self, width: int, *, n_outputs: int, input_shape: tuple[int, ...], **options: Any):
        super().__init__()
        self.told = {"n_outputs": n_outputs, "input_shape": input_shape, **options}
        self.body = nn.Sequential(nn.Flatten(), nn.LazyLinear(width), nn.Linear(width, n_outputs))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y: torch.Tensor = self.body(x)
        return y


@dataclass
class Settings:
    depth: int
    c_in: int


class Configured(nn.Module):
    def __init__(self, settings: Settings, parts: list[nn.Module], names: dict[str, list[int]]):
        super().__init__()
        self.settings, self.parts, self.names = settings, nn.ModuleList(parts), names


def scaled(c_in: int, c_out: int | None = None, factor: int = 2) -> nn.Module:
    return nn.Conv2d(c_in, c_out or factor * c_in, 1)


def fails(depth: int) -> nn.Module:
    raise KeyError(f"no depth {depth}")


def no_module(c_in: int) -> Any:
    return [c_in]


def test_a_call_is_told_what_it_has_parameters_for_and_no_more() -> None:
    made = network(Call(Strange, {"width": 4, "extra": "x"}), (1, 8, 8))
    assert made.told == {"n_outputs": 10, "input_shape": (1, 8, 8), "extra": "x"}
    given = network(Call(Strange, {"width": 4, "n_outputs": 3}), (1, 8, 8))
    assert given.told["n_outputs"] == 3  # type: ignore[index]


def test_a_call_by_itself_is_the_network_that_it_makes() -> None:
    assert isinstance(network(Call("torch.nn:Flatten"), (1, 8, 8)), nn.Flatten)


def test_a_call_is_a_layer_among_others() -> None:
    value = Sequence([Conv(4), Call(scaled), Call(scaled, {"factor": 1}), Call(nn.ReLU), Conv(2)])
    assert run(value, (1, 8, 8)) == (2, 10)
    assert out_of(build(Call(scaled), 4, c_out=5)) == 5
    unknown = Call("torch.nn:Flatten", {}, 64)
    assert run(Sequence([unknown, Linear(4)]), (1, 8, 8)) == (2, 10)
    with pytest.raises(SpaceError, match=r"Sequence > Flatten: .* Flatten has none.*`out`"):
        network(Sequence([Call("torch.nn:Flatten"), Linear(4)]), (1, 8, 8))


def test_calls_and_blueprints_among_the_arguments_are_made_first() -> None:
    args = {
        "settings": Call(Settings, {"depth": CHOICE}),
        "parts": [Conv(7), Call(nn.ReLU)],
        "names": {"a": [1, 2]},
    }
    space = SearchSpace(Call(Configured, args))
    made: Any = build(space.architecture(space.at([1])).value, 3)
    assert made.settings == Settings(depth=2, c_in=3)
    assert out_of(made.parts[0]) == 7
    assert type(made.names) is dict
    assert type(made.names["a"]) is list


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (Call("torch.nn:Linaer"), "torch.nn has no 'Linaer'; did you mean 'Linear'"),
        (Call("no_such_module:Net"), "there is no module 'no_such_module'"),
        (Call("Net"), "an import path reads 'package.module:attribute', got 'Net'"),
        (Call("math:pi"), "math:pi is no class or function, but 3.14"),
        (Call(scaled, {"facter": 2}), "scaled has no argument 'facter'; did you mean 'factor'"),
        (Call(Strange), "Strange needs the argument 'width'"),
        (
            Call(Configured, {"settings": Call(Settings), "parts": [], "names": {}}),
            "needs the argument 'depth'",
        ),
        (Call(scaled, pg.oneof([{"factor": 1}, {"fact": 2}])), "no argument 'fact'; did you mean 'factor'"),
        (Call(Configured, {"settings": 1, "parts": pg.oneof([1, Call(fails)]), "names": 1}), "'depth'"),
    ],
)
def test_arguments_are_checked_without_making_anything(call: Any, message: str) -> None:
    with pytest.raises((SpaceError, UnknownNameError), match=message):
        call.check_arguments()


def test_right_arguments_pass_the_check() -> None:
    Call(Strange, {"width": CHOICE, "extra": 1}).check_arguments()
    Call(scaled, {"factor": pg.oneof([1, 2])}).check_arguments()
    Call("builtins:dict", {"a": 1}).check_arguments()  # tells no signature


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (Call(fails, {"depth": 3}), r"fails refuses \(depth=3\): 'no depth 3' \(KeyError\)"),
        (Call(no_module), r"no_module must give an nn\.Module, got \[3\] of type list"),
        (Call(Strange, {"width": 1}), "Strange needs 'n_outputs', which is not known here: give it in args"),
        (Call("torch.nn:Linear", {"in_features": 3}), "torch.nn:Linear needs the argument 'out_features'"),
    ],
)
def test_a_call_that_fails_names_its_target(call: Any, message: str) -> None:
    with pytest.raises(SpaceError, match=message):
        build(call, 3)


# --------------------------------------------------------------------------- freely composed


def tree(rng: random.Random, depth: int) -> Any:
    """Draw any layer of the library, with others inside."""

    def several() -> list[Any]:
        return [tree(rng, depth - 1) for _ in range(rng.randint(1, 3))]

    leaves: list[Callable[[], Any]] = [
        lambda: Conv(
            rng.choice([None, 4, 6]), kernel_size=rng.choice([1, 2, 3, 5]), groups=rng.choice([1, 2])
        ),
        lambda: Separable(stride=rng.choice([None, 1, 2])),
        lambda: Depthwise(multiplier=rng.choice([1, 2]), norm=rng.choice(["batch", "none"])),
        lambda: Norm(rng.choice(["batch", "layer", "group", "instance"]), groups=2),
        lambda: Pool(rng.choice(["avg", "max"]), size=rng.choice([2, 3, "global"])),
        lambda: Attention(heads=rng.choice([1, 2])),
        lambda: Linear(rng.choice([None, 4])),
        lambda: rng.choice(["conv_3x3", "skip_connect", "none", "max_pool_3x3"]),
        Activation,
        Flatten,
        Dropout,
    ]
    inner: list[Callable[[], Any]] = [
        lambda: Residual(several(), activation="relu"),
        lambda: Parallel(several(), join=rng.choice(["sum", "concat"])),
        lambda: Cell([several()[: i + 1] for i in range(2)], output=rng.choice(["last", "concat"])),
        lambda: Sequence(several()),
    ]
    return rng.choice(inner if depth and rng.random() < 0.6 else leaves)()


def test_random_trees_run_or_say_where_they_fail() -> None:
    n_running = 0
    for seed in range(40):
        rng = random.Random(seed)
        layers = [Conv(4), *[tree(rng, 2) for _ in range(2)], Activation(pg.oneof(["relu", "tanh"]))]
        space = SearchSpace(Sequence(layers))
        architecture = space.architecture(space.at([0]))
        found = misfit(architecture, NetworkShape((1, 8, 8), 10))
        if found is None:
            n_running += 1
            y = build_network(architecture, NetworkShape((1, 8, 8), 10))(torch.randn(2, 1, 8, 8))
            assert y.shape == (2, 10)
            continue
        assert found.path.startswith("layers["), (seed, found)
        assert architecture.value.sym_get(found.path) is not None
        assert found.reason
        assert "\n" not in found.reason
    assert n_running >= 10


@pytest.mark.slow
def test_a_network_of_the_library_is_exported(tmp_path: Path) -> None:
    value = Sequence(
        [
            Conv(8, norm="none"),
            Residual([Norm("layer"), Attention(heads=2)]),
            Residual([Separable(), Conv(activation="none", kernel_size=2)], width=12, stride=2),
            Parallel([Depthwise(), [Pool("avg", size=3, stride=1), Activation("silu")]], join="concat"),
            Cell([[Conv()], ["skip_connect", Conv()]], output="concat", width=4),
            Pool(),
            Dropout(0.1),
            Flatten(),
            Linear(9),
        ]
    )
    made = network(value, (1, 8, 8))
    exported = export_model(made, tmp_path / "model", card={}, example_input=torch.randn(4, 1, 8, 8))
    assert exported.difference <= 1e-6
    assert "archloom" not in exported.model.read_text().split('"""', 2)[2]
