# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, ClassVar

import pytest
import torch
from safetensors.torch import load_model
from torch import nn
from torch.utils.data import Dataset, TensorDataset

from archloom.contracts import Architecture, Task, Trial
from archloom.errors import ArchloomError, ConfigError, DataError, SpaceError
from archloom.evaluators.data.splits import Splits
from archloom.evaluators.networks import build_network
from archloom.evaluators.tasks import Classification
from archloom.evaluators.trainer import measure
from archloom.evaluators.training import Training
from archloom.nn import ScheduledDropPath

Point = Callable[..., Architecture]
FEW = {"n_train": 200, "n_validation": 60, "n_test": 60}


def plane(n: int, seed: int = 0) -> TensorDataset:
    inputs = torch.randn(n, 3, generator=torch.Generator().manual_seed(seed))
    return TensorDataset(inputs, inputs @ torch.tensor([1.0, -2.0, 0.5]))


def linear(c_in: int, n_outputs: int, input_shape: tuple[int, ...]) -> nn.Module:
    return nn.Linear(c_in, n_outputs)


class Pairs(Dataset[tuple[torch.Tensor, int]]):
    """Samples made one by one, so that they go through a DataLoader."""

    def __init__(self, n: int = 40):
        self.n = n

    def __len__(self) -> int:
        return self.n

    def __getitem__(self, index: int) -> tuple[torch.Tensor, int]:
        return torch.tensor([float(index % 2), 1.0]), index % 2


def test_a_network_learns_and_everything_is_measured(point: Point, small_net: Any) -> None:
    training = Training(data="digits", epochs=8, lr=1e-2)
    training.prepare(None)
    curve: dict[int, Mapping[str, float]] = {}

    def keep(step: int, metrics: Mapping[str, float]) -> bool:
        curve[step] = metrics
        return False

    metrics = training.evaluate(point(small_net), Trial(on_report=keep))
    assert set(metrics) == set(training.gives or ())
    assert metrics["validation/accuracy"] > 0.9
    assert metrics["test/accuracy"] > 0.85
    assert metrics["epochs"] == 8
    assert sorted(curve) == list(range(1, 9))
    assert set(curve[1]) == {"train/loss", "validation/loss", "validation/accuracy"}
    assert curve[8]["train/loss"] == metrics["train/loss"] < curve[1]["train/loss"]


def test_the_seed_decides_everything_and_the_caller_s_randomness_is_left_alone(point: Point) -> None:
    def net(c_in: int, n_outputs: int, input_shape: tuple[int, ...]) -> nn.Module:
        return nn.Sequential(nn.Flatten(), nn.Linear(64, 16), nn.Dropout(0.5), nn.Linear(16, n_outputs))

    training = Training(data="digits", data_options=FEW, epochs=2)
    before = torch.random.get_rng_state()
    first = training.evaluate(point(net), Trial(seed=3))
    assert torch.equal(before, torch.random.get_rng_state())
    torch.rand(5)
    assert training.evaluate(point(net), Trial(seed=3)) == first
    assert training.evaluate(point(net), Trial(seed=4)) != first


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device: nothing to train on but the CPU")
def test_a_gpu_is_used_seeded_and_restored(point: Point, small_net: Any, tmp_path: Path) -> None:
    training = Training(data="digits", data_options=FEW, epochs=2)
    before = torch.cuda.get_rng_state()
    trial = Trial(seed=3, device="cuda", folder=tmp_path)
    first = training.evaluate(point(small_net), trial)
    assert torch.equal(before, torch.cuda.get_rng_state())
    assert trial.artifacts["weights.safetensors"].exists()
    again = training.evaluate(point(small_net), Trial(seed=3, device="cuda"))
    assert again["train/loss"] == pytest.approx(first["train/loss"], rel=1e-3)


def test_weights_are_saved_and_give_the_measured_accuracy(
    point: Point, small_net: Any, tmp_path: Path
) -> None:
    training = Training(data="digits", data_options=FEW, epochs=2)
    trial = Trial(folder=tmp_path / "trial")
    metrics = training.evaluate(point(small_net), trial)
    network = build_network(point(small_net), training.splits, seed=9)
    load_model(network, str(trial.artifacts["weights.safetensors"]))
    assert isinstance(training.splits.test, TensorDataset)
    measured = measure(network, [training.splits.test.tensors], Classification())
    assert measured["accuracy"] == pytest.approx(metrics["test/accuracy"])


def test_nothing_is_written_or_tested_unless_wanted(point: Point, small_net: Any, tmp_path: Path) -> None:
    training = Training(data="digits", data_options=FEW, epochs=1, test=False, save_weights=False)
    trial = Trial(folder=tmp_path / "trial")
    metrics = training.evaluate(point(small_net), trial)
    assert (
        set(metrics)
        == {"train/loss", "epochs", "validation/loss", "validation/accuracy"}
        == set(training.gives or ())
    )
    assert not trial.artifacts


def test_a_stop_ends_at_once_without_test_or_weights(point: Point, small_net: Any, tmp_path: Path) -> None:
    training = Training(data="digits", data_options=FEW, epochs=5, patience=3)
    trial = Trial(folder=tmp_path, on_report=lambda step, metrics: step == 2)
    metrics = training.evaluate(point(small_net), trial)
    assert metrics["epochs"] == 2
    assert not any(name.startswith("test/") for name in metrics)
    assert not trial.artifacts


def test_patience_restores_the_best_epoch(point: Point, small_net: Any, tmp_path: Path) -> None:
    curve: list[float] = []

    def keep(step: int, metrics: Mapping[str, float]) -> bool:
        curve.append(metrics["validation/loss"])
        return False

    training = Training(
        data="digits", data_options={**FEW, "n_train": 40}, epochs=40, lr=0.1, schedule="constant", patience=2
    )
    trial = Trial(on_report=keep, folder=tmp_path)
    metrics = training.evaluate(point(small_net), trial)
    assert metrics["epochs"] == len(curve) < 40
    assert metrics["validation/loss"] == min(curve) == curve[-3]
    network = build_network(point(small_net), training.splits)
    load_model(network, str(trial.artifacts["weights.safetensors"]))
    assert isinstance(training.splits.validation, TensorDataset)
    measured = measure(network, [training.splits.validation.tensors], Classification())
    assert measured["loss"] == pytest.approx(min(curve), rel=1e-5)


def test_regression_recovers_a_plane(point: Point) -> None:
    training = Training(
        data=(plane(256), plane(64, 1)),
        task="regression",
        epochs=20,
        lr=0.2,
        optimizer="adam",
        gradient_clip=5.0,
    )
    metrics = training.evaluate(point(linear), Trial())
    assert training.gives == ("train/loss", "epochs", "validation/loss", "validation/mae", "validation/r2")
    assert metrics["validation/r2"] > 0.99


@pytest.mark.parametrize("n_workers", [0, pytest.param(1, marks=pytest.mark.slow)])
def test_data_that_is_not_in_memory_goes_through_a_loader(n_workers: int, point: Point) -> None:
    training = Training(
        data=Pairs, data_options={"n": 45}, epochs=20, lr=0.1, batch_size=8, n_workers=n_workers
    )
    first = training.evaluate(point(linear), Trial(seed=1))
    assert first["validation/accuracy"] == 1.0
    assert training.evaluate(point(linear), Trial(seed=1)) == first


def test_a_last_batch_of_one_is_dropped_from_training_only(point: Point, small_net: Any) -> None:
    sizes: dict[bool, list[int]] = {True: [], False: []}

    class Counting(Task):
        gives: ClassVar[tuple[str, ...]] = ("loss",)

        def forward_batch(self, network: Any, batch: Any) -> tuple[Any, Any]:
            sizes[network.training].append(len(batch[0]))
            return network(batch[0]), batch[1]

        def loss(self, outputs: Any, targets: Any) -> Any:
            return nn.functional.cross_entropy(outputs, targets)

        def metrics(self, outputs: Any, targets: Any) -> dict[str, float]:
            return {"loss": float(len(outputs))}

    training = Training(
        data="digits",
        data_options={"n_train": 33, "n_validation": 33, "n_test": 1},
        task=Counting(),
        epochs=1,
        batch_size=16,
    )
    metrics = training.evaluate(point(small_net), Trial())
    assert sizes[True] == [16, 16]
    assert metrics["validation/loss"] == 33
    assert metrics["test/loss"] == 1


def test_a_task_may_bring_its_own_collate(point: Point) -> None:
    class Halved(Classification):
        collate = staticmethod(
            lambda samples: (torch.stack([s[0] for s in samples]) / 2, torch.tensor([s[1] for s in samples]))
        )

        def forward_batch(self, network: nn.Module, batch: Any) -> tuple[torch.Tensor, torch.Tensor]:
            assert float(batch[0].max()) <= 0.5
            return super().forward_batch(network, batch)

    metrics = Training(data=Pairs(), task=Halved(), epochs=1).evaluate(point(linear), Trial())
    assert metrics["epochs"] == 1


def test_divergence_says_when_and_at_which_rate(point: Point) -> None:
    def net(c_in: int, n_outputs: int, input_shape: tuple[int, ...]) -> nn.Module:
        return nn.Sequential(nn.Linear(3, 8), nn.Linear(8, n_outputs))

    training = Training(
        data=plane(4000),
        task="regression",
        epochs=3,
        optimizer="sgd",
        lr=50.0,
        batch_size=16,
        schedule="constant",
    )
    with pytest.raises(ArchloomError, match=r"diverged at epoch 1, step \d+: loss is (nan|inf) \(lr=50\)"):
        training.evaluate(point(net), Trial())


def test_a_late_divergence_names_its_step(point: Point) -> None:
    inputs = torch.zeros(400, 3)
    targets = torch.zeros(400)
    targets[5] = torch.nan

    class InOrder(Task):
        gives: ClassVar[tuple[str, ...]] = ("loss",)
        n_seen = 0

        def forward_batch(self, network: Any, batch: Any) -> tuple[Any, Any]:
            return network(batch[0])[:, 0], batch[1]

        def loss(self, outputs: Any, targets: Any) -> Any:
            self.n_seen += 1
            return outputs.mean() * (float("nan") if self.n_seen == 100 + 70 else 1.0)

        def metrics(self, outputs: Any, targets: Any) -> dict[str, float]:
            return {"loss": 0.0}

    data = TensorDataset(inputs, torch.zeros(400))
    training = Training(data=(data, data), task=InOrder(), epochs=3, batch_size=4)
    with pytest.raises(ArchloomError, match=re.escape("diverged at epoch 2, step 70: loss is nan (lr=")):
        training.evaluate(point(linear), Trial())


@pytest.mark.parametrize("width", [9, 11])
def test_a_wrong_output_width_names_architecture_and_shapes(width: int, point: Point) -> None:
    net = nn.Sequential(nn.Flatten(), nn.Linear(64, width))
    with pytest.raises(SpaceError, match=rf"odd-net gives outputs of shape \(2, {width}\).*must be 10 wide"):
        Training(data="digits", data_options=FEW).evaluate(point(net, "odd-net"), Trial())


def test_a_network_that_does_not_fit_its_inputs_names_architecture_and_shapes(point: Point) -> None:
    with pytest.raises(SpaceError, match=r"odd-net cannot run on .* shape \(1, 8, 8\): .*shapes"):
        Training(data="digits", data_options=FEW).evaluate(point(nn.Linear(3, 10), "odd-net"), Trial())


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_scheduled_paths_are_told_how_far_training_is(precision: Any, point: Point) -> None:
    told: list[tuple[bool, float]] = []

    class Watched(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            told.append((path.training, path.progress))
            return x

    path = ScheduledDropPath(Watched(), 0.6)

    def dropping(c_in: int, n_outputs: int, input_shape: tuple[int, ...]) -> nn.Module:
        return nn.Sequential(nn.Flatten(), path, nn.Linear(64, n_outputs))

    few = {"n_train": 20, "n_validation": 5, "n_test": 5}
    training = Training(data="digits", data_options=few, epochs=3, batch_size=10, precision=precision)
    metrics = [training.evaluate(point(dropping), Trial(seed=1)) for _ in range(2)]
    assert metrics[0] == metrics[1]
    steps = [progress for is_training, progress in told if is_training]
    assert steps == pytest.approx([step / 6 for step in range(6)] * 2)


def test_out_of_memory_stays_what_it_is(point: Point) -> None:
    class Greedy(nn.Linear):
        def forward(self, inputs: torch.Tensor) -> torch.Tensor:
            raise torch.OutOfMemoryError("too much")

    with pytest.raises(torch.OutOfMemoryError, match="too much"):
        Training(data="digits", data_options=FEW).evaluate(point(Greedy(3, 10)), Trial())


def test_a_network_without_parameters_is_refused(point: Point) -> None:
    with pytest.raises(SpaceError, match="odd-net has no trainable parameters"):
        Training(data="digits", data_options=FEW).evaluate(point(nn.Flatten(), "odd-net"), Trial())


def test_fidelity_is_a_number_of_epochs(point: Point, small_net: Any) -> None:
    training = Training(data="digits", data_options=FEW, epochs=5)
    assert training.evaluate(point(small_net), Trial(fidelity="epochs=2"))["epochs"] == 2
    for wrong in ("epochs=0", "epochs=x", "steps=3"):
        with pytest.raises(ConfigError, match=wrong):
            training.evaluate(point(small_net), Trial(fidelity=wrong))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"epochs": 0}, "epochs must be at least 1; got 0"),
        ({"batch_size": 0}, "batch_size"),
        ({"n_workers": -1}, "n_workers"),
        ({"patience": 0}, "patience"),
        ({"optimizer": "lion"}, "'lion' is no optimizer"),
        ({"task": "clasification"}, "did you mean 'classification'"),
        ({"task": 3}, "got 3"),
        ({"task_options": {"smoothing": 0.1}}, "did you mean 'label_smoothing'"),
        ({"task": Classification(), "task_options": {"label_smoothing": 0.1}}, "already made"),
        ({"task": "math:pi"}, "must be a name"),
    ],
)
def test_wrong_options_are_refused_at_once(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        Training(data="digits", **options)


def test_patience_needs_a_loss_to_watch() -> None:
    class Lossless(Classification):
        gives: ClassVar[tuple[str, ...]] = ("accuracy",)

    with pytest.raises(ConfigError, match="task gives accuracy"):
        Training(data="digits", task=Lossless(), patience=2)


def test_wrong_data_is_met_in_prepare(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ARCHLOOM_DATA", raising=False)
    with pytest.raises(DataError, match="ARCHLOOM_DATA"):
        Training(data="fashion_mnist").prepare(None)


@pytest.mark.skipif(
    "ARCHLOOM_DATA" not in os.environ, reason="ARCHLOOM_DATA is unset: no Fashion-MNIST files"
)
@pytest.mark.slow
def test_fashion_mnist_is_learned(point: Point) -> None:
    def net(c_in: int, n_outputs: int, input_shape: tuple[int, ...]) -> nn.Module:
        return nn.Sequential(nn.Flatten(), nn.Linear(784, 32), nn.ReLU(), nn.Linear(32, n_outputs))

    training = Training(data="fashion_mnist", data_options={"n_train": 3000, "n_test": 1000}, epochs=3)
    assert training.evaluate(point(net), Trial())["test/accuracy"] > 0.75


def test_splits_given_live_are_used_as_they_are(point: Point) -> None:
    splits = Splits(plane(30), plane(10), plane(10), (3,), 1)
    training = Training(data=splits, task="regression", epochs=1)
    assert training.splits is splits
    assert "test/r2" in training.evaluate(point(linear), Trial())


def test_trains_with_the_threads_it_is_told_and_restores_the_callers(point: Point) -> None:
    seen: list[int] = []

    class Watching(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.linear = nn.Linear(64, 10)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            seen.append(torch.get_num_threads())
            y: torch.Tensor = self.linear(x.flatten(1))
            return y

    before = torch.get_num_threads()
    Training(data="digits", epochs=1).evaluate(point(Watching()), Trial())
    assert set(seen) == {1}
    seen.clear()
    Training(data="digits", epochs=1, n_threads=2).evaluate(point(Watching()), Trial())
    assert set(seen) == {2}
    assert torch.get_num_threads() == before
