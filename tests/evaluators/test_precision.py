# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from torch import nn
from torch.utils.data import TensorDataset

from archloom.contracts import Architecture, Trial
from archloom.errors import ConfigError
from archloom.evaluators.batches import batches
from archloom.evaluators.optimisation import Optimisation
from archloom.evaluators.precision import Precision
from archloom.evaluators.seeding import generator
from archloom.evaluators.tasks import Classification, Regression
from archloom.evaluators.trainer import Trainer
from archloom.evaluators.training import Training

Point = Callable[..., Architecture]
FEW = {"n_train": 200, "n_validation": 60, "n_test": 60}
HAS_CUDA = torch.cuda.is_available()


class Watching(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(64, 32)
        self.last = nn.Linear(32, 10)
        self.dtypes: set[torch.dtype] = set()

    def __deepcopy__(self, memo: Any) -> Watching:
        return self

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        hidden = self.first(x.flatten(1)).relu()
        self.dtypes.add(hidden.dtype)
        y: torch.Tensor = self.last(hidden)
        return y


def test_bfloat16_computes_so_on_a_cpu_and_the_loss_in_float32(point: Point) -> None:
    class Wide(Classification):
        def loss(self, outputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
            assert outputs.dtype == torch.float32
            assert not torch.is_autocast_enabled("cpu")
            return super().loss(outputs, targets)

        def metrics(self, outputs: torch.Tensor, targets: torch.Tensor) -> dict[str, float]:
            assert outputs.dtype == torch.float32
            return super().metrics(outputs, targets)

    network = Watching()
    training = Training(data="digits", task=Wide(), epochs=3, lr=1e-2, precision="bfloat16")
    metrics = training.evaluate(point(network), Trial())
    assert network.dtypes == {torch.bfloat16}
    assert metrics["validation/accuracy"] > 0.85
    assert {p.dtype for p in network.parameters()} == {torch.float32}


def test_the_seed_decides_under_bfloat16_too(point: Point, small_net: Any, tmp_path: Path) -> None:
    training = Training(data="digits", data_options=FEW, epochs=2, precision="bfloat16")
    trial = Trial(seed=3, folder=tmp_path)
    first = training.evaluate(point(small_net), trial)
    assert training.evaluate(point(small_net), Trial(seed=3)) == first
    wide = Training(data="digits", data_options=FEW, epochs=2).evaluate(point(small_net), Trial(seed=3))
    assert first["train/loss"] != wide["train/loss"] == pytest.approx(first["train/loss"], rel=0.02)
    weights = load_file(trial.artifacts["weights.safetensors"])
    assert weights["0.weight"].dtype == torch.float32
    assert not any(name.startswith("network.") for name in weights)


def test_patience_restores_under_bfloat16(point: Point, small_net: Any) -> None:
    training = Training(
        data="digits",
        data_options=FEW,
        epochs=30,
        lr=0.1,
        schedule="constant",
        patience=2,
        precision="bfloat16",
    )
    assert training.evaluate(point(small_net), Trial())["epochs"] < 30


def test_targets_are_not_rounded_to_the_outputs(point: Point) -> None:
    class Exact(Regression):
        def loss(self, outputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
            assert set(targets.flatten().tolist()) == {1.0009765625}
            return super().loss(outputs, targets)

    data = TensorDataset(torch.ones(8, 3), torch.full((8,), 1.0009765625))  # bfloat16 makes it 1
    training = Training(data=(data, data), task=Exact(), epochs=1, precision="bfloat16")
    training.evaluate(point(nn.Linear(3, 1)), Trial())


def test_outputs_in_tuples_are_widened_and_others_left() -> None:
    class Several(nn.Module):
        def forward(self, x: torch.Tensor, *, scale: int) -> Any:
            return nn.functional.linear(x, x) * scale, [x.argmax(dim=1), "word"]

    network = Precision("bfloat16").wrap(Several(), torch.device("cpu"))
    product, (places, word) = network(torch.eye(3), scale=2)
    assert (product.dtype, places.dtype, word) == (torch.float32, torch.int64, "word")
    assert torch.equal(product, 2 * torch.eye(3))


def test_float32_is_the_network_itself() -> None:
    network = nn.Linear(1, 1)
    precision = Precision()
    assert precision.wrap(network, torch.device("cpu")) is network
    assert precision.scaler(torch.device("cpu")) is None


def test_float16_on_a_cpu_is_refused_before_it_trains(point: Point, monkeypatch: pytest.MonkeyPatch) -> None:
    training = Training(data="digits", data_options=FEW, precision="float16")
    with pytest.raises(ConfigError, match=r"float16' needs a CUDA device.*got device 'cpu': take 'bfloat16'"):
        training.evaluate(point(Watching()), Trial())
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(ConfigError, match="there is none here; take 'bfloat16'"):
        training.prepare(None)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    training.prepare(None)


@pytest.mark.parametrize("wrong", ["bfloat", "fp16", "float64", ""])
def test_an_unknown_precision_is_refused_at_once(wrong: Any) -> None:
    with pytest.raises(ConfigError, match=f"'{wrong}' is no precision; "):
        Training(data="digits", precision=wrong)


@pytest.mark.skipif(not HAS_CUDA, reason="no CUDA device: float16 is not trained on a CPU")
def test_float16_trains_on_a_gpu(point: Point) -> None:
    network = Watching()
    training = Training(data="digits", epochs=5, lr=1e-2, precision="float16", augment=["crop", "cutmix"])
    metrics = training.evaluate(point(network), Trial(device="cuda"))
    assert network.dtypes == {torch.float16}
    assert metrics["validation/accuracy"] > 0.8


@pytest.fixture
def scalers() -> list[torch.amp.GradScaler | None]:
    """No scaler, one that leaves all as it is, and one of a large factor."""
    return [None, *(torch.amp.GradScaler("cpu", init_scale=scale) for scale in (1.0, 2.0**10))]


@pytest.mark.parametrize("clip", [None, 0.1])
def test_a_scaled_loss_moves_the_weights_as_a_plain_one(clip: float | None, scalers: list[Any]) -> None:
    inputs = torch.randn(64, 4, generator=generator(0))
    data = TensorDataset(inputs, (inputs.sum(dim=1) > 0).long())
    results = []
    for scaler in scalers:
        torch.manual_seed(0)
        network = nn.Linear(4, 2)
        passes = batches(data, batch_size=16, device=torch.device("cpu"), shuffle=generator(0))
        optimisation = Optimisation(optimizer="sgd", lr=0.1, gradient_clip=clip)
        trainer = Trainer(network, passes, Classification(), optimisation, n_epochs=3, scaler=scaler)
        losses = [trainer.epoch(number) for number in (1, 2, 3)]
        assert losses[2] < losses[0]
        results.append((losses, network.weight.detach()))
    for losses, weight in results[1:]:
        assert losses == pytest.approx(results[0][0], rel=1e-5)
        torch.testing.assert_close(weight, results[0][1], rtol=1e-4, atol=1e-6)
