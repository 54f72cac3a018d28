# SPDX-License-Identifier: Apache-2.0
"""The whole way: write, run afresh without archloom, put in place."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import nn

from archloom.errors import ArchloomError, ConfigError
from archloom.export import export_model, rerun, verify
from archloom.search_spaces.blueprint import build
from archloom.search_spaces.cell import cell
from archloom.search_spaces.darts import darts
from archloom.search_spaces.mlp import mlp
from archloom.search_spaces.nasbench201 import nasbench201
from archloom.search_spaces.operations import SHARP
from archloom.search_spaces.space import SearchSpace


def loaded(path: Path) -> Any:
    spec = importlib.util.spec_from_file_location("exported_model", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.slow
@pytest.mark.parametrize(
    ("space", "shape"),
    [
        (nasbench201(channels=4, n_cells=3), (3, 8, 8)),
        (cell(nodes=3, channels=4), (3, 32, 32)),
        (darts(nodes=2, channels=4, n_cells=3, operations=SHARP[3:]), (3, 16, 16)),
        (mlp(dropout=[0.0, 0.2]), (1, 28, 28)),
    ],
)
def test_every_space_can_be_exported(space: SearchSpace, shape: tuple[int, ...], tmp_path: Path) -> None:
    architecture = space.architecture(space.sample(1, np.random.default_rng(3)))
    network = build(architecture.value, shape[0], 10, input_shape=shape)
    x = torch.randn(4, *shape)
    network(x)  # running statistics away from their initial values
    exported = export_model(network, tmp_path / "net", card={"text": architecture.text}, example_input=x)
    assert exported.difference <= 1e-6
    assert names(exported.folder) == ["card.json", "card.md", "model.py", "weights.safetensors"]
    again = loaded(exported.model).load(exported.folder)
    assert not again.training
    state, original = again.state_dict(), network.state_dict()
    assert list(state) == list(original)
    assert all(torch.equal(state[name], original[name]) for name in original)
    assert set(load_file(exported.weights)) == set(original)
    assert exported.n_parameters == sum(p.numel() for p in network.parameters())
    assert torch.equal(again(x), network.eval()(x))


def small() -> nn.Module:
    return nn.Sequential(nn.Linear(3, 4, bias=False), nn.BatchNorm1d(4), nn.ReLU(), nn.Linear(4, 2))


@pytest.mark.slow
def test_an_export_replaces_only_an_export(tmp_path: Path) -> None:
    folder, x = tmp_path / "net", torch.randn(2, 3)
    folder.mkdir()
    export_model(small(), folder, card={}, example_input=x)
    before = (folder / "weights.safetensors").read_bytes()
    with pytest.raises(ConfigError, match="is not empty"):
        export_model(small(), folder, card={}, example_input=x)
    assert (folder / "weights.safetensors").read_bytes() == before
    export_model(small(), folder, card={}, example_input=x, overwrite=True)
    assert (folder / "weights.safetensors").read_bytes() != before
    (folder / "thesis.tex").touch()
    with pytest.raises(ConfigError, match=r"also holds thesis\.tex"):
        export_model(small(), folder, card={}, example_input=x, overwrite=True)
    assert names(tmp_path) == ["net"]


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "net").touch()
    with pytest.raises(ConfigError, match="is a file"):
        export_model(small(), tmp_path / "net", card={}, example_input=torch.randn(2, 3))


@pytest.mark.slow
def test_the_card_says_where_it_comes_from(tmp_path: Path) -> None:
    card = {
        "title": "Winner",
        "study": "digits",
        "choices": {"op|0": "conv"},
        "metrics": {"accuracy": np.float64(0.5), "loss": float("nan")},
        "tags": ("a", "b"),
        "made": Path("x"),
        "export": "replaced",
    }
    exported = export_model(small(), tmp_path / "net", card=card, example_input=torch.randn(2, 3))
    stored = json.loads((exported.folder / "card.json").read_text())
    assert stored["metrics"] == {"accuracy": 0.5, "loss": "nan"}
    assert stored["tags"] == ["a", "b"]
    assert stored["export"]["input_shape"] == [3]
    assert stored["export"]["output_shape"] == [2]
    text = exported.card.read_text()
    assert text.startswith("# Winner\n")
    assert "| op\\|0 | conv |" in text
    assert "| tags | a, b |" in text


@pytest.mark.slow
def test_the_network_is_left_as_it_was(tmp_path: Path) -> None:
    network = small().to(torch.float64)
    network[1].eval()  # type: ignore[index]
    exported = export_model(
        network, tmp_path / "net", card={}, example_input=torch.randn(2, 3, dtype=torch.float64)
    )
    assert [module.training for module in network] == [True, False, True, True]  # type: ignore[attr-defined]
    assert loaded(exported.model).load()[0].weight.dtype == torch.float64


class KeepsAList(nn.Module):
    """Its weights depend on something that is no parameter of the constructor."""

    def __init__(self, width: int):
        super().__init__()
        self.width = width
        self.factor = 1.0
        self.linear = nn.Linear(width, width)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y: torch.Tensor = self.factor * self.linear(x)
        return y


def grown() -> nn.Module:
    network = KeepsAList(3)
    network.linear = nn.Linear(3, 5)
    return network


def scaled() -> nn.Module:
    network = KeepsAList(3)
    network.factor = 2.0
    return network


def tied() -> nn.Module:
    network = nn.Sequential(nn.Linear(3, 3), nn.Linear(3, 3))
    network[1].weight = network[0].weight
    return network


@pytest.mark.slow
@pytest.mark.parametrize(
    ("make", "message"),
    [
        (grown, r"does not run by itself: .*size mismatch for linear\.weight"),
        (scaled, "differs from the original by .* neither in the weights nor in the constructor"),
        (tied, "has 24 parameters, the original 15: weights shared"),
    ],
)
def test_a_mismatch_leaves_nothing(make: Any, message: str, tmp_path: Path) -> None:
    with pytest.raises(ArchloomError, match=rf"(?s){message}"):
        export_model(make(), tmp_path / "net", card={}, example_input=torch.randn(2, 3))
    assert names(tmp_path) == []


class Pair(nn.Module):
    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return x, x


class Extra(nn.Module):
    def get_extra_state(self) -> dict[str, int]:
        return {"n": 1}

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x


@pytest.mark.parametrize(
    ("network", "message"),
    [
        (Pair(), "one tensor to be checked, got tuple"),
        (Extra(), "_extra_state cannot be exported: weights are tensors, got dict"),
        (nn.Sequential(nn.Linear(3, 2), nn.Threshold(99.0, float("nan"))), "NaN or infinity"),
    ],
)
def test_what_cannot_be_checked_is_refused_before_writing(
    network: nn.Module, message: str, tmp_path: Path
) -> None:
    with pytest.raises(ArchloomError, match=message):
        export_model(network, tmp_path / "deep" / "net", card={}, example_input=torch.randn(2, 3))
    assert names(tmp_path) == []


def test_an_interrupted_replacement_puts_the_old_one_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from archloom.export import export as room

    folder = tmp_path / "net"
    folder.mkdir()
    (folder / "model.py").write_text("old")
    monkeypatch.setattr(room, "difference", lambda *_args, **_options: 0.0)
    rename = Path.rename

    def fails(self: Path, target: Path) -> Path:
        if Path(target) == folder.resolve() and not self.name.endswith("-old"):
            raise OSError("disk full")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", fails)
    with pytest.raises(OSError, match="disk full"):
        export_model(small(), folder, card={}, example_input=torch.randn(2, 3), overwrite=True)
    assert (folder / "model.py").read_text() == "old"
    assert names(tmp_path) == ["net"]


def test_the_rerun_cannot_import_archloom(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "meta_path", list(sys.meta_path))
    monkeypatch.delitem(sys.modules, "archloom.nn")
    save_file({"input": torch.ones(1, 3)}, tmp_path / "in")
    (tmp_path / "model.py").write_text(
        "from torch import nn\ndef load(folder):\n    return nn.Linear(3, 2)\n"
    )
    rerun.main(str(tmp_path), str(tmp_path / "in"), str(tmp_path / "out"))
    found = load_file(tmp_path / "out")
    assert found["output"].shape == (1, 2)
    assert found["n_parameters"] == 8
    (tmp_path / "model.py").write_text("import archloom.nn\n")
    with pytest.raises(ImportError, match=r"the exported model imports archloom\.nn"):
        rerun.main(str(tmp_path), str(tmp_path / "in"), str(tmp_path / "out"))


@pytest.mark.parametrize(
    ("output", "message"),
    [
        (torch.zeros(2, 2), r"gives \(2, 2\) of torch\.float32, the original \(2, 3\) of torch\.float32"),
        (torch.zeros(2, 3, dtype=torch.float64), r"of torch\.float64, the original"),
        (torch.full((2, 3), torch.nan), "by nan"),
        (torch.full((2, 3), 1.00001), "by 1.0e-05, at most 1e-06"),
    ],
)
def test_another_output_is_a_mismatch(
    output: torch.Tensor, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = {"output": output, "n_parameters": torch.tensor(5)}
    monkeypatch.setattr(verify, "_rerun", lambda *_: found)
    with pytest.raises(ArchloomError, match=message):
        verify.difference(tmp_path, torch.ones(1), torch.ones(2, 3), n_parameters=5)


def test_equal_outputs_differ_by_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for output in (torch.zeros(0, 3), torch.zeros(2), torch.ones(2)):
        found = {"output": output, "n_parameters": torch.tensor(5)}
        monkeypatch.setattr(verify, "_rerun", lambda *_, found=found: found)
        assert verify.difference(tmp_path, torch.ones(1), output, n_parameters=5) == 0.0


def test_a_network_over_two_devices_is_refused(tmp_path: Path) -> None:
    network = nn.Sequential(nn.Linear(3, 3), nn.Linear(3, 3, device="meta"))
    with pytest.raises(ArchloomError, match=r"on \['cpu', 'meta'\]"):
        export_model(network, tmp_path / "net", card={}, example_input=torch.randn(2, 3))
