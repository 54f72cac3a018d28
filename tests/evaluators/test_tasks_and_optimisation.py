# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn import functional

from archloom.errors import ConfigError, DataError
from archloom.evaluators.optimisation import OPTIMIZERS, SCHEDULES, Optimisation
from archloom.evaluators.tasks import Classification, Regression


def test_classification_measures_without_smoothing() -> None:
    task = Classification(label_smoothing=0.2)
    logits, labels = torch.tensor([[3.0, 0.0], [0.0, 1.0], [1.0, 0.0]]), torch.tensor([0, 1, 1])
    plain = float(functional.cross_entropy(logits, labels))
    assert task.metrics(logits, labels) == {"loss": plain, "accuracy": pytest.approx(2 / 3)}
    assert float(task.loss(logits, labels)) != pytest.approx(plain)
    assert set(task.metrics(logits, labels)) == set(task.gives)


def test_classification_serves_segmentation() -> None:
    masks = torch.randint(0, 3, (2, 4, 4))
    logits = functional.one_hot(masks, 3).permute(0, 3, 1, 2).float()
    assert Classification().metrics(logits, masks)["accuracy"] == 1.0


@pytest.mark.parametrize("value", [-0.1, 1.0])
def test_label_smoothing_has_its_range(value: float) -> None:
    with pytest.raises(ConfigError, match=f"got {value}"):
        Classification(label_smoothing=value)


def test_regression_aligns_a_trailing_axis_and_refuses_broadcasts() -> None:
    task = Regression()
    network = nn.Linear(3, 1)
    outputs, targets = task.forward_batch(network, (torch.zeros(5, 3), torch.arange(5)))
    assert outputs.shape == targets.shape == (5, 1)
    assert float(task.loss(outputs.detach(), targets)) == pytest.approx(
        task.metrics(outputs.detach(), targets)["loss"]
    )
    assert task.forward_batch(network, (torch.zeros(5, 3), torch.zeros(5, 1)))[1].shape == (5, 1)
    with pytest.raises(DataError, match=r"got \(5, 1\) and \(5, 2\)"):
        task.forward_batch(network, (torch.zeros(5, 3), torch.zeros(5, 2)))


def test_r2_is_averaged_and_a_constant_target_counts_as_zero() -> None:
    targets = torch.tensor([[0.0, 1.0], [2.0, 1.0]])
    metrics = Regression().metrics(targets, targets)
    assert metrics == {"loss": 0.0, "mae": 0.0, "r2": 0.5}


@pytest.mark.parametrize("name", sorted(OPTIMIZERS))
def test_every_optimizer_lowers_a_simple_loss(name: Any) -> None:
    network = nn.Linear(1, 1, bias=False)
    nn.init.constant_(network.weight, 1.0)
    optimizer = Optimisation(optimizer=name, lr=0.05).make(network)
    for _ in range(50):
        optimizer.zero_grad()
        loss = network.weight.square().sum()
        torch.autograd.backward(loss)
        optimizer.step()
    assert abs(float(network.weight.detach())) < 0.2


@pytest.mark.parametrize(("name", "decay"), [("adamw", 0.01), ("adam", 0.0), ("sgd", 5e-4)])
def test_weight_decay_is_customary_unless_given(name: Any, decay: float) -> None:
    network = nn.Linear(1, 1)
    assert Optimisation(optimizer=name).make(network).defaults["weight_decay"] == decay
    assert Optimisation(optimizer=name, weight_decay=0.3).make(network).defaults["weight_decay"] == 0.3


@pytest.mark.parametrize("name", sorted(SCHEDULES))
def test_every_schedule_starts_at_one_and_never_rises(name: str) -> None:
    factors = [SCHEDULES[name](i / 10) for i in range(11)]
    assert factors[0] == 1.0
    assert factors == sorted(factors, reverse=True)
    assert factors[-1] == pytest.approx(1.0 if name == "constant" else 0.0)


def test_warm_up_rises_to_the_full_rate_then_the_schedule_begins() -> None:
    plan = Optimisation(lr=2.0, schedule="cosine", warmup_epochs=0.5)
    rates = [plan.lr_at(step, 40, 10) for step in range(40)]
    assert rates[:3] == [1.0, 2.0, 2.0]
    assert rates[21] == pytest.approx(1.0 + math.cos(math.pi * 19 / 38))


def test_a_warm_up_as_long_as_the_training_is_all_there_is() -> None:
    assert [Optimisation(lr=1.0, warmup_epochs=1).lr_at(s, 2, 1) for s in range(2)] == [0.5, 1.0]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"optimizer": "adamW"}, "'adamW' is no optimizer; did you mean 'adam"),
        ({"schedule": "cosin"}, "did you mean 'cosine'"),
        ({"lr": 0.0}, "lr must be above 0; got 0.0"),
        ({"lr": math.nan}, "lr must be above 0; got nan"),
        ({"weight_decay": -1.0}, "weight_decay"),
        ({"momentum": 1.0}, "momentum"),
        ({"warmup_epochs": -1}, "warmup_epochs"),
        ({"gradient_clip": 0.0}, "gradient_clip"),
    ],
)
def test_wrong_options_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        Optimisation(**options)
