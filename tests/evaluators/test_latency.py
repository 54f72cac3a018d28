# SPDX-License-Identifier: Apache-2.0
"""Latency by the clock, and which options go together."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from archloom.contracts import Architecture, Trial
from archloom.errors import ConfigError, DataError, SpaceError
from archloom.evaluators import Latency
from archloom.evaluators.latency import machine
from archloom.evaluators.latency.stopwatch import time_calls

Point = Callable[..., Architecture]


class Watched(nn.Module):
    """Notes in which state it was called."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[Any, ...]] = []

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.seen.append((tuple(x.shape), self.training, x.is_inference(), torch.get_num_threads()))
        return x

    def __deepcopy__(self, memo: Any) -> Watched:
        return self


def test_a_network_is_warmed_up_and_timed_in_evaluation_mode(point: Point) -> None:
    network = Watched()
    before = torch.get_num_threads()
    latency = Latency(input_shape=[3, 4], batch_size=2, n_warmup=3, n_repeats=5, n_threads=1)
    metrics = latency.evaluate(point(network), Trial())
    assert network.seen == [((2, 3, 4), False, False, 1)] * 8
    assert not torch.is_inference_mode_enabled()
    assert torch.get_num_threads() == before
    assert tuple(metrics) == latency.gives == ("latency_ms", "latency_ms_iqr")
    assert metrics["latency_ms"] > 0
    assert metrics["latency_ms_iqr"] >= 0
    assert latency.is_cheap


def test_a_slower_network_takes_longer(point: Point) -> None:
    def deep(c_in: int, n_outputs: int, input_shape: Any) -> nn.Module:
        return nn.Sequential(*[nn.Linear(c_in, c_in) for _ in range(60)])

    def flat(c_in: int, n_outputs: int, input_shape: Any) -> nn.Module:
        return nn.Linear(c_in, c_in)

    latency = Latency(input_shape=[64], n_repeats=15)
    slow, fast = (latency.evaluate(point(net), Trial())["latency_ms"] for net in (deep, flat))
    assert slow > 4 * fast


def ticking(*steps: float) -> Callable[[], float]:
    """A clock that stands still between the start and the end of what it times."""
    times: Iterator[float] = iter(np.repeat(np.cumsum([0.0, *steps]), [1] + [2] * len(steps)).tolist())
    return lambda: next(times)


def test_calls_are_repeated_until_the_time_is_spent() -> None:
    calls: list[str] = []
    times = time_calls(
        lambda: calls.append("call"),
        n_warmup=2,
        n_repeats=1,
        min_seconds=0.75,
        wait=lambda: calls.append("wait"),
        clock=ticking(0.25, 0.25, 0.25, 99.0),
    )
    assert times.tolist() == [250.0] * 3
    assert calls == ["call", "call", "wait", *["call", "wait"] * 3]


def test_a_network_that_cannot_run_is_named(point: Point) -> None:
    with pytest.raises(SpaceError, match=r"odd-net cannot run on inputs \(1, 4\): "):
        Latency(input_shape=[4]).evaluate(point(nn.Linear(3, 2), "odd-net"), Trial())


def test_missing_data_are_met_before_the_first_trial(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ARCHLOOM_DATA", raising=False)
    with pytest.raises(DataError, match="ARCHLOOM_DATA"):
        Latency(data="fashion_mnist").prepare(None)


def test_conditions_name_the_machine_and_the_settings() -> None:
    conditions = Latency(input_shape=[4], n_threads=2).conditions()
    assert conditions["torch"] == torch.__version__
    assert conditions["n_threads"] == "2"
    assert conditions["batch_size"] == "1"
    assert conditions["cpu"] == machine.cpu_name() != ""
    assert all(isinstance(value, str) for value in conditions.values())


def test_the_processor_is_named_by_its_kind_where_the_system_tells_no_more(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    (tmp_path / "cpuinfo").write_text("processor : 0\nmodel name\t: Fast CPU 9\nmodel name\t: other\n")
    monkeypatch.setattr(machine, "_CPU_FILE", tmp_path / "cpuinfo")
    assert machine.cpu_name() == "Fast CPU 9"
    monkeypatch.setattr(machine, "_CPU_FILE", tmp_path / "none")
    monkeypatch.setattr("platform.processor", lambda: "")
    assert machine.cpu_name() == os.uname().machine


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "latency needs either data or input_shape.*got neither"),
        ({"data": "digits", "input_shape": [1, 8, 8]}, "got both"),
        ({"table": "ops.csv", "command": "./bench"}, "got both table and command"),
        ({"table": "ops.csv", "data": "digits"}, "by table does not take data, .* by the clock or command"),
        ({"table": "ops.csv", "n_repeats": 3}, "by table does not take n_repeats, .* by the clock"),
        ({"command": "./bench", "input_shape": [4], "n_threads": 2}, "by command does not take n_threads"),
        ({"input_shape": [4], "timeout": 3.0}, "by the clock does not take timeout, .* by command"),
        ({"input_shape": [4], "n_repeats": 0}, "n_repeats must be 1 or more, got 0"),
        ({"input_shape": [4], "n_warmup": -1}, "n_warmup must be 0 or more, got -1"),
        ({"input_shape": [4], "min_seconds": float("inf")}, "min_seconds must be 0 or more, got inf"),
        ({"input_shape": [4], "command": "./b", "timeout": 0}, "timeout must be above 0, got 0"),
        ({"input_shape": [4], "command": ""}, "command must name a program"),
        ({"input_shape": [4], "command": []}, "command must name a program"),
        ({"input_shape": [4], "command": "./b 'x"}, "cannot be cut into words: No closing quotation"),
    ],
)
def test_what_does_not_go_together_is_refused_at_once(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        Latency(**options)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="torch sees no CUDA device")
def test_a_cuda_device_is_waited_for(point: Point) -> None:
    network = nn.Sequential(*[nn.Linear(4096, 4096) for _ in range(20)])
    latency = Latency(input_shape=[4096], batch_size=4096, n_warmup=3, n_repeats=5)
    ms = latency.evaluate(point(network), Trial(device="cuda"))["latency_ms"]
    assert ms > 1  # 2.7 TFLOP: what was not waited for would take the microseconds of the launches
    assert torch.cuda.get_device_name(0) == latency.conditions()["cuda:0"]
