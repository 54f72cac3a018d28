# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

import pyglove as pg
import pytest
import torch
from torch import nn

from archloom.errors import SpaceError, UnknownNameError
from archloom.search_spaces.blueprint import Blueprint, build, origin, origins, out_of, sized


class Inner(Blueprint):
    op: Any

    def build(self, c_in: int, **kwargs: Any) -> nn.Module:
        return build(self.op, c_in, **kwargs)


class Outer(Blueprint):
    inner: Any

    @property
    def label(self) -> str:
        return "outer"

    def build(self, c_in: int, **kwargs: Any) -> nn.Module:
        return build(self.inner, c_in, **kwargs)


class Wrong(Blueprint):
    def build(self, c_in: int) -> nn.Module:
        return "not a module"  # type: ignore[return-value]


def double(c_in: int, *, bias: bool = True) -> nn.Module:
    return nn.Linear(c_in, 2 * c_in, bias=bias)


@pg.functor
def wide(c_in: int, width: int) -> nn.Module:
    return nn.Linear(c_in, width)


SymbolicLinear: Any = pg.symbolize(nn.Linear)


def test_a_blueprint_is_abstract() -> None:
    with pytest.raises(TypeError, match="abstract"):
        Blueprint()
    assert Inner("none").label is None


def test_children_of_every_kind_are_built() -> None:
    assert out_of(build(Outer(Inner("conv_1x1")), 4, c_out=6)) == 6
    made = build(Inner(double), 4, bias=False)
    assert isinstance(made, nn.Linear)
    assert made.weight.shape == (8, 4)
    assert made.bias is None
    assert isinstance(build(nn.Identity, 4), nn.Identity)
    module = nn.Linear(4, 4)
    assert build(module, 4) is module


def test_symbolic_functions_and_classes_are_built_after_decoding() -> None:
    template = pg.template(Inner(wide(width=pg.oneof([3, 5]))))
    made = build(template.decode(pg.DNA(1)), 4)
    assert isinstance(made, nn.Linear)
    assert made.weight.shape == (5, 4)
    value = pg.template(Inner(SymbolicLinear(pg.oneof([3, 5]), 2))).decode(pg.DNA(0))
    first, second = build(value, 3), build(value, 3)
    assert isinstance(first, nn.Linear)
    assert isinstance(second, nn.Linear)
    assert first.weight.shape == (2, 3)
    assert first is not second
    assert not torch.equal(first.weight, second.weight)


def test_a_module_is_placed_once() -> None:
    module = nn.Linear(4, 4)
    build(module, 4)
    with pytest.raises(SpaceError, match=r"^Inner > Linear: an nn\.Module holds weights"):
        build(Inner(module), 4)


@pytest.mark.parametrize("choice", [pg.oneof(["none"]), pg.manyof(1, ["none"]), pg.floatv(0.0, 1.0)])
def test_a_template_is_decoded_first(choice: Any) -> None:
    with pytest.raises(SpaceError, match=r"decoded before it is built.*at inner\.op"):
        build(Outer(Inner(choice)), 4)
    with pytest.raises(SpaceError, match="at the root"):
        build(choice, 4)


@pytest.mark.parametrize("value", [3, None, 2.5])
def test_other_things_are_named(value: Any) -> None:
    with pytest.raises(SpaceError, match=rf"outer > Inner > {type(value).__name__}: .*got "):
        build(Outer(Inner(value)), 4)


def test_errors_carry_the_path_once() -> None:
    with pytest.raises(UnknownNameError, match=r"^outer > Inner > nine: 'nine' is not one of the operations"):
        build(Outer(Inner("nine")), 4)
    with pytest.raises(SpaceError, match=r"^outer > Inner > Linear: .*\(TypeError\)$") as caught:
        build(Outer(Inner(nn.Linear)), 4)
    assert isinstance(caught.value.__cause__, TypeError)
    with pytest.raises(SpaceError, match=r"^Wrong: Wrong must build an nn\.Module, got 'not a module'"):
        build(Wrong(), 4)


def test_the_path_is_forgotten_after_an_error() -> None:
    for _ in range(2):
        with pytest.raises(SpaceError, match=r"^Wrong: "):
            build(Wrong(), 4)


class OwnHead(nn.Module):
    """A stranger's module, whose `out` is a layer and no width."""

    def __init__(self) -> None:
        super().__init__()
        self.out = nn.Linear(3, 5)


def test_widths_are_read_off_torch_s_own_modules() -> None:
    assert out_of(nn.Linear(2, 3)) == 3
    assert out_of(nn.Conv2d(2, 4, 1)) == 4
    assert out_of(nn.BatchNorm2d(7)) == 7
    tail = nn.Sequential(nn.Linear(2, 6), nn.ReLU(), nn.Dropout(0.1), nn.Identity())
    assert out_of(tail) == 6
    assert out_of(nn.Sequential(nn.Linear(1, 2), tail)) == 6
    assert out_of(sized(nn.Flatten(), 9)) == 9


@pytest.mark.parametrize(
    "module", [nn.Sequential(nn.Linear(2, 3), nn.Flatten()), nn.Sequential(), OwnHead(), nn.Identity()]
)
def test_out_of_states_the_rule(module: nn.Module) -> None:
    with pytest.raises(SpaceError, match=rf"every module .* has \.out.* {type(module).__name__} has none"):
        out_of(module)


def test_origins_map_modules_to_symbolic_paths_and_leave_nothing_behind() -> None:
    linear = SymbolicLinear(3, 2)
    value = Outer(Inner(linear))
    with origins() as made:
        network = build(value, 3)
    assert made[network] == "inner.op"
    before = set(vars(network))
    assert set(vars(build(value, 3))) == before
    assert origin(network) is None
    assert len(made) == 1  # outside the block nothing was added


def test_errors_carry_the_innermost_symbolic_path() -> None:
    with pytest.raises(SpaceError) as caught:
        build(Outer(Inner(Wrong())), 4)
    assert caught.value.at == "inner.op"  # type: ignore[attr-defined]
    assert caught.value.reason.startswith("Wrong must build an nn.Module")  # type: ignore[attr-defined]
    with pytest.raises(UnknownNameError) as unknown:
        build(Outer(Inner("nine")), 4)
    assert unknown.value.at == "inner"  # type: ignore[attr-defined]
