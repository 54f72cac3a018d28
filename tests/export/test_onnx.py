# SPDX-License-Identifier: Apache-2.0
"""A network as an ONNX file: the same outputs for every size of batch, or no file."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from archloom.errors import ArchloomError, ConfigError, MissingExtraError
from archloom.export import export_model, export_onnx, onnx_file
from archloom.search_spaces.blueprint import build
from archloom.search_spaces.cell import cell
from archloom.search_spaces.darts import darts
from archloom.search_spaces.mlp import mlp
from archloom.search_spaces.mobilenet import mobilenet
from archloom.search_spaces.nasbench201 import nasbench201
from archloom.search_spaces.space import SearchSpace
from archloom.search_spaces.spos import spos

MODULES = ("onnx", "onnx_ir", "onnxscript", "onnxruntime")


@pytest.fixture
def runtime() -> Any:
    """Return onnxruntime, where the whole extra is installed."""
    return [pytest.importorskip(module, reason="needs the extra 'onnx'") for module in MODULES][-1]


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def small() -> nn.Sequential:
    return nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Dropout(0.5), nn.Linear(4, 2))


SPACES = {
    "cell": (cell(nodes=2, channels=4, n_cells=1), (3, 16, 16)),
    "darts": (darts(nodes=2, channels=4, n_cells=3, auxiliary=0.4), (3, 32, 32)),
    "mlp": (mlp(dropout=[0.2]), (1, 8, 8)),
    "mobilenet": (mobilenet(channels=[8, 8], strides=[1, 2], depths=[1, 2], stem=4, head=16), (3, 16, 16)),
    "nasbench201": (nasbench201(channels=4, n_cells=1), (3, 8, 8)),
    "spos": (spos(stages=[2, 2], channels=[16, 32], stem=8, head=16), (3, 32, 32)),
}


@pytest.mark.slow
@pytest.mark.usefixtures("runtime")
@pytest.mark.parametrize(("space", "shape"), SPACES.values(), ids=SPACES)
def test_networks_of_every_kind(space: SearchSpace, shape: tuple[int, ...], tmp_path: Path) -> None:
    architecture = space.architecture(space.sample(1, np.random.default_rng(3)))
    network = build(architecture.value, shape[0], 10, input_shape=shape)
    x = torch.randn(4, *shape)
    network(x)  # running statistics away from their initial values
    assert export_onnx(network, tmp_path / "net.onnx", example_input=x) <= 1e-5
    assert names(tmp_path) == ["net.onnx"]


@pytest.mark.slow
def test_any_size_of_batch_in_evaluation_mode(runtime: Any, tmp_path: Path) -> None:
    network, path = small(), tmp_path / "deep" / "net.onnx"
    difference = export_onnx(network, path, example_input=torch.randn(1, 3))
    assert 0 <= difference <= 1e-4
    assert all(module.training for module in network.modules())
    assert str(Path(nn.__file__).parent).encode() not in path.read_bytes()  # nor any path of this machine
    session = runtime.InferenceSession(path, providers=["CPUExecutionProvider"])
    assert [(one.name, one.shape) for one in session.get_inputs()] == [("input", ["batch", 3])]
    assert [(one.name, one.shape) for one in session.get_outputs()] == [("output", ["batch", 2])]
    x = torch.randn(7, 3)
    with torch.no_grad():
        wanted = network.eval()(x)
    assert np.allclose(session.run(None, {"input": x.numpy()})[0], wanted.numpy(), atol=1e-6)


@pytest.mark.slow
@pytest.mark.usefixtures("runtime")
def test_a_file_is_replaced_only_if_asked(tmp_path: Path) -> None:
    path, x = tmp_path / "net.onnx", torch.randn(2, 3)
    path.write_text("mine")
    with pytest.raises(ConfigError, match="is there already"):
        export_onnx(small(), path, example_input=x)
    assert path.read_text() == "mine"
    export_onnx(small(), path, example_input=x, overwrite=True)
    assert path.stat().st_size > 100
    with pytest.raises(ConfigError, match="is there already"):
        export_onnx(small(), tmp_path, example_input=x, overwrite=True)


class Chooses(nn.Module):
    """Python decides by a value."""

    def forward(self, x: Tensor) -> Tensor:
        return 2 * x if x.sum() > 0 else x


class Singular(nn.Module):
    """ONNX has no such operator."""

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = torch.linalg.svdvals(x[:, :, None])
        return y


class Pairs(nn.Module):
    """Takes two rows only."""

    def forward(self, x: Tensor) -> Tensor:
        return x.reshape(2, 3)


class Counts(nn.Module):
    """Does something else with a large batch, which a trace of a small one leaves out."""

    def forward(self, x: Tensor) -> Tensor:
        return x if x.shape[0] < 4 else 2 * x


@pytest.mark.slow
@pytest.mark.usefixtures("runtime")
@pytest.mark.parametrize(
    ("network", "example", "message"),
    [
        (Chooses(), torch.ones(2, 3), "Chooses cannot be written as ONNX: Could not guard on data-dependent"),
        (Singular(), torch.ones(2, 3), "Singular cannot be written as ONNX: .*svd"),
        (Pairs(), torch.ones(2, 3), "may be of any size, but Pairs fails on a batch of 1: shape"),
        (Counts(), torch.ones(2, 3), r"differs from the network by 5\.0e-01 on a batch of 5, at most 1e-04"),
        (nn.Identity(), torch.tensor(1.0), r"checked on a batch, got a tensor of shape \(\)"),
        (nn.Conv2d(1, 1, 1).double(), torch.ones(2, 1, 4, 4).double(), "onnxruntime does not run the ONNX"),
    ],
)
def test_what_cannot_be_is_said_and_leaves_nothing(
    network: nn.Module, example: Tensor, message: str, tmp_path: Path
) -> None:
    with pytest.raises(ArchloomError, match=message):
        export_onnx(network, tmp_path / "net.onnx", example_input=example)
    assert names(tmp_path) == []


@pytest.mark.slow
@pytest.mark.usefixtures("runtime")
def test_another_output_is_a_mismatch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    x, write = torch.ones(2, 3), onnx_file._write

    def written(_network: nn.Module, example: Tensor, path: Path) -> None:
        write(nn.Linear(3, 4).eval(), example, path)

    monkeypatch.setattr(onnx_file, "_write", written)
    with pytest.raises(ArchloomError, match=r"gives \(2, 4\) of torch\.float32 .* the network \(2, 2\)"):
        export_onnx(small(), tmp_path / "net.onnx", example_input=x)
    with pytest.raises(ArchloomError, match="the ONNX file differs from the network by"):
        export_onnx(nn.Linear(3, 4), tmp_path / "net.onnx", example_input=x)
    with pytest.raises(ArchloomError, match="differs"):
        export_model(nn.Linear(3, 4), tmp_path / "net", card={}, example_input=x, onnx=True)
    assert names(tmp_path) == []


@pytest.mark.parametrize("missing", MODULES)
def test_the_extra_is_missed_before_writing(
    missing: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in MODULES:
        monkeypatch.setitem(sys.modules, module, None if module == missing else torch)
    line = rf"an ONNX file needs '{missing}', .*pip install 'archloom\[onnx\]'"
    with pytest.raises(MissingExtraError, match=line):
        export_onnx(small(), tmp_path / "deep" / "net.onnx", example_input=torch.randn(2, 3))
    with pytest.raises(MissingExtraError, match=line):
        export_model(small(), tmp_path / "net", card={}, example_input=torch.randn(2, 3), onnx=True)
    assert names(tmp_path) == []
