# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import subprocess
import sys

import pytest
import torch

from archloom.errors import UnknownNameError
from archloom.search_spaces.blueprint import build, out_of
from archloom.search_spaces.operations import DARTS, NASBENCH201, NASNET, OPERATIONS, SHARP


@pytest.mark.parametrize("name", OPERATIONS.names())
@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("c_out", [None, 6])
def test_every_operation_fits_every_place(name: str, stride: int, c_out: int | None) -> None:
    module = build(name, 4, c_out=c_out, stride=stride, affine=False)
    x = torch.randn(2, 4, 7, 7, requires_grad=True)
    y = module(x)
    assert out_of(module) == (c_out or 4)
    assert y.shape == (2, c_out or 4, *([7, 7] if stride == 1 else [4, 4]))
    if name != "none":
        y.sum().backward()
        assert x.grad is not None


def test_named_sets_are_registered() -> None:
    assert set(NASBENCH201) | set(DARTS) | set(NASNET) | set(SHARP) <= set(OPERATIONS.names())
    assert len(set(NASNET)) == 13
    assert len(set(SHARP)) == 9
    assert NASBENCH201[0] == SHARP[0] == "none"


def test_darts_convolutions_have_the_parameters_of_the_paper() -> None:
    def n_parameters(name: str) -> int:
        return sum(p.numel() for p in build(name, 16).parameters())

    assert n_parameters("sep_conv_3x3") == 2 * (16 * 9 + 16 * 16 + 32)
    assert n_parameters("sep_conv_5x5") == 2 * (16 * 25 + 16 * 16 + 32)
    assert n_parameters("dil_conv_3x3") == 16 * 9 + 16 * 16 + 32
    assert n_parameters("dil_conv_5x5") == 16 * 25 + 16 * 16 + 32


def test_nasnet_s_convolutions_have_the_weights_of_their_names() -> None:
    def n_parameters(name: str) -> int:
        return sum(p.numel() for p in build(name, 16).parameters())

    assert n_parameters("conv_1x3_3x1") == 2 * 3 * 16 * 16 + 32
    assert n_parameters("conv_1x7_7x1") == 2 * 7 * 16 * 16 + 32
    assert n_parameters("sep_conv_7x7") == 2 * (16 * 49 + 16 * 16 + 32)
    assert n_parameters("max_pool_5x5") == n_parameters("max_pool_7x7") == 0


@pytest.mark.parametrize(
    ("operation", "c_mid"), [("sharp_sep_conv_3x3", 16), ("flood_conv_3x3", 64), ("choke_conv_3x3", 32)]
)
def test_sharp_convolutions_have_the_middle_of_the_paper(operation: str, c_mid: int) -> None:
    plain, dilated = (build(name, 16) for name in (operation, _dilated(operation)))
    for module in (plain, dilated):
        n_parameters = sum(p.numel() for p in module.parameters())
        assert n_parameters == 9 * (16 + c_mid) + 2 * 16 * c_mid + 2 * (c_mid + 16)
    assert [module.dilation for module in (plain, dilated)] == [1, 2]


def _dilated(operation: str) -> str:
    return operation.replace("sep", "dil") if "sep" in operation else f"dil_{operation}"


@pytest.mark.parametrize(
    ("operation", "side"), [("conv_1x7_7x1", 7), ("max_pool_5x5", 5), ("max_pool_7x7", 7)]
)
def test_an_operation_sees_a_square_of_the_side_in_its_name(operation: str, side: int) -> None:
    module = build(operation, 1).eval()
    for name, p in module.named_parameters():
        torch.nn.init.constant_(p, 0.0 if name.endswith("bias") else 1.0)
    x = torch.zeros(1, 1, 15, 15)
    x[0, 0, 7, 7] = 1
    rows, columns = torch.nonzero(module(x)[0, 0], as_tuple=True)
    assert len(rows) == side**2
    assert len(set(rows.tolist())) == len(set(columns.tolist())) == side


def test_an_unknown_name_suggests_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'sep_conv_3x3'"):
        OPERATIONS.get("sep_con_3x3")


def test_naming_an_operation_loads_no_torch() -> None:
    code = (
        "import sys; from archloom.search_spaces.operations import OPERATIONS; "
        "OPERATIONS.get('none'); sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
