# SPDX-License-Identifier: Apache-2.0
"""Latency by the clock: the network is built and timed on the trial's device."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, final

import numpy as np
import torch

from archloom.contracts import Architecture, FloatArray, Metrics, Trial
from archloom.errors import SpaceError
from archloom.evaluators.latency.machine import machine
from archloom.evaluators.networks import build_network
from archloom.evaluators.seeding import generator, threads
from archloom.evaluators.shapes import ShapeSource

__all__ = ["Stopwatch", "median_and_spread", "time_calls", "wait_for"]


@final
@dataclass(frozen=True, eq=False)
class Stopwatch:
    """Times forward passes in evaluation mode, without gradients, on random inputs.

    Args:
        source: tells the shape of the networks.
        batch_size: samples in a pass.
        n_warmup: passes before the clock runs.
        n_repeats: passes that are timed, at the least.
        min_seconds: and until this much time was spent on them.
        n_threads: CPU threads that torch computes with.
    """

    source: ShapeSource
    batch_size: int
    n_warmup: int
    n_repeats: int
    min_seconds: float
    n_threads: int

    gives = ("latency_ms", "latency_ms_iqr")

    def prepare(self, space: Any) -> None:
        """Read the shapes off the data."""
        del space
        self.source.shape()

    def measure(self, architecture: Architecture, trial: Trial) -> Metrics:
        """Build the network with fresh weights and time it.

        Raises:
            SpaceError: it cannot be built or run; the message names the architecture.
        """
        shape = self.source.shape()
        network = build_network(architecture, shape, seed=trial.seed, device=trial.device).eval()
        inputs = torch.randn(self.batch_size, *shape.input_shape, generator=generator(trial.seed))
        inputs = inputs.to(trial.device)
        try:
            with threads(self.n_threads), torch.inference_mode():
                times = time_calls(
                    lambda: network(inputs),
                    n_warmup=self.n_warmup,
                    n_repeats=self.n_repeats,
                    min_seconds=self.min_seconds,
                    wait=wait_for(torch.device(trial.device)),
                )
        except Exception as error:
            raise SpaceError(
                f"{architecture.text} cannot run on inputs {tuple(inputs.shape)}: {error}"
            ) from error
        return dict(zip(self.gives, median_and_spread(times), strict=True))

    def conditions(self) -> dict[str, str]:
        """Name the devices, torch's version, and how it is timed."""
        how = ("batch_size", "n_threads", "n_warmup", "n_repeats", "min_seconds")
        return {**machine(), **{name: str(getattr(self, name)) for name in how}}


def time_calls(
    call: Callable[[], Any],
    *,
    n_warmup: int,
    n_repeats: int,
    min_seconds: float = 0.0,
    wait: Callable[[], None] = lambda: None,
    clock: Callable[[], float] = time.perf_counter,
) -> FloatArray:
    """Time calls one by one, each until ``wait`` says that the device is done with it.

    Args:
        call: what is timed.
        n_warmup: calls before the first that is timed.
        n_repeats: calls that are timed, at the least.
        min_seconds: the sum of their times, at the least.
        wait: blocks until what was started has ended.
        clock: seconds, rising.

    Returns:
        The milliseconds of each timed call.

    >>> ticks = iter([0.0, 0.5, 1.0, 1.25])
    >>> time_calls(lambda: None, n_warmup=3, n_repeats=2, clock=lambda: next(ticks)).tolist()
    [500.0, 250.0]
    """
    for _ in range(n_warmup):
        call()
    wait()
    seconds: list[float] = []
    spent = 0.0
    while len(seconds) < n_repeats or spent < min_seconds:
        started = clock()
        call()
        wait()
        seconds.append(clock() - started)
        spent += seconds[-1]
    return np.array(seconds) * 1e3


def median_and_spread(times: FloatArray) -> tuple[float, float]:
    """Return the median and the inter-quartile range, which one slow outlier hardly moves.

    >>> median_and_spread(np.array([1.0, 2.0, 3.0, 4.0, 100.0]))
    (3.0, 2.0)
    """
    low, median, high = np.quantile(times, [0.25, 0.5, 0.75]).tolist()
    return median, high - low


def wait_for(device: torch.device) -> Callable[[], None]:
    """Return what blocks until the device is idle; a CPU call has ended when it returns."""
    if device.type == "cpu":
        return lambda: None
    return lambda: torch.accelerator.synchronize(device)
