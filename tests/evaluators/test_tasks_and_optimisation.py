# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math
from typing import Any, get_args

import pytest
import torch
from torch import nn
from torch.nn import functional

from archloom.errors import ConfigError, DataError
from archloom.evaluators.optimisation import OPTIMIZERS, SCHEDULES, Optimisation, ScheduleName, cosine_power
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
    ("power", "rates"),
    [
        (1.0, [0.025, 0.021359, 0.012553, 0.003747, 0.0001]),
        (2.0, [0.025, 0.020200, 0.010417, 0.002761, 0.0001]),
        (10.0, [0.025, 0.017091, 0.006086, 0.001210, 0.0001]),
    ],
)
def test_cosine_power_is_the_published_curve(power: float, rates: list[float]) -> None:
    """Epoch e of E stands at e / E: with (e - 1) / (E - 1) the three in the middle would be higher."""
    found = [cosine_power(i, 100, high=0.025, low=1e-4, power=power) for i in (1, 25, 50, 75, 100)]
    assert found == pytest.approx(rates, abs=1e-6)
    assert (found[0], found[-1]) == (0.025, 1e-4)


def test_cosine_power_warms_up_from_the_minimum_and_is_then_rescaled_by_its_crest() -> None:
    curve = [cosine_power(i, 120, high=0.025, low=1e-4, n_warm=5) for i in range(1, 121)]
    assert curve[:6] == pytest.approx([0.00425, 0.0084, 0.01255, 0.0167, 0.02085, 0.025], abs=1e-6)
    assert (curve[5], curve[-1]) == (0.025, 1e-4)
    for epoch in (7, 60, 119):  # the authors rescale epoch 5, where c = 1, along with the rest
        p = 2 ** ((1 + math.cos(math.pi * (epoch - 5) / 115)) / 2 + 1)
        assert curve[epoch - 1] == pytest.approx((p - 2) / (4 - 2) * (0.025 - 1e-4) + 1e-4, abs=1e-12)
    assert curve[5:] == sorted(curve[5:], reverse=True)


@pytest.mark.parametrize("power", [1e-300, 0.5, 1 - 1e-12, 1 + 1e-12, 1e308])
def test_cosine_power_falls_from_high_to_low_whatever_the_power(power: float) -> None:
    curve = [cosine_power(i, 8, high=3.0, low=0.1, power=power) for i in range(1, 9)]
    assert (curve[0], curve[-1]) == (3.0, 0.1)
    assert curve == sorted(curve, reverse=True)
    if abs(power - 1) < 0.1:
        plain = [cosine_power(i, 8, high=3.0, low=0.1, power=1.0) for i in range(1, 9)]
        assert curve == pytest.approx(plain)


def test_cosine_power_of_one_value_and_of_nothing_but_warm_up() -> None:
    assert cosine_power(1, 1, high=1.0) == 1.0
    assert [cosine_power(i, 2, high=1.0, n_warm=1) for i in (1, 2)] == [0.5, 1.0]
    assert [cosine_power(i, 2, high=1.0, n_warm=3) for i in (1, 2)] == [0.25, 0.5]


def test_cosine_power_is_taken_step_by_step() -> None:
    plan = Optimisation(lr=0.5, schedule="cosine_power", power=10, lr_min=0.1, warmup_epochs=1)
    assert [plan.lr_at(step, 12, 3) for step in range(12)] == [
        cosine_power(i, 12, high=0.5, low=0.1, power=10, n_warm=4) for i in range(1, 13)
    ]


@pytest.mark.parametrize("name", get_args(ScheduleName))
def test_schedules_that_fall_end_at_the_lowest_rate(name: Any) -> None:
    plan = Optimisation(lr=0.5, schedule=name, lr_min=0.2)
    rates = [plan.lr_at(step, 1000, 10) for step in range(1000)]
    assert rates[0] == 0.5
    assert rates == sorted(rates, reverse=True)
    assert rates[-1] == pytest.approx(0.5 if name == "constant" else 0.2, abs=1e-3)


def test_the_lowest_rate_stretches_the_cosine_as_torch_does() -> None:
    plan = Optimisation(lr=0.025, lr_min=0.001)
    optimizer = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=0.025)
    peer = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=50, eta_min=0.001)
    for epoch in range(50):
        assert plan.lr_at(epoch, 50, 50) == pytest.approx(peer.get_last_lr()[0])
        optimizer.step()
        peer.step()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"optimizer": "adamW"}, "'adamW' is no optimizer; did you mean 'adam"),
        ({"schedule": "cosin"}, "did you mean 'cosine'"),
        ({"lr": 0.0}, "lr must be above 0; got 0.0"),
        ({"lr": math.nan}, "lr must be above 0; got nan"),
        ({"weight_decay": -1.0}, "weight_decay"),
        ({"power": 0.0}, "power must be above 0 and finite; got 0.0"),
        ({"power": math.inf}, "power must be above 0 and finite; got inf"),
        ({"lr_min": -0.1}, "lr_min must be from 0 to the highest rate, 0.001; got -0.1"),
        ({"lr": 0.1, "lr_min": 0.2}, "lr_min must be from 0 to the highest rate, 0.1; got 0.2"),
        ({"momentum": 1.0}, "momentum"),
        ({"warmup_epochs": -1}, "warmup_epochs"),
        ({"gradient_clip": 0.0}, "gradient_clip"),
    ],
)
def test_wrong_options_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        Optimisation(**options)
